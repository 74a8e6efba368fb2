"""What a setting is: a default, its help text, and the values that it may have.

A config is a frozen dataclass of such fields that inherits from `Checked`, so
that a value out of range is refused before anything is built, whether a flag,
a flag file or Python gave it.
"""

import dataclasses
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import app


def setting(
    default: Any,
    doc: str,
    choices: Sequence[str] | None = None,
    *,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    below: float | None = None,
) -> Any:
    """A dataclass field that carries its flag's help text and its range.

    Args:
        default: Its type is the setting's: bool, int, float or str.
        doc: Help text of the flag.
        choices: The texts that it may be, if not any.
        low: Least value; `above` excludes it. A number without either may be
            any that is finite.
        above: The value is above this one.
        high: Largest value; `below` excludes it.
        below: The value is below this one.
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
    }
    return dataclasses.field(default=default, metadata=metadata)


def parse(arguments: Sequence[str]) -> list[str]:
    """Parses a command's flags, as absl does, for `app.run`.

    Raises:
        SystemExit: a flag is wrong, or a flag file is no text.
    """
    try:
        return app.parse_flags_with_usage(arguments)
    except UnicodeDecodeError as error:
        given = [each for each in arguments if "flagfile" in each]
        raise SystemExit(
            f"A flag file is text, a flag per line, and this one is none "
            f"({error.reason}). Received: {' '.join(given)}"
        ) from None


class Checked:
    """A dataclass of settings whose values are checked when it is made.

    Raises:
        ValueError: a value is of another type, or out of its range.
    """

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not _holds(field, value):
                raise ValueError(
                    f"--{field.name} is {_allowed(field)}. "
                    f"Received: --{field.name}={value}"
                )


# Of float32, which is computed with.
_LARGEST = float(np.finfo("float32").max)
_WITHIN = {
    "at least": lambda value, bound: value >= bound,
    "above": lambda value, bound: np.float32(value) > bound,
    "at most": lambda value, bound: value <= bound,
    "below": lambda value, bound: np.float32(value) < bound,
}


def _holds(field, value):
    kind, metadata = type(field.default), field.metadata
    if kind is str:
        # A flag file has one line for each.
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


def _allowed(field):
    """What a setting may be, in words."""
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
