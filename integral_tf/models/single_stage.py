"""Single-stage networks: a backbone and one head. Eq. (2), (3) and (8)."""

import numbers

import keras
from keras import ops

from integral_tf import config
from integral_tf import layers
from integral_tf.models import backbone as backbones


def pose_model(
    method="I1",
    backbone="resnet50",
    joints=16,
    image_size=256,
    upsamplings=2,
    beta=1.0,
    weights=None,
    width=1.0,
    head_channels=256,
):
    """Builds the network of one row of Table 2.

    Args:
        method: `"H1"` reads the maximum of each heat map (Eq. 1), `"R1"`
            regresses points (Eq. 3), `"I1"` and `"I*"` integrate the heat map
            (Eq. 8) and differ in their losses only.
        backbone: `"resnet18"`, `"resnet50"` or `"resnet101"`.
        joints: Number K of joints.
        image_size: Side of the crop in pixels, or `(height, width)`;
            multiples of 32.
        upsamplings: Deconvolutions in the head; the map is
            `image_size / 32 * 2**upsamplings` wide.
        beta: Factor on the scores before the softmax of Eq. (5).
        weights: None, `"imagenet"`, or a `.weights.h5` file, of the backbone.
        width: Multiplies resnet18's channels.
        head_channels: Channels of each deconvolution.

    Returns:
        A `keras.Model` from RGB crops `(batch, height, width, 3)` in 0..255 to
        a dict: `joints` `(batch, K, 2)`, x and y in the crop frame, `scores`
        `(batch, K)` in [0, 1] (always 1 for R1), and, but for R1, `heatmaps`
        `(batch, h, w, K)`, unnormalised.

    Raises:
        ValueError: an argument is none of these.
    """
    if method not in config.METHODS:
        raise ValueError(
            f"`method` is a row of Table 2: {', '.join(config.METHODS)}. "
            f"Received: method={method!r}"
        )
    size = _size(image_size)
    images = keras.Input((*size, 3), name="images")
    centred = layers.ImageNetCentering(name="centering")(images)
    features = backbones.build(backbone, size, weights, width)(centred)
    if method == "R1":
        head = layers.JointHead(joints, size[::-1], name="joint_head")
        points = head(features)
        # R1 has no map to read a score from.
        outputs = {"joints": points, "scores": ops.ones_like(points[..., 0])}
    else:
        heatmaps = layers.HeatmapHead(
            joints, upsamplings, head_channels, name="heatmap_head"
        )(features)
        stride = 32 / 2**upsamplings
        if method == "H1":
            read = layers.Argmax(stride, name="argmax")
        else:
            read = layers.IntegralRegression(
                stride, beta, confidence=True, name="integral"
            )
        points = read(heatmaps)
        outputs = {
            "joints": points["joints"],
            "scores": points["confidence"],
            "heatmaps": heatmaps,
        }
    name = f"{method}_{backbone}".replace("*", "star").lower()
    return keras.Model(images, outputs, name=name)


def _size(image_size):
    """`(height, width)` from a side or a pair."""
    pair = isinstance(image_size, (tuple, list))
    size = tuple(image_size) if pair else (image_size, image_size)
    whole = all(isinstance(side, numbers.Integral) for side in size)
    if not whole or len(size) != 2 or any(s <= 0 or s % 32 for s in size):
        raise ValueError(
            "`image_size` is the crop's side, or (height, width), in "
            "multiples of 32, by which the backbone shrinks it. "
            f"Received: image_size={image_size!r}"
        )
    return tuple(int(side) for side in size)
