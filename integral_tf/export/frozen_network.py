"""A trained network as one frozen function; every format is made from it."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from integral_tf import skeletons
from integral_tf.export import folding
from integral_tf.inference import backends
from integral_tf.inference import flip


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A network whose weights are constants.

    It is called with `images` `(batch, height, width, 3)`, float32 RGB crops of
    0..255, and returns a dict of `joints` `(batch, K, 2)` in the crop frame and
    `scores` `(batch, K)`.

    Attributes:
        function: A `tf.ConcreteFunction`, whose graph has tensors named
            `images`, `joints` and `scores`.
        height, width: Size of the crops in pixels.
        skeleton: The `skeletons.Skeleton` of the joints.
    """

    function: object
    height: int
    width: int
    skeleton: skeletons.Skeleton

    def __call__(self, images: Any) -> dict[str, tf.Tensor]:
        return dict(zip(backends.OUTPUTS, self.function(images)))


def freeze(
    model: keras.Model,
    skeleton: skeletons.Skeleton,
    flip_test: bool = False,
    phases: bool = False,
) -> Frozen:
    """Turns a pose model into a function whose weights are constants.

    A runtime prepares constants once, so that on a CPU the frozen network is
    faster than one that reads variables. Some converters lose variables.

    Args:
        model: A `pose_model`.
        skeleton: The `skeletons.Skeleton` of its joints.
        flip_test: Include the flip test, which averages each person with its
            mirror image (Section 6.1).
        phases: Rewrite the head's deconvolutions as convolutions, for
            TensorFlow's CPU kernels; see `folding.fold`.

    Returns:
        A `Frozen`.
    """
    _, height, width, _ = model.input_shape
    predict = folding.fold(model, phases)
    if flip_test:
        predict = flip.flipped(predict, skeleton)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, height, width, 3], tf.float32, "images")
        ]
    )
    def network(images):
        outputs = predict(images, training=False)
        return [tf.identity(outputs[name], name) for name in backends.OUTPUTS]

    function = convert_to_constants.convert_variables_to_constants_v2(
        network.get_concrete_function()
    )
    return Frozen(function, height, width, skeleton)
