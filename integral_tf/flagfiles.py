"""Config dataclasses from a command line, a flag file or a preset, and back.

Every field of a dataclass of settings is an absl flag of the same name. A flag
file holds a flag per line. A preset is a flag file that comes with the package:
`--preset=small`, on the command line or in a flag file.
"""

import dataclasses
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags

_TOO_LONG = "a word is too long to be the name of a flag"
PRESETS = pathlib.Path(__file__).parent / "presets"
_DEFINE = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


class Values(flags.FlagValues):
    """absl's flags, also after positional words, and with `--preset`."""

    def __init__(self) -> None:
        super().__init__()
        self.set_gnu_getopt(True)

    def read_flags_from_files(
        self, argv: list[str], force_gnu: bool = True
    ) -> list[str]:
        while True:
            argv = super().read_flags_from_files(argv, force_gnu)
            if not any(map(_is_preset, argv)):
                return argv
            argv = _with_files(argv)


def _is_preset(argument):
    return argument.lstrip("-").partition("=")[0] == "preset" and (
        argument.startswith("-")
    )


def _with_files(argv):
    """The arguments, with `--flagfile` in place of each `--preset`."""
    replaced, rest = [], list(argv)
    while rest:
        argument = rest.pop(0)
        if _is_preset(argument):
            _, equals, name = argument.partition("=")
            if not equals:
                name = rest.pop(0) if rest else ""
            argument = f"--flagfile={preset(name)}"
        replaced.append(argument)
    return replaced


def presets() -> list[str]:
    """Names of the presets."""
    return sorted(path.stem for path in PRESETS.glob("*.flags"))


def preset(name: str) -> pathlib.Path:
    """Path of a preset's file.

    Raises:
        ValueError: there is no preset of that name.
    """
    if name not in presets():
        raise ValueError(
            f"A preset is one of {', '.join(presets())}; a file of your own "
            f"is --flagfile=FILE. Received: --preset={name}"
        )
    return PRESETS / f"{name}.flags"


def define(config_class: type, values: flags.FlagValues = flags.FLAGS) -> None:
    """Defines one absl flag per field of the dataclass, in `values`."""
    for field in dataclasses.fields(config_class):
        doc, choices = field.metadata["doc"], field.metadata["choices"]
        name, default = field.name, field.default
        if choices:
            flags.DEFINE_enum(name, default, choices, doc, values)
        else:
            _DEFINE[type(default)](name, default, doc, flag_values=values)
        if field.metadata["former"]:
            flags.DEFINE_alias(field.metadata["former"], name, values)


def made(config_class: type, values: flags.FlagValues) -> Any:
    """Builds the dataclass from parsed flags.

    Raises:
        ValueError: a flag is out of its range.
    """
    names = [field.name for field in dataclasses.fields(config_class)]
    return config_class(**{name: getattr(values, name) for name in names})


def parse(config_class: type, arguments: Sequence[str]) -> Any:
    """Builds the dataclass from a command's arguments.

    Raises:
        ValueError: a flag is unknown, wrong or missing, a flag file cannot be
            read, or there are too many positional words.
    """
    values = Values()
    define(config_class, values)
    _add_absls(values)
    fields = dataclasses.fields(config_class)
    places = sorted(
        (field for field in fields if field.metadata["place"]),
        key=lambda field: field.metadata["place"],
    )
    try:
        _, *words = values(["", *arguments])
    except UnicodeDecodeError as error:
        given = [each for each in arguments if "flagfile" in each]
        raise ValueError(
            "A flag file is text, a flag per line, and this one is none "
            f"({error.reason}). Received: {' '.join(given)}"
        ) from None
    except RecursionError:  # absl looks for similar names
        raise ValueError(_TOO_LONG) from None
    except flags.Error as error:
        text = str(error).replace("ERROR:: ", "").replace(" ?", "?")
        raise ValueError(f"{text}; --help lists the flags") from None
    if len(words) > len(places):
        named = "".join(
            f"--{field.name} may be given as a word, once. " for field in places
        )
        raise ValueError(
            f"A flag begins with --, and its value follows after =. {named}"
            f"Received: {words[len(places)]!r}"
        )
    for field, word in zip(places, words):
        setattr(values, field.name, word)
    for field in fields:
        missing = getattr(values, field.name) == field.default
        if field.metadata["required"] and missing:
            raise ValueError(
                f"--{field.name} is missing: {field.metadata['doc']} "
                f"Received: --{field.name}={field.default}"
            )
    return made(config_class, values)


def _add_absls(values):
    """Adds absl's own flags, such as --verbosity."""
    from absl import logging

    known = flags.FLAGS.flags_by_module_dict().get(logging.__name__, ())
    for flag in known:
        values[flag.name] = flag


def write(config: Any, path: str | os.PathLike) -> None:
    """Writes a config as a file that `--flagfile` reads."""
    lines = [
        f"--{name}={_written(value)}"
        for name, value in dataclasses.asdict(config).items()
    ]
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def changes(before: Any, now: Any) -> str:
    """The flags in which two configs differ, and the values of both."""
    return ", ".join(
        f"--{field.name}={_written(getattr(now, field.name))}, before "
        f"{_written(getattr(before, field.name))}"
        for field in dataclasses.fields(now)
        if getattr(before, field.name) != getattr(now, field.name)
    )


def _written(value):
    return str(value).lower() if isinstance(value, bool) else value


def read(config_class: type, path: str | os.PathLike) -> Any:
    """Reads a file of `write`, or a preset.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file names a flag that the dataclass does not have, or
            gives a flag a value that is not valid.
    """
    values = Values()
    define(config_class, values)
    # Raises FileNotFoundError, before absl raises an error of its own.
    pathlib.Path(path).read_bytes()
    try:
        _, *others = values(["", f"--flagfile={path}"])
        if not others:
            return made(config_class, values)
    except flags.UnrecognizedFlagError as error:
        others = [error.flagvalue]
    except RecursionError:  # absl looks for similar names
        raise ValueError(f"{path} is damaged: {_TOO_LONG}") from None
    except (flags.Error, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error!s:.300}") from None
    raise ValueError(
        f"{path} has a flag of another version of this package; train "
        f"again, or delete that line. Received: {others[0]!r:.200}"
    )
