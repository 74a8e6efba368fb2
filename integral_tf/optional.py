"""Imports optional packages, or says in one sentence what to install."""

import importlib
from types import ModuleType


def need(
    module: str, package: str, what: str, extra: str = "export"
) -> ModuleType:
    """Imports an optional package, or says what to install.

    Args:
        module: Name of the module.
        package: Name of its package for pip.
        what: What needs the module, for the message: `"an ONNX file"`.
        extra: The extra of integral_tf that installs it; empty for none.

    Raises:
        ImportError: the module cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        group = f", or `pip install integral_tf[{extra}]`" if extra else ""
        raise ImportError(
            f"{what[0].upper()}{what[1:]} needs {package}: "
            f"`pip install {package}`{group}. Received: {error}"
        ) from error
