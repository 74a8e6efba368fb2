"""Parameters and operations of a network, as Tables 3, 4 and 7 count them.

A network is counted part by part for one image, in two readings, `as built` and
`the paper's`, which `integral-tf complexity --help` explains.
"""

import dataclasses
import functools
import math
import re

import keras

from integral_tf import former
from integral_tf import layers
from integral_tf.models import backbone as backbones
from integral_tf.models import methods

_MULTIPLYING = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.Dense,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
_NORM = keras.layers.BatchNormalization
# The only activations of the paper's backbones.
_RELU = (keras.layers.ReLU, keras.layers.Activation)


@dataclasses.dataclass(frozen=True)
class Part:
    """The size and cost per image of one part of a network.

    Args:
        name: Name of the part.
        parameters: Number of weights, trained or not.
        published: Parameters as the paper counts them, those of an ImageNet
            classifier: kernels and two per normalised channel of the backbone,
            and the 1000-way layer; no head.
        macs: Multiply-accumulates.
        elements: Outputs of batch normalisations and ReLUs.
    """

    name: str
    parameters: int = 0
    published: int = 0
    macs: int = 0
    elements: int = 0

    @property
    def operations(self):
        """The paper's FLOPs."""
        return self.macs + self.elements


def count(model):
    """Counts a network of `pose_model`, or a backbone, part by part.

    Args:
        model: A built `keras.Model` with a fixed image size, channels last.

    Returns:
        List of `Part`, in the model's order: conv1 to conv5, or, with several
        stages, `conv1_to_conv3` and each `stage{n}_conv4_conv5`, or the whole
        of a backbone that is no ResNet of the paper; the heads; and the layers
        that read joints from maps, which count as 0.

    Raises:
        ValueError: a layer of an unknown kind has parameters.
    """
    leaves = {}
    for leaf in _leaves(model):
        leaves.setdefault(leaf.name, []).append(leaf)
    parts = [total(of_part, name) for name, of_part in leaves.items()]
    counted = total(parts).parameters
    if counted != _parameters(model):
        raise ValueError(
            "Only networks of `pose_model` are counted, and this one has "
            f"layers of other kinds. Received: model={model.name!r} of "
            f"{_parameters(model)} parameters, {counted} of them known"
        )
    return parts


def total(parts, name="total"):
    """The sum of parts, as one `Part`."""
    sums = (
        sum(getattr(part, field.name) for part in parts)
        for field in dataclasses.fields(Part)[1:]
    )
    return Part(name, *sums)


@functools.cache
def readings(model_config, joints):
    """Builds a configuration's network and counts it in both readings.

    Args:
        model_config: A `config.ModelConfig`.
        joints: Number K of joints.

    Returns:
        `(built, papers)`, two tuples of `Part`s of the same names. `parameters`
        and `macs` are to be read from `built`. `published` and `operations`
        are to be read from `papers`, whose strides are on the 3 x 3
        convolutions. Both end in the 1000-way layer, where only `published` is
        not 0.

    Raises:
        ValueError: the configuration is not that of a network.
    """
    built = papers = methods.of_config(model_config, joints)
    strided = dataclasses.replace(model_config, bottleneck_stride="3x3")
    # The others have no such choice; ResNet-18's are on 3 x 3 convolutions.
    has_choice = model_config.backbone in backbones.BOTTLENECKS
    if has_choice and model_config != strided:
        papers = methods.of_config(strided, joints)
    return tuple(
        (*count(model), _classifier(model)) for model in (built, papers)
    )


def _leaves(model, name=None):
    """A `Part` for each layer, with the name of the part it belongs to."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            is_backbone = layer.name in backbones.CONV3
            yield from _leaves(layer, None if is_backbone else layer.name)
        elif isinstance(layer, layers.HeatmapHead):
            yield from _heatmap_head(layer)
        elif isinstance(layer, layers.JointHead):
            dense, channels = layer.dense, layer.input.shape[-1]
            shapes = (None, channels), (None, dense.units)
            yield _leaf(layer.name, dense, *shapes, published=False)
        elif isinstance(layer, layers.AxisHead):
            _, height, width, joints = layer.input.shape
            for dense in layer.lines.values():
                shapes = (
                    (None, joints, height * width),
                    (None, joints, dense.units),
                )
                yield _leaf(layer.name, dense, *shapes, published=False)
        elif isinstance(layer, (layers.Argmax, layers.IntegralRegression)):
            yield Part(layer.name, _parameters(layer))
        elif isinstance(layer, (*_MULTIPLYING, _NORM, *_RELU)):
            stage = re.match(r"conv\d(?=_)", layer.name)
            part = name or (stage.group() if stage else layer.name)
            yield _leaf(part, layer, layer.input.shape, layer.output.shape)
        elif layer.weights and all(len(w.shape) == 1 for w in layer.weights):
            # A normalisation or a scale of channels multiplies no matrix.
            yield Part(name or layer.name, _parameters(layer))


def _parameters(model):
    """The number of parameters, without calibrated numbers."""
    weights = layers.network_weights(model)
    return sum(math.prod(weight.shape) for weight in weights)


def _heatmap_head(head):
    """A `Part` for each layer inside a `HeatmapHead`."""
    shape = head.input.shape
    for deconvolution, norm in zip(head.deconvolutions, head.norms):
        before, shape = shape, deconvolution.compute_output_shape(shape)
        # The head applies ReLU as an operation, not as a layer.
        for layer in (deconvolution, norm, keras.layers.ReLU()):
            yield _leaf(head.name, layer, before, shape, published=False)
    yield _leaf(head.name, head.score, shape, head.output.shape, False)


def _leaf(name, layer, before, after, published=True):
    """A layer's `Part`, from the shapes of its input and its output."""
    known = macs = elements = 0
    if isinstance(layer, _MULTIPLYING):
        known = sum(math.prod(kernel.shape) for kernel in _kernels(layer))
        # A weight is used once per output pixel; in a deconvolution, once per
        # input pixel.
        spread = isinstance(layer, keras.layers.Conv2DTranspose)
        macs = math.prod((before if spread else after)[1:-1]) * known
    else:
        known = 2 * after[-1] if isinstance(layer, _NORM) else 0
        elements = math.prod(after[1:])
    parameters = layer.count_params()
    return Part(name, parameters, known if published else 0, macs, elements)


def _kernels(layer):
    if isinstance(layer, keras.layers.SeparableConv2D):
        return layer.depthwise_kernel, layer.pointwise_kernel
    return (layer.kernel,)


def _classifier(model):
    """The 1000-way layer of an ImageNet classifier on these features."""
    heads = (layers.HeatmapHead, layers.JointHead)
    head = next(layer for layer in model.layers if isinstance(layer, heads))
    return Part("1000-way layer", published=(head.input.shape[-1] + 1) * 1000)


__getattr__ = former.names(__name__)
