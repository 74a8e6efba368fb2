"""Names of a package that are imported at their first use."""

import importlib
import sys
from collections.abc import Callable
from typing import Any


def attributes(package: str, places: dict[str, str]) -> Callable[[str], Any]:
    """Makes a `__getattr__` for a package's `__init__.py`.

    Args:
        package: Name of the package.
        places: Dict from a name to the module that defines it.

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
