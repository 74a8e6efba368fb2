"""Type names for the package's signatures.

They are for readers, editors and type checkers; no code checks them.
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

# An array of Keras's backend, or anything that `convert_to_tensor` takes, such
# as a NumPy array or nested lists.
Tensor = Any
# Lengths of axes; an unknown one is None or a scalar tensor.
Shape = tuple[Any, ...]
# Indices of a tensor's axes.
Axes = tuple[int, ...]
# Numbers with a length.
Numbers = Sequence[float] | np.ndarray
# Crop pixels that a heat-map pixel spans, as a caller gives them: one number,
# or one per axis.
Stride = float | Sequence[float]
# The same as a layer keeps them.
Steps = float | tuple[float, ...]
Path = str | os.PathLike[str]
