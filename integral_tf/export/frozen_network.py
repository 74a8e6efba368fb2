"""A trained network as one frozen function: what every format is made from."""

import dataclasses

import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from integral_tf import skeletons
from integral_tf.export import folding
from integral_tf.inference import backends
from integral_tf.inference import flip


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A network whose weights are constants.

    Calling it takes `images` `(batch, height, width, 3)` float32 RGB in 0..255
    to a dict of `joints` `(batch, K, 2)` in the crop frame and `scores`
    `(batch, K)`.

    Attributes:
        function: A `tf.ConcreteFunction`; its graph has tensors of those names.
        height, width: Of the crops, in pixels.
        skeleton: The `skeletons.Skeleton` of the joints.
    """

    function: object
    height: int
    width: int
    skeleton: skeletons.Skeleton

    def __call__(self, images):
        return dict(zip(backends.OUTPUTS, self.function(images)))


def freeze(model, skeleton, flip_test=False, phases=False):
    """Turns a pose model into a function whose weights are constants.

    Constants let a runtime prepare them once: on a CPU the frozen network is
    faster than one that reads variables. Converters, too, read constants where
    some leave variables behind.

    Args:
        model: A `pose_model`.
        skeleton: The `skeletons.Skeleton` of its joints.
        flip_test: Average each person with its mirror image, inside.
        phases: As of `folding.fold`: what TensorFlow itself will run.

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
