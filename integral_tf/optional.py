"""Optional packages: imported where they are used, or one sentence."""

import importlib
from types import ModuleType


def need(
    module: str, package: str, what: str, extra: str = "export"
) -> ModuleType:
    """Imports an optional package, or says what to install.

    Args:
        module: Name of the module.
        package: What pip calls its package.
        what: What needs it, for the message, as `"an ONNX file"`.
        extra: The extra of this package that has it; empty where none has.

    Raises:
        ImportError: it is not there.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        group = f", or `pip install integral_tf[{extra}]`" if extra else ""
        raise ImportError(
            f"{what[0].upper()}{what[1:]} needs {package}: "
            f"`pip install {package}`{group}. Received: {error}"
        ) from error
