"""Checks of numeric arguments: returns a plain number, or raises one sentence.

Layers and losses check their arguments here, each with its own sentence.

    number    one finite number
    whole     one whole number
    several   one finite number, or a tuple of them
    stride    one positive number, or one for each axis
    cells     where a heat map's cells lie in the crop

`above` and `below` exclude their bounds, `least` and `most` include theirs. A
NumPy number, and an array of any library without axes, count as numbers; a bool
does not. Finite means finite in float32, in which the numbers are used.
"""

from __future__ import annotations

import math
import numbers
import reprlib
from typing import Any

import numpy as np

from integral_tf.signatures import Steps
from integral_tf.signatures import Stride

# Where a heat map's cell lies in the crop; see `coordinates.heatmap_to_crop`.
CELLS = ("middle", "first")
# Shortens long or deeply nested values for messages.
SHORT = reprlib.Repr()
SHORT.maxdict, SHORT.maxstring, SHORT.maxlong = 8, 80, 40
# What reading values of JSON raises where they have another form.
OTHER_FORM = (
    *(ValueError, TypeError, KeyError, AttributeError),
    *(OverflowError, RecursionError),
)
# The largest finite float32.
_LARGEST = float(np.finfo("float32").max)


def number(
    name: str,
    value: Any,
    sentence: str,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> float:
    """Requires one finite number.

    Args:
        name: Name of the argument.
        value: The argument.
        sentence: What the argument means and which values are valid. The error
            is this sentence and the value received.
        above, least, most, below: The range.

    Returns:
        The number as Python's int or float.

    Raises:
        ValueError: NaN, infinity, text, a bool, None, an array with axes, or a
            number out of range.

    Example:

    >>> number("stride", np.float32(8), "`stride` is positive.", above=0)
    8.0
    >>> number("stride", "8", "`stride` is positive.", above=0)
    Traceback (most recent call last):
    ValueError: `stride` is positive. Received: stride='8'
    """
    plain = _plain(value)
    if plain is None or not (above < plain < below and least <= plain <= most):
        raise ValueError(f"{sentence} Received: {name}={value!r}")
    return plain


def whole(
    name: str,
    value: Any,
    sentence: str,
    *,
    least: float = -math.inf,
    most: float = math.inf,
) -> int:
    """Requires one whole number; `5.0` is valid.

    Args:
        name, value, sentence, least, most: As in `number`.

    Returns:
        The number as Python's int.

    Raises:
        ValueError: as in `number`, or a fraction.
    """
    plain = number(name, value, sentence, least=least, most=most)
    if plain != int(plain):
        raise ValueError(f"{sentence} Received: {name}={value!r}")
    return int(plain)


def several(
    name: str,
    values: Any,
    sentence: str,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
) -> Steps:
    """Requires one finite number, or a tuple or list of them.

    Args:
        name, values, sentence, above, least: As in `number`.

    Returns:
        Python's int or float, or a tuple of them.

    Raises:
        ValueError: as in `number`, or an empty tuple.

    Example:

    >>> several("stride", [16, 8.0], "`stride` is positive.", above=0)
    (16, 8.0)
    """
    if not isinstance(values, (tuple, list)):
        return number(name, values, sentence, above=above, least=least)
    plain = tuple(map(_plain, values))
    right = [
        each is not None and each > above and each >= least for each in plain
    ]
    if not right or not all(right):
        raise ValueError(f"{sentence} Received: {name}={values!r}")
    return plain


def stride(value: Stride) -> Steps:
    """Requires a stride as layers and losses take it.

    Args:
        value: Crop pixels that a heat-map pixel spans: one number, or one per
            axis of the maps, in their order: (height, width).

    Returns:
        A plain number, or a tuple of them.

    Raises:
        ValueError: a stride is not positive, or not a number.
    """
    return several(
        "stride",
        value,
        "`stride` is the number of crop pixels one heat-map pixel spans, so it "
        "must be positive and finite (256 -> 32 is `stride=8`); where axes "
        "differ, there is one for each: (height, width).",
        above=0,
    )


def cells(value: str) -> str:
    """Requires one of `CELLS`.

    Raises:
        ValueError: `value` is not one of them.
    """
    if value not in CELLS:
        raise ValueError(
            "`cells` says where a heat map's cell lies in the crop: at the "
            "'middle' of the pixels that it spans, or at their 'first', as in "
            f"Simple Baselines and MMPose. Received: cells={value!r}"
        )
    return value


def _plain(value):
    """A finite number as Python's int or float; None for anything else."""
    if hasattr(value, "shape"):
        value = _scalar(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    if not abs(value) <= _LARGEST:
        return None
    return value if isinstance(value, (int, float)) else float(value)


def _scalar(array):
    """The number in an array without axes; None for an array with axes."""
    if tuple(array.shape):
        return None
    try:
        return np.asarray(array).item()
    except (TypeError, ValueError, RuntimeError, NotImplementedError):
        return None  # a symbolic tensor has no number yet
