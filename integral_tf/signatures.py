"""What the package's signatures call the things that come and go.

These are for readers, editors and type checkers; nothing is checked by them.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "ArrayLike",
    "Axes",
    "Numbers",
    "Path",
    "Shape",
    "Steps",
    "Stride",
    "Tensor",
]

# An array of Keras's backend, or what that makes one of: NumPy's, nested lists.
Tensor = Any
# Lengths of axes: None where one is not known, or a tensor that will know it.
Shape = tuple[Any, ...]
# Which axes of a tensor.
Axes = tuple[int, ...]
# Numbers that can be counted.
Numbers = Sequence[float] | np.ndarray
# Crop pixels that a heat-map pixel spans. A caller gives one number, or one for
# each axis in a tuple or list; kept is the number or a tuple.
Stride = float | Sequence[float]
Steps = float | tuple[float, ...]
Path = str | os.PathLike[str]
