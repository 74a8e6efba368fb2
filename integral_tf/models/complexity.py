"""Parameters and operations of a network, for Tables 3, 4 and 7.

One configuration is counted part by part (`report`); a table's rows stand
beside what the paper prints (`table`). Both count one image, in two readings,
`as built` and `the paper's`, which `integral-tf complexity --help` explains.
"""

import dataclasses
import functools
import math
import re

import keras

from integral_tf import config
from integral_tf import layers
from integral_tf import paper
from integral_tf.models import backbone as backbones
from integral_tf.models import methods

# Those of the paper that print operations and parameters.
TABLES = (3, 4, 7)
# On MPII, the dataset of these tables.
JOINTS = 16

_MULTIPLYING = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.Dense,
)
_NORM = keras.layers.BatchNormalization
# The backbones' only activations.
_RELU = (keras.layers.ReLU, keras.layers.Activation)

_PARAMETERS = (
    "The paper's params are those of the ImageNet classifier, backbone and "
    "1000-way layer without the head; as built a network has its heads, a "
    "bias per convolution and the moving moments of its normalisations, and "
    "no 1000-way layer."
)
_OPERATIONS = (
    "The paper's FLOPs are multiply-accumulates with the strides on the 3 x 3 "
    "convolutions, and one operation per element of a normalisation or ReLU; "
    "as built they are multiply-accumulates alone, with ResNet-50's and 101's "
    "strides, unless --bottleneck_stride=3x3, on the 1 x 1 convolutions, as "
    "Keras's ImageNet weights were trained."
)
_NOT_REPRODUCED = (
    "The 101 M of MS-I1 was reproduced by no reading: ours is its four stages "
    "without their heads, and one 1000-way layer. CPM and HG are other "
    "networks, not counted here."
)


@dataclasses.dataclass(frozen=True)
class Part:
    """What one part of a network costs, per image.

    Args:
        name: Of the part.
        parameters: Numbers it holds, trained or not.
        published: Of these, and of the 1000-way layer, what the ImageNet
            classifier counts: kernels, and two per normalised channel.
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
        """What the paper calls FLOPs."""
        return self.macs + self.elements


def count(model):
    """Counts a network of `pose_model`, or a backbone, part by part.

    Args:
        model: A built `keras.Model` with a fixed image size, channels last.

    Returns:
        List of `Part`, in the model's order: conv1 to conv5, or, of several
        stages, `conv1_to_conv3` and each `stage{n}_conv4_conv5`; heads; and
        what reads joints from maps, which costs nothing.

    Raises:
        ValueError: the model has parameters in a layer that is not known here.
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
    """Sums parts to one."""
    sums = (
        sum(getattr(part, field.name) for part in parts)
        for field in dataclasses.fields(Part)[1:]
    )
    return Part(name, *sums)


@functools.cache
def readings(model_config, joints):
    """Builds a configuration and counts it both ways.

    Args:
        model_config: A `config.ModelConfig`.
        joints: Number K of joints.

    Returns:
        `(built, papers)`, two tuples of `Part`s of the same names. `built` is
        for `parameters` and `macs`; `papers`, with the strides on the 3 x 3
        convolutions, for `published` and `operations`. Both end in the
        1000-way layer, of which only `published` is not 0.

    Raises:
        ValueError: there is no such network.
    """
    built = papers = _build(model_config, joints)
    strided = dataclasses.replace(model_config, bottleneck_stride="3x3")
    # ResNet-18 has its strides there in any case.
    if model_config.backbone != "resnet18" and model_config != strided:
        papers = _build(strided, joints)
    return tuple(
        (*count(model), _classifier(model)) for model in (built, papers)
    )


def report(model_config, joints):
    """Writes both readings of a configuration, part by part, in Markdown."""
    built, papers = readings(model_config, joints)
    height, width = model_config.size
    name = f"{model_config.method}, {model_config.backbone}"
    if model_config.stages > 1:
        name = f"MS-{name}, {model_config.stages} stages"
    if model_config.method != "R1":
        name += f", {model_config.upsamplings} upsamplings"
    lines = [
        f"{name}, {height} x {width} pixels, {joints} joints",
        "",
        "| part | M params as built | GMACs as built "
        "| M params, paper's reading | GFLOPs, paper's reading |",
        "|---|---:|---:|---:|---:|",
    ]
    for ours, theirs in zip((*built, total(built)), (*papers, total(papers))):
        figures = [ours.parameters / 1e6, ours.macs / 1e9]
        figures += [theirs.published / 1e6, theirs.operations / 1e9]
        cells = (f"{figure:.3f}" if figure else "-" for figure in figures)
        lines.append(f"| {ours.name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", _OPERATIONS, _PARAMETERS])


