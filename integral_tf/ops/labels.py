"""Labels of joints, as the losses, the metric and `calibrate` take them.

A joint's label is D coordinates, x first, and its visibility. A joint counts if
its visibility is above 0: COCO's 1 and 2 count alike. A joint whose visibility
is 0, negative or NaN does not count, and its coordinates may be anything.

Shape letters: B batch, K joints, D spatial dimensions.
"""

from __future__ import annotations

import numpy as np

from integral_tf.keras_version import ops
from integral_tf.signatures import Shape
from integral_tf.signatures import Tensor

AXES = {1: "x", 2: "x, y", 3: "x, y, z"}


def parted(
    y_true: Tensor, batch: int | None, joints: int | None, dimensions: int
) -> tuple[Tensor, Tensor]:
    """Checks labels, and separates points from visibility.

    Args:
        y_true: `(B, K, D + 1)` of any number type.
        batch: B of the predictions; None where it is not known.
        joints: K of the predictions; None where it is not known.
        dimensions: D of the predictions; None where it is not known.

    Returns:
        `(B, K, D)` float32 points, 0 where a joint does not count, even if
        `y_true` is NaN there; and `(B, K)` float32, 1 where a joint counts.

    Raises:
        ValueError: another shape, as far as shapes are known.
    """
    y_true = _checked(y_true, (batch, joints, dimensions + 1))
    y_true = ops.cast(y_true, "float32")
    counts = y_true[..., dimensions:] > 0
    points = ops.where(counts, y_true[..., :dimensions], 0.0)
    return points, ops.cast(counts[..., 0], "float32")


def size_of_points(y_pred: Tensor) -> Shape:
    """B, K and D of predicted points; each None where it is not known.

    Raises:
        ValueError: the shape is not `(B, K, D)` with D of 1, 2 or 3.
    """
    shape = static_shape(y_pred)
    if shape is None or len(shape) != 3 or shape[-1] not in AXES:
        raise ValueError(
            "`y_pred` is (batch, joints, 2), x and y of each joint, or x alone "
            "of lines and x, y, z of volumes. Received: y_pred.shape="
            f"{_said(shape)}; did you pass the heat maps?"
        )
    return shape


def weights(
    sample_weight: Tensor | None, batch: int | None, joints: int | None
) -> Tensor | None:
    """Checks the weights of people or of joints.

    Args:
        sample_weight: None, a number, `(B,)`, `(B, 1)` or `(B, K)`.
        batch: B; None where it is not known.
        joints: K; None where it is not known.

    Returns:
        None, or a float32 tensor of one of these shapes. `(B, 1)` holds
        weights of people, even where K is 1.

    Raises:
        ValueError: another shape, as far as shapes are known.
    """
    if sample_weight is None:
        return None
    sample_weight = ops.cast(sample_weight, "float32")
    shape = static_shape(sample_weight)
    right = ((), (batch,), (batch, 1), (batch, joints))
    if shape is not None and not any(fits(shape, each) for each in right):
        raise ValueError(
            "`sample_weight` is (batch,), a weight of each person, or (batch, "
            f"joints), one of each joint, here {_said(right[-1])}. "
            f"Received: sample_weight.shape={_said(shape)}"
        )
    return sample_weight


def of_joints(sample_weight: Tensor | None) -> bool:
    """Whether checked weights are one for each joint."""
    shape = sample_weight is not None and static_shape(sample_weight)
    return bool(shape) and len(shape) == 2 and shape[1] not in (1, None)


def refuse_ragged(y_true: Tensor) -> None:
    """Requires a row for every joint of every person.

    Raises:
        ValueError: `y_true` is a RaggedTensor.
    """
    if type(y_true).__name__ == "RaggedTensor":
        raise ValueError(
            "Labels have a row for every joint of every person, with "
            "visibility 0 where a joint is not labelled. Received: a "
            f"RaggedTensor of shape {tuple(y_true.shape)}"
        )


def static_shape(tensor: Tensor) -> Shape | None:
    """A shape, None for each unknown length; None if the rank is unknown."""
    try:
        return tuple(
            tensor.shape if hasattr(tensor, "shape") else np.shape(tensor)
        )
    except ValueError:  # a TensorFlow tensor without a rank, uneven lists
        return None


def fits(shape: Shape, wanted: Shape) -> bool:
    """Whether two shapes agree as far as both are known."""
    return len(shape) == len(wanted) and all(
        None in pair or pair[0] == pair[1] for pair in zip(shape, wanted)
    )


def _checked(y_true, wanted):
    """The labels, after a check that their shape is `wanted`."""
    refuse_ragged(y_true)
    shape = static_shape(y_true)
    if shape is None or (fits(shape, wanted) and None in shape[1:]):
        return _checked_later(y_true, wanted)
    if fits(shape, wanted):
        return y_true
    batch, joints, columns = wanted
    axes = AXES[columns - 1]
    hint = ""
    if fits(shape, (None, joints, columns - 1)):
        hint = "; append a column of ones where every joint is labelled"
    elif joints != columns and fits(shape, (batch, columns, joints)):
        hint = "; transpose the last two axes"
    raise ValueError(
        f"`y_true` is (batch, joints, {columns}), here {_said(wanted)}: {axes} "
        f"of each joint, and its visibility, above 0 where labelled{hint}. "
        f"Received: y_true.shape={_said(shape)}"
    )


def _checked_later(y_true, wanted):
    """Lets TensorFlow check a shape that is known only when the graph runs."""
    if not type(y_true).__module__.startswith("tensorflow"):
        return y_true
    import tensorflow as tf

    return tf.ensure_shape(
        y_true, wanted, name="y_true_is_joints_and_visibility"
    )


def _said(shape):
    if shape is None:
        return "unknown"
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
