"""Layers that compute in float32, whatever the type of their input."""

from __future__ import annotations

from typing import Any


class Float32:
    """Mixin that keeps a layer's dtype policy at float32.

    Near x = 63 neighbouring coordinates are 1/32 pixel apart in float16, and
    1/4 pixel in bfloat16. ours: a caller's policy for all layers of a model,
    such as mixed_float16, is ignored here. Inputs are not rounded, and outputs
    are float32, symbolic tensors included. The mixin must be the first base of
    a layer.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs["dtype"] = "float32"
        super().__init__(**kwargs)

    @property
    def dtype_policy(self) -> Any:
        return super().dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        pass