def table(number):
    """Writes the paper's counts beside ours, in Markdown.

    Args:
        number: Of the paper's table: 3, 4 or 7.

    Raises:
        ValueError: it is none of these.
    """
    if number not in TABLES:
        raise ValueError(
            "`number` is of a table that prints operations: 3, 4 or 7. "
            f"Received: number={number!r}"
        )
    lines = [
        f"| Table {number} | GFLOPs, paper | paper's reading | difference "
        "| GMACs as built | difference | M params, paper | paper's reading "
        "| difference | as built | difference |",
        "|---|" + 10 * "---:|",
    ]
    for name, model_config, row in _rows(number):
        gflops, mparams = row["gflops"], row["mparams"]
        if model_config is None:  # another network
            cells = [gflops, *4 * "-", mparams, *4 * "-"]
        else:
            built, papers = map(total, readings(model_config, JOINTS))
            cells = _beside(gflops, papers.operations / 1e9, built.macs / 1e9)
            ours = papers.published / 1e6, built.parameters / 1e6
            cells += _beside(mparams, *ours)
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    lines += ["", _OPERATIONS, _PARAMETERS]
    return "\n".join(lines + ([_NOT_REPRODUCED] if number == 7 else []))


def _leaves(model, name=None):
    """A `Part` for each layer that counts, under the name of its part."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            whole = layer.name in backbones.CONV3
            yield from _leaves(layer, None if whole else layer.name)
        elif isinstance(layer, layers.HeatmapHead):
            yield from _heatmap_head(layer)
        elif isinstance(layer, layers.JointHead):
            dense, channels = layer.dense, layer.input.shape[-1]
            shapes = (None, channels), (None, dense.units)
            yield _leaf(layer.name, dense, *shapes, published=False)
        elif isinstance(layer, (layers.Argmax, layers.IntegralRegression)):
            yield Part(layer.name, _parameters(layer))
        elif isinstance(layer, (*_MULTIPLYING, _NORM, *_RELU)):
            stage = re.match(r"conv\d(?=_)", layer.name)
            part = name or (stage.group() if stage else layer.name)
            yield _leaf(part, layer, layer.input.shape, layer.output.shape)


def _parameters(model):
    """How many there are, without the numbers that calibration sets."""
    weights = layers.network_weights(model)
    return sum(math.prod(weight.shape) for weight in weights)


def _heatmap_head(head):
    """A `Part` for each layer inside a `HeatmapHead`."""
    shape = head.input.shape
    for deconvolution, norm in zip(head.deconvolutions, head.norms):
        before, shape = shape, deconvolution.compute_output_shape(shape)
        # The head's own ReLU is an operation and no layer.
        for layer in (deconvolution, norm, keras.layers.ReLU()):
            yield _leaf(head.name, layer, before, shape, published=False)
    yield _leaf(head.name, head.score, shape, head.output.shape, False)


def _leaf(name, layer, before, after, published=True):
    """A layer's `Part`, from the shapes of its input and its output."""
    known = macs = elements = 0
    if isinstance(layer, _MULTIPLYING):
        known = math.prod(layer.kernel.shape)
        # Every weight is used once per output pixel, but a deconvolution
        # spreads each input pixel.
        spread = isinstance(layer, keras.layers.Conv2DTranspose)
        macs = math.prod((before if spread else after)[1:-1]) * known
    else:
        known = 2 * after[-1] if isinstance(layer, _NORM) else 0
        elements = math.prod(after[1:])
    parameters = layer.count_params()
    return Part(name, parameters, known if published else 0, macs, elements)


def _classifier(model):
    """The 1000-way layer that ImageNet's classifier has on the features."""
    heads = (layers.HeatmapHead, layers.JointHead)
    head = next(layer for layer in model.layers if isinstance(layer, heads))
    return Part("1000-way layer", published=(head.input.shape[-1] + 1) * 1000)


def _build(model_config, joints):
    """The network of a configuration, with random weights."""
    return methods.pose_model(
        model_config.method,
        model_config.backbone,
        joints,
        model_config.size,
        model_config.upsamplings,
        model_config.stages,
        width=model_config.width,
        head_channels=model_config.head_channels,
        bottleneck_stride=model_config.bottleneck_stride,
    )


def _rows(number):
    """`(name, config.ModelConfig or None, the paper's row)` of a table.

    Tables 3 and 4 print one count for all their methods; ours is I1's, which
    is H1's. R1, without deconvolutions, has fewer operations.
    """
    if number == 3:
        for letter, row in paper.TABLE_3.items():
            size, upsamplings = row["image_size"], row["upsamplings"]
            name = f"({letter}) {size} pixels, {upsamplings} upsamplings"
            ours = {"image_size": size, "upsamplings": upsamplings}
            yield name, config.ModelConfig(**ours), row
    elif number == 4:
        for backbone, row in paper.TABLE_4.items():
            yield backbone, config.ModelConfig(backbone=backbone), row
    else:
        four = config.ModelConfig(stages=4)
        ours = {"I1": config.ModelConfig(), "MS-I1": four}
        for name, row in paper.TABLE_7.items():
            yield name, ours.get(name), row


def _beside(printed, *figures):
    """Cells of a figure of the paper and of ours, each with its difference."""
    cells = [printed]
    for figure in figures:
        cells += [f"{figure:.2f}", f"{figure / printed - 1:+.1%}"]
    return cells
