"""The texts of `integral-tf --help` and `integral-tf NAME --help`."""

import ast
import dataclasses
import pathlib
import textwrap
from types import ModuleType

from integral_tf import config
from integral_tf import flagfiles

_WIDTH = 79
_INDENT = 27


def overview(names: dict[str, str]) -> str:
    """A list of the commands, each with the first line of its docstring.

    Args:
        names: Dict from a command's name to its module's.
    """
    lines = ["integral-tf COMMAND --flag=value ...", ""]
    folder = pathlib.Path(__file__).parent
    for name, module in names.items():
        source = (folder / f"{module}.py").read_text(encoding="utf-8")
        sentence = ast.get_docstring(ast.parse(source)).partition("\n")[0]
        lines.append(f"  {name:16s} {sentence}")
    return "\n".join(
        [*lines, "", "integral-tf COMMAND --help lists the command's flags."]
    )


def of(module: ModuleType) -> str:
    """A command's docstring, its main flags, and its other flags."""
    fields = dataclasses.fields(module.CONFIG)
    main = [field for field in fields if field.metadata["main"]]
    main.sort(key=lambda field: not field.metadata["required"])
    others = [field for field in fields if not field.metadata["main"]]
    parts = [module.__doc__.strip(), "", "Main flags:", ""]
    parts += map(_flag, main)
    if module.CONFIG is config.TrainConfig:
        names = ", ".join(flagfiles.presets())
        parts.append(_entry("--preset=NAME", f"Flags of a preset: {names}."))
    parts += ["", "Others:", "", *map(_flag, others)]
    parts.append(_entry("--flagfile=FILE", "Flags from a file, one per line."))
    return "\n".join(parts)


def _flag(field):
    name, default = field.name, field.default
    if isinstance(default, bool):
        head = f"--no{name}" if default else f"--{name}"
    elif default == "":
        head = f"--{name}=TEXT"
    else:
        head = f"--{name}={default}"
    text = field.metadata["doc"]
    if field.metadata["choices"]:
        text += f" One of {', '.join(field.metadata['choices'])}."
    if field.metadata["place"]:
        text += " The flag's name may be left out."
    if field.metadata["required"]:
        text = f"Required. {text}"
    if default is True:
        text += f" On by default; --no{name} turns it off."
    return _entry(head, text)


def _entry(head, text):
    lines = textwrap.wrap(
        text, _WIDTH - _INDENT, break_long_words=False, break_on_hyphens=False
    )
    first = f"  {head}".ljust(_INDENT)
    if len(head) + 2 >= _INDENT:
        first += "\n" + " " * _INDENT
    return first + ("\n" + " " * _INDENT).join(lines)
