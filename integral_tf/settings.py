"""Settings: dataclass fields with a default, a help text and a range.

A config is a frozen dataclass of such fields that inherits from `Checked`. It
refuses a value out of range before anything is built, from a flag, a flag file
or Python.
"""

import dataclasses
import numbers
import struct
from collections.abc import Sequence
from typing import Any

from integral_tf import former as former_names


def setting(
    default: Any,
    doc: str,
    choices: Sequence[str] | None = None,
    *,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    below: float | None = None,
    required: bool = False,
    main: bool = False,
    place: int = 0,
    former: str = "",
) -> Any:
    """A dataclass field that carries its flag's help text and range.

    Args:
        default: The default, whose type is the setting's: bool, int, float or
            str.
        doc: Help text of the flag.
        choices: The valid texts; None for any text.
        low: Least valid number. Without bounds any finite number is valid.
        above: Bound that valid numbers exceed.
        high: Largest valid number.
        below: Bound that valid numbers stay under.
        required: A command needs the flag; Python may leave it out.
        main: The command's help shows the flag first.
        place: Position, from 1, of a word on the command line that may give
            this setting without the flag's name; 0 for none.
        former: The setting's name before 0.2, which is still taken. Its class
            is decorated with `with_former_names`.
    """
    bounds = {
        "at least": low,
        "above": above,
        "at most": high,
        "below": below,
    }
    metadata = {
        "doc": doc,
        "choices": choices,
        "bounds": {k: v for k, v in bounds.items() if v is not None},
        "required": required,
        "main": main or required,
        "place": place,
        "former": former,
    }
    return dataclasses.field(default=default, metadata=metadata)


def with_former_names(config_class: type) -> type:
    """Decorates a dataclass of settings that takes settings' former names."""
    now = {
        field.metadata["former"]: field.name
        for field in dataclasses.fields(config_class)
        if field.metadata["former"]
    }
    made = former_names.arguments(**now)(config_class.__init__)
    config_class.__init__ = made
    return config_class


class Checked:
    """Base class of configs; checks every value when a config is made.

    Raises:
        ValueError: a value has the wrong type, or is out of its range.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not _holds(field, value):
                raise ValueError(
                    f"--{field.name} is {allowed(field)}. "
                    f"Received: --{field.name}={value}"
                )


# The largest float32, since computations are in float32. Without NumPy: --help
# imports this file and must be fast.
_LARGEST = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]


def _rounded(value):
    return struct.unpack("f", struct.pack("f", value))[0]


_WITHIN = {
    "at least": lambda value, bound: value >= bound,
    "above": lambda value, bound: _rounded(value) > bound,
    "at most": lambda value, bound: value <= bound,
    "below": lambda value, bound: _rounded(value) < bound,
}


def _holds(field, value):
    kind, metadata = type(field.default), field.metadata
    if kind is str:
        # A flag file has one line per flag.
        one_line = "\n" not in str(value) and "\r" not in str(value)
        return one_line and value in (metadata["choices"] or (value,))
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    wanted = numbers.Integral if kind is int else numbers.Real
    return (
        isinstance(value, wanted)
        and abs(value) <= _LARGEST
        and all(
            _WITHIN[name](value, bound)
            for name, bound in metadata["bounds"].items()
        )
    )


def listed(text: str) -> list[str]:
    """The names in a text that separates them by commas.

    >>> listed("onnx, web,")
    ['onnx', 'web']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def allowed(field: dataclasses.Field) -> str:
    """The valid values of a setting, in words."""
    kind, metadata = type(field.default), field.metadata
    if metadata["choices"]:
        return f"one of {', '.join(metadata['choices'])}"
    if kind is str:
        return "one line of text"
    if kind is bool:
        return "true or false"
    bounds = [f"{name} {bound}" for name, bound in metadata["bounds"].items()]
    what = "a whole number" if kind is int else "a finite number"
    return f"{what} {' and '.join(bounds)}".strip()
