"""Finds and names what is not finite in a step: a loss or a gradient.

ours: the sum of its absolute values stands for a gradient. The sum is
finite if and only if every value is, short of 1e38; a sum of squares would
overflow at 1e19.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf


def sizes(
    gradients: Sequence[tf.Tensor | None],
    optimizer: keras.optimizers.Optimizer,
) -> tf.Tensor:
    """The size of each gradient of a step, in the device's memory.

    Args:
        gradients: A gradient for each trainable variable; None for a variable
            that the loss does not depend on.
        optimizer: The optimizer. One that scales the loss leaves out a step
            with an overflow, and halves its scale: such gradients count as
            good until the scale is 1.

    Returns:
        `(V,)` float32 sums of absolute values.
    """
    sums = [
        tf.reduce_sum(tf.abs(tf.cast(each, tf.float32)))
        if each is not None
        else tf.zeros([])
        for each in gradients
    ]
    found = tf.stack(sums)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        at_end = tf.cast(optimizer.dynamic_scale, tf.float32) <= 1.0
        return tf.where(at_end, found, tf.zeros_like(found))
    return found


def loss(costs: dict[str, float]) -> str:
    """Names a loss that is not finite; empty if all are finite.

    Args:
        costs: Dict from a loss's name to its value, their sum first.
    """
    for name in reversed(costs):  # the single losses before their sum
        if not math.isfinite(costs[name]):
            return f"The {name} loss is {costs[name]}"
    return ""


def gradient(found: np.ndarray, variables: Sequence[keras.Variable]) -> str:
    """Names the variables whose gradient is not finite; empty if all are.

    Args:
        found: `(V,)` from `sizes`.
        variables: The trainable variables.
    """
    bad = np.flatnonzero(~np.isfinite(found))
    if not bad.size:
        return ""
    names = ", ".join(variables[i].path for i in bad[:3])
    more = f" and of {bad.size - 3} more" if bad.size > 3 else ""
    return f"The gradient of {names}{more} is not finite"


def people(names: np.ndarray) -> str:
    """The first of a batch's people, and the number of the others.

    Args:
        names: `(B,)` source_ids as bytes.
    """
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return b", ".join(names[:8]).decode(errors="replace") + more
