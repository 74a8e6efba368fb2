"""Random numbers: uniform between two bounds, or normal around a mean."""

from __future__ import annotations

from typing import Any
from typing import NamedTuple

import numpy as np

Shape = int | tuple[int, ...] | None


class Between(NamedTuple):
    """A uniform distribution from `low` to `high`."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator, shape: Shape = None) -> Any:
        """A number or, given a `shape`, an array."""
        return rng.uniform(self.low, self.high, shape)


class Around(NamedTuple):
    """A normal distribution."""

    mean: float
    deviation: float

    def draw(self, rng: np.random.Generator, shape: Shape = None) -> Any:
        """A number or, given a `shape`, an array."""
        return rng.normal(self.mean, self.deviation, shape)
