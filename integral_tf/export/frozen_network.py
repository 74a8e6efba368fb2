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
from integral_tf.inference import keras_backend

# Outputs that only the export for the web has.
MAPS = ("covariance", "heatmaps")


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A network whose weights are constants.

    It is called with `images` `(batch, height, width, 3)`, float32 RGB crops of
    0..255, and returns a dict of `joints` `(batch, K, 2)` in the crop frame,
    `scores` `(batch, K)`, and the other `outputs`.

    Attributes:
        function: A `tf.ConcreteFunction`, whose graph has tensors named
            `images` and as the outputs.
        height, width: Size of the crops in pixels.
        skeleton: The `skeletons.Skeleton` of the joints.
        outputs: Names of the outputs, in order.
    """

    function: object
    height: int
    width: int
    skeleton: skeletons.Skeleton
    outputs: tuple[str, ...] = backends.OUTPUTS

    def __call__(self, images: Any) -> dict[str, tf.Tensor]:
        return dict(zip(self.outputs, self.function(images)))


def freeze(
    model: keras.Model,
    skeleton: skeletons.Skeleton,
    flip_test: bool = False,
    phases: bool = False,
    maps: bool = False,
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
        maps: Also return `heatmaps` `(batch, h, w, K)`, unnormalised, and
            `covariance` `(batch, K, 2, 2)` in square crop pixels, calibrated
            if the model is; each if the model gives it.

    Returns:
        A `Frozen`.
    """
    _, height, width, _ = model.input_shape
    names = backends.OUTPUTS
    if maps:
        model = keras_backend.with_covariance(model)
        names += tuple(name for name in MAPS if name in model.output)
    predict = folding.fold(model, phases)
    if flip_test:
        predict = flip.flipped(predict, skeleton)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, height, width, 3], tf.float32, "images")
        ],
        autograph=False,
    )
    def network(images):
        outputs = predict(images, training=False)
        return [tf.identity(outputs[name], name) for name in names]

    function = convert_to_constants.convert_variables_to_constants_v2(
        network.get_concrete_function()
    )
    return Frozen(function, height, width, skeleton, names)
