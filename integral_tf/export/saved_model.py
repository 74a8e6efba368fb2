"""A trained network as a SavedModel that takes crops, pictures or JPEGs.

    serving_default  images (B, h, w, 3) float32 RGB crops, 0..255
    serving_uint8    the same as uint8, a quarter of the bytes
    predict_image    image (H, W, 3) uint8 RGB, and boxes (N, 4)
    predict_bytes    image_bytes, a JPEG or PNG, and boxes (N, 4)

All return `joints` (N, K, 2) and `scores` (N, K). Joints of the first two are
in crop pixels, those of the last two in image pixels; boxes are x, y, width,
height in image pixels. With OKS-NMS the last two return at most N people, the
surest first, and `kept`, the indices of their boxes.

It contains only TensorFlow's own operations; to load it needs no Python and no
package.
"""

import os
from typing import Any

import tensorflow as tf

from integral_tf import coordinates
from integral_tf.export import encoded
from integral_tf.export import pillow_crop
from integral_tf.export import suppression
from integral_tf.export.frozen_network import Frozen


class PoseServer(tf.Module):
    """The signatures of a SavedModel of a pose network.

    Every signature calls one function, the frozen network, so that its weights
    are stored once, as constants. There are no variables.

    Args:
        frozen: A `frozen_network.Frozen`.
        oks_threshold: OKS with a surer person above which a person is dropped;
            0 keeps everyone.
    """

    def __init__(self, frozen: Frozen, oks_threshold: float = 0.0) -> None:
        super().__init__(name="pose_server")
        self.network = frozen
        self.height, self.width = frozen.height, frozen.width
        self.oks_threshold = oks_threshold

    def signatures(self) -> dict[str, Any]:
        """Dict from names to signatures, for `tf.saved_model.save`."""
        crop = [None, self.height, self.width, 3]
        boxes = tf.TensorSpec([None, 4], tf.float32, "boxes")
        picture = tf.TensorSpec([None, None, 3], tf.uint8, "image")
        encoded = tf.TensorSpec([], tf.string, "image_bytes")
        arguments = {
            "serving_default": (
                self.predict_crops,
                tf.TensorSpec(crop, tf.float32, "images"),
            ),
            "serving_uint8": (
                self.predict_crops,
                tf.TensorSpec(crop, tf.uint8, "images"),
            ),
            "predict_image": (self.predict_image, picture, boxes),
            "predict_bytes": (self.predict_bytes, encoded, boxes),
        }
        return {
            name: tf.function(function, autograph=False).get_concrete_function(
                *specs
            )
            for name, (function, *specs) in arguments.items()
        }

    def predict_crops(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        shape = [None, self.height, self.width, 3]
        images = tf.ensure_shape(images, shape, name="images_shape")
        # TensorFlow's fused convolutions fail on an empty batch.
        people = tf.shape(images)[0]
        nobody = tf.cast(tf.equal(people, 0), tf.int32)
        images = tf.pad(images, [[0, nobody], [0, 0], [0, 0], [0, 0]])
        outputs = self.network(tf.cast(images, tf.float32))
        return {name: value[:people] for name, value in outputs.items()}

    def predict_image(
        self, image: tf.Tensor, boxes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        image, boxes = _checked(image, boxes)
        regions = coordinates.crop_region(
            *tf.unstack(tf.cast(boxes, tf.float64), axis=1),
            self.width / self.height,
            tf.maximum,
        )
        images = tf.map_fn(
            lambda region: pillow_crop.cut(
                image, region, self.height, self.width
            ),
            regions,
            fn_output_signature=tf.TensorSpec(
                [self.height, self.width, 3], tf.float32
            ),
        )
        people = self.predict_crops(images)
        joints = self._in_image(people["joints"], regions)
        if not self.oks_threshold:
            return {"joints": joints, "scores": people["scores"]}
        kept = suppression.oks_nms(
            joints,
            tf.reduce_mean(people["scores"], axis=1),
            tf.cast(regions[2] * regions[3], tf.float32),
            self.network.skeleton,
            self.oks_threshold,
        )
        return {
            "joints": tf.gather(joints, kept),
            "scores": tf.gather(people["scores"], kept),
            "kept": kept,
        }

    def _in_image(self, joints, regions):
        """Maps joints from the crop frame to the image frame."""
        x, y, w, h = regions
        axes = (
            coordinates.side_to_pixels(x, w, self.width),
            coordinates.side_to_pixels(y, h, self.height),
        )
        points = tf.cast(joints, tf.float64)
        placed = [
            points[..., axis] * factor[:, None] + offset[:, None]
            for axis, (factor, offset) in enumerate(axes)
        ]
        return tf.cast(tf.stack(placed, axis=-1), tf.float32)

    def predict_bytes(
        self, image_bytes: tf.Tensor, boxes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return self.predict_image(encoded.read(image_bytes), boxes)


def _checked(image, boxes):
    """Returns image and boxes; the graph raises if they are not valid."""
    image = tf.ensure_shape(image, [None, None, 3], name="image_shape")
    boxes = tf.ensure_shape(boxes, [None, 4], name="boxes_shape")
    image = encoded.required(
        tf.reduce_all(tf.shape(image) > 0),
        image,
        "`image` is (height, width, 3) uint8 RGB, not empty. Received: shape",
        tf.shape(image),
    )
    sound = tf.abs(boxes) < coordinates.LARGEST_BOX
    sound = tf.reduce_all(sound, axis=1)
    sound &= tf.reduce_all(boxes[:, 2:] > 0, axis=1)
    boxes = encoded.required(
        tf.reduce_all(sound),
        boxes,
        "`boxes` are (N, 4): x, y, width and height in image pixels, with "
        f"a positive size, below {coordinates.LARGEST_BOX:.0f}. Received:",
        tf.boolean_mask(boxes, ~sound),
    )
    return image, boxes


def write(
    frozen: Frozen, folder: str | os.PathLike, oks_threshold: float = 0.0
) -> None:
    """Writes a SavedModel.

    Args:
        frozen: A `frozen_network.Frozen`.
        folder: Folder to write.
        oks_threshold: As in `PoseServer`.
    """
    server = PoseServer(frozen, oks_threshold)
    save(server, folder, server.signatures())


def save(
    module: tf.Module, folder: str | os.PathLike, signatures: dict[str, Any]
) -> None:
    """`tf.saved_model.save` without custom gradients."""
    # TensorFlow cannot write the integral's custom gradient of a frozen
    # network, and nobody trains one.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures, options)
