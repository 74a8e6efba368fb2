"""Names of a package that are imported when they are first asked for."""

import importlib
import sys
from collections.abc import Callable
from typing import Any


def attributes(package: str, places: dict[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for a package's `__init__.py`.

    Args:
        package: Its name.
        places: Dict from a name to the module that has it.

    Example:

    >>> find = attributes("integral_tf", {"stride": "integral_tf.checks"})
    >>> find("stride").__module__
    'integral_tf.checks'
    """

    def find(name):
        if name not in places:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}"
            )
        found = getattr(importlib.import_module(places[name]), name)
        setattr(sys.modules[package], name, found)
        return found

    return find
