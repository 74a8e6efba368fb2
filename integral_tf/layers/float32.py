"""Layers that compute in float32, whatever type they are given."""

from __future__ import annotations

from typing import Any


class Float32:
    """Mixin: the layer's policy is float32, also where another is set.

    A coordinate in float16 steps by 1/32 pixel near x = 63, one in bfloat16 by
    1/4 pixel. ours: a policy that a caller gives to every layer of a model,
    before or after, therefore changes nothing here: what comes in is not
    rounded, and what goes out is float32, symbolic tensors included. Name it
    first among a layer's bases.
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
