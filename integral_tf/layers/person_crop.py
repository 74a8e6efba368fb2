"""Augmentation and cropping on the device: Section 6.1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import former
from integral_tf.keras_version import keras
from integral_tf.keras_version import ops
from integral_tf.layers import float32
from integral_tf.ops import half_body
from integral_tf.ops import warp
from integral_tf.signatures import Tensor


@keras.saving.register_keras_serializable(package="integral_tf")
class PersonCrop(float32.Float32, keras.layers.Layer):
    """Crops the person out of each window, randomly turned, scaled, mirrored.

    Turning, scaling and mirroring are one affine map: the pixels are resampled
    once, and the joints are moved by the same map. In inference
    (`training=False`) nothing is random: the crop is the person's box, enlarged
    by `box_margin`.

    Args:
        height: Height of the crop in pixels.
        width: Width of the crop in pixels.
        mirrored_order: `skeletons.Skeleton.mirrored_order`. A mirrored left
            wrist looks like a right wrist, so the joints trade places.
        rotation: Largest turn in degrees; uniform in both directions.
        scale: Largest relative change of the crop's side; uniform.
        flip: Mirror half of the people.
        box_margin: Factor that enlarges the person's box.
        half_body: Share of the people with enough joints whose crop is around
            the upper or the lower half of their joints in place of the box, as
            `ops.half_body` says.
        upper_body: Positions of the joints of the upper half, `halves.upper`;
            the others are of the lower half. Needed if `half_body` is above 0.
        seed: Seed of the random numbers, for calls without `draws`.
        **kwargs: Base layer keyword arguments, such as `name`.

    Call arguments:
        people: Dict of `windows` `(B, H, W, 3)` uint8 or float RGB, `boxes`
            `(B, 4)` x, y, width, height and `joints` `(B, K, 2)` in the
            window frame, and `visible` `(B, K)`. Optional `draws` `(B, 3)` and,
            for `half_body`, `halves` `(B, 2)`, uniform in [0, 1), replace the
            layer's own random numbers, so that a batch is augmented alike on
            any number of devices.
        training: Whether to augment.

    Returns:
        Dict of `images` `(B, height, width, 3)` float32 RGB in 0..255,
        `joints` `(B, K, 2)` in the crop frame, `visible` `(B, K)`, 0 where
        the joint is outside the crop, `labels` `(B, K, 3)`, which join the two
        as the losses' `y_true`, and `to_window` `(B, 2, 3)`, the affine map
        from crop to window.

    Raises:
        ValueError: an argument is out of range or no finite number, or
            `mirrored_order` does not name every joint once, or `upper_body`
            does not name some of the joints.

    Reference:
        Section 6.1: "random rotation (+-30 degrees), scaling (+-25%) and
        flip".
    """

    def __init__(
        self,
        height: int,
        width: int,
        mirrored_order: Sequence[int],
        *,
        rotation: float = 30.0,
        scale: float = 0.25,
        flip: bool = True,
        box_margin: float = coordinates.BOX_MARGIN,
        half_body: float = 0.0,
        upper_body: Sequence[int] = (),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Windows stay uint8 until they are sampled.
        super().__init__(autocast=False, **kwargs)
        size = (
            "`height` and `width` are the crop's pixels, whole numbers from 1."
        )
        self.height = checks.whole("height", height, size, least=1)
        self.width = checks.whole("width", width, size, least=1)
        self.mirrored_order = _checked_order(mirrored_order)
        self.rotation = checks.number(
            "rotation",
            rotation,
            "`rotation` is the largest turn either way in degrees, from 0.",
            least=0,
        )
        self.scale = checks.number(
            "scale",
            scale,
            "`scale` is the largest share by which the crop's side grows or "
            "shrinks, from 0 to below 1.",
            least=0,
            below=1,
        )
        self.flip = flip
        self.box_margin = checks.number(
            "box_margin",
            box_margin,
            "`box_margin` is the factor by which a person's box is enlarged, "
            "above 0.",
            above=0,
        )
        self.half_body = checks.number(
            "half_body",
            half_body,
            "`half_body` is the share of the people of whom half is cropped, "
            "from 0 to 1.",
            least=0,
            most=1,
        )
        self.upper_body = _checked_half(
            upper_body, len(self.mirrored_order), self.half_body > 0
        )
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(
        self, people: Mapping[str, Tensor], training: bool = False
    ) -> dict[str, Tensor]:
        boxes = ops.cast(people["boxes"], "float32")
        joints = ops.cast(people["joints"], "float32")
        visible = ops.cast(people["visible"], "float32")
        turn, zoom, mirrored = self._draw(people, boxes, training)
        if training and self.half_body:
            boxes = half_body.boxes(
                boxes,
                joints,
                visible,
                self._numbers(people, "halves", 2),
                upper=self.upper_body,
                probability=self.half_body,
            )
        to_window = warp.crop_affine(
            boxes,
            self.height,
            self.width,
            angle=turn,
            zoom=zoom,
            mirrored=mirrored,
            margin=self.box_margin,
        )
        joints = warp.transform(warp.invert(to_window), joints)
        joints = self._exchange_sides(joints, mirrored[:, None, None])
        visible = self._exchange_sides(visible, mirrored[:, None])
        extent = ops.convert_to_tensor([self.width, self.height], "float32")
        inside = ops.all(coordinates.inside(joints, extent), axis=-1)
        visible = visible * ops.cast(inside, "float32")
        return {
            "images": warp.bilinear(
                people["windows"], to_window, self.height, self.width
            ),
            "joints": joints,
            "visible": visible,
            "labels": ops.concatenate([joints, visible[..., None]], axis=-1),
            "to_window": to_window,
        }

    def _draw(self, people, boxes, training):
        """Each person's angle in radians, zoom, and 1 if mirrored: `(B,)`."""
        still = ops.zeros_like(boxes[:, 0])
        if not training:
            return still, still + 1.0, still
        draws = self._numbers(people, "draws", 3)
        turn = (2 * draws[:, 0] - 1) * math.radians(self.rotation)
        # `scale` is a change of the crop's side, not of the person: windows of
        # the records have room for 1.25 of that side.
        zoom = 1 / (1 + (2 * draws[:, 1] - 1) * self.scale)
        mirrored = ops.cast(draws[:, 2] < 0.5, "float32") * float(self.flip)
        return turn, zoom, mirrored

    def _numbers(self, people, name, count):
        """The people's own random numbers, or new ones: `(B, count)`."""
        given = people.get(name)
        if given is not None:
            return given
        shape = (ops.shape(people["boxes"])[0], count)
        return keras.random.uniform(shape, seed=self.seed_generator)

    def _exchange_sides(self, values, mirrored):
        other = ops.take(values, self.mirrored_order, axis=1)
        return ops.where(mirrored > 0, other, values)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "mirrored_order": self.mirrored_order,
            "rotation": self.rotation,
            "scale": self.scale,
            "flip": self.flip,
            "box_margin": self.box_margin,
            "half_body": self.half_body,
            "upper_body": self.upper_body,
            "seed": self.seed,
        }


def _checked_order(order):
    """The order as a list of plain ints, each joint once."""
    sentence = (
        "`mirrored_order` has the place of each joint's other side, every "
        "joint once: `skeletons.Skeleton.mirrored_order`."
    )
    places = [checks.whole("mirrored_order", each, sentence) for each in order]
    if sorted(places) != list(range(len(places))):
        raise ValueError(f"{sentence} Received: mirrored_order={order!r}")
    return places


def _checked_half(half, joints, is_needed):
    """The positions as a list of plain ints: some of the joints, not all."""
    sentence = (
        "`upper_body` has the places of the joints of the upper half, some of "
        "the joints and not all: `halves.upper(skeleton)`."
    )
    places = [checks.whole("upper_body", each, sentence) for each in half]
    known = set(places) < set(range(joints))
    once = len(set(places)) == len(places)
    if not (known and once and (places or not is_needed)):
        raise ValueError(f"{sentence} Received: upper_body={half!r}")
    return places


__getattr__ = former.names(__name__)
