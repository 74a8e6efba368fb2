"""Checkpoints of PyTorch pose networks, as networks of this package.

The ResNets with deconvolutions of Simple Baselines and MMPose are the network
of H1. They differ in the names of weights, the order of a kernel's axes, the
epsilon of normalisation, the padding, the preprocessing, and `cells`.

`tensor_files` reads the files, without PyTorch. `checkpoint_guesses` guesses
settings that a file does not contain.
"""

import collections.abc
import dataclasses
import os
import pathlib
import re
import typing

import keras
import numpy as np

from integral_tf import skeletons
from integral_tf.models import checkpoint_guesses
from integral_tf.models import methods
from integral_tf.models import tensor_files

# That of `nn.BatchNorm2d`.
EPSILON = 1e-5
# Number of blocks of each stage, and whether they are bottlenecks.
_BACKBONES = {
    ((2, 2, 2, 2), False): "resnet18",
    ((3, 4, 6, 3), True): "resnet50",
    ((3, 4, 23, 3), True): "resnet101",
    ((3, 8, 36, 3), True): "resnet152",
}
# Keys under which a checkpoint may hold its tensors; the first wins.
_PLACES = ("state_dict", "model_state_dict", "model")
# Prefixes of DataParallel, and usual names of a network in a LightningModule.
# The prefix of torch.compile may be anywhere in a name.
_WRAPPERS = re.compile(r"((module|model|net)\.)*")
_COMPILED = "_orig_mod."
_MMPOSE = re.compile(r"(backbone|keypoint_head|head)\.")
_IGNORED = re.compile(r".*\.num_batches_tracked|fc\.(weight|bias)")
# From (out, in, h, w) to (h, w, in, out); a deconvolution has in and out
# exchanged in both.
_TO_KERAS = (2, 3, 1, 0)


def from_pytorch(
    checkpoint: str | os.PathLike | collections.abc.Mapping,
    image_size: int | tuple[int, int] | None = None,
    preprocessing: str | None = None,
    bottleneck_stride: str | None = None,
) -> keras.Model:
    """Builds H1's `pose_model` with the weights of a PyTorch checkpoint.

    The backbone, the number of joints, the deconvolutions and their channels
    are found from the tensors. Arguments that are None are guessed. One line is
    printed: what the file is and what was guessed.

    Heat maps agree with PyTorch's up to rounding. With `cells="first"`, which
    the model has, joints agree with those that Simple Baselines reads.

    Args:
        checkpoint: Path of a file of `torch.save` or of a .safetensors file, or
            a dict of tensors or NumPy arrays by name. The names are those of
            Simple Baselines or of MMPose. The dict may be under
            `"state_dict"`, and names may have the prefixes of DataParallel,
            `torch.compile` and a Lightning module.
        image_size: Side of the crop in pixels, or `(height, width)`.
        preprocessing: Preprocessing of the training, `"torch"` or
            `"torch_bgr"`; see `layers.ImageNetNormalization`.
        bottleneck_stride: `"pytorch"`, or `"1x1"` for a network of MMPose's
            style caffe. Their tensors have the same names and shapes.

    Returns:
        A `keras.Model`, as `pose_model` describes it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not such a checkpoint. The message names
            tensors that are missing, unknown or of another shape, or the
            Python class that the file refers to.
    """
    return opened(
        checkpoint,
        image_size=image_size,
        preprocessing=preprocessing,
        bottleneck_stride=bottleneck_stride,
    ).model


class Opened(typing.NamedTuple):
    """A checkpoint's network, and the skeleton of its joints, or None."""

    model: keras.Model
    skeleton: skeletons.Skeleton | None


def opened(
    checkpoint: str | os.PathLike | collections.abc.Mapping,
    *,
    skeleton: skeletons.Skeleton | None = None,
    **given: object,
) -> Opened:
    """`from_pytorch`, and the joints' skeleton, given or guessed."""
    is_file = isinstance(checkpoint, (str, os.PathLike))
    name = pathlib.Path(checkpoint).name if is_file else ""
    tensors, is_mmpose = _named(_state_dict(checkpoint))
    tensors = {
        name: _array(name, tensor)
        for name, tensor in tensor_files.arrays(
            tensors, checkpoint if is_file else "a dict"
        ).items()
    }
    backbone = _backbone(tensors)
    joints = _channels(tensors, "final_layer.weight", 1)
    guesses = checkpoint_guesses.Guesses(skeleton=skeleton, **given)
    guesses.complete(name, joints, is_mmpose)
    model = _built(tensors, backbone, joints, guesses)
    project = "MMPose's" if is_mmpose else "Simple Baselines'"
    guessed = "; ".join(guesses.told)
    print(
        f"{name or 'checkpoint'}: {project} {backbone}, {joints} joints"
        + (f"; guessed: {guessed}" if guessed else "")
    )
    return Opened(model, guesses.skeleton)


def _built(tensors, backbone, joints, guesses):
    """Builds the network with these weights."""
    deconvolutions = [
        tensor.shape[1]
        for name, tensor in tensors.items()
        if name.startswith("deconv_layers.") and tensor.ndim == 4
    ]
    _check_widths(tensors, backbone)
    model = methods.pose_model(
        "H1",
        backbone,
        joints,
        guesses.image_size,
        upsamplings=len(deconvolutions),
        # Other backbones have one width; `_check` refuses another.
        width_multiplier=_channels(tensors, "conv1.weight", 64) / 64
        if backbone == "resnet18"
        else 1.0,
        head_channels=deconvolutions[0] if deconvolutions else 256,
        bottleneck_stride=guesses.bottleneck_stride,
        preprocessing=guesses.preprocessing,
        cells="first",
    )
    places = _places(model, backbone)
    _check(tensors, places)
    for name, kernel in places.kernels.items():
        kernel.assign(tensors[name].transpose(_TO_KERAS))
    for name, bias in places.biases.items():
        bias.assign(tensors[name])
    for name, norm in places.norms.items():
        variance = tensors[f"{name}.running_var"].astype("float64")
        # Normalisation multiplies by gamma / sqrt(variance + epsilon). Keras's
        # epsilon is larger, so gamma is changed to give the same factor.
        gain = np.sqrt((variance + norm.epsilon) / (variance + EPSILON))
        norm.gamma.assign(tensors[f"{name}.weight"] * gain)
        norm.beta.assign(tensors[f"{name}.bias"])
        norm.moving_mean.assign(tensors[f"{name}.running_mean"])
        norm.moving_variance.assign(variance)
    return model


def _state_dict(checkpoint):
    """The dict of tensors by name within a checkpoint."""
    if isinstance(checkpoint, (str, os.PathLike)):
        checkpoint = tensor_files.read(checkpoint)
    if not isinstance(checkpoint, collections.abc.Mapping):
        raise ValueError(
            "A checkpoint is a file, or a dict from names to tensors. "
            f"Received: {type(checkpoint).__name__}"
        )
    # In Simple Baselines' checkpoints `model` is the name of the network.
    held = [checkpoint.get(place) for place in _PLACES]
    held = [each for each in held if isinstance(each, collections.abc.Mapping)]
    return held[0] if held else checkpoint


def _named(tensors):
    """Renames tensors as in Simple Baselines; and whether MMPose's names.

    Raises:
        ValueError: two tensors get the same name.
    """
    named, is_mmpose = {}, False
    for name, tensor in tensors.items():
        plain = str(name).replace(_COMPILED, "")
        plain = plain[_WRAPPERS.match(plain).end() :]
        part = _MMPOSE.match(plain)
        plain, is_mmpose = plain[part.end() if part else 0 :], is_mmpose or part
        if plain in named:
            raise ValueError(
                "A checkpoint is of one network. "
                f"Received: {plain} twice, the second time as {name}"
            )
        if not _IGNORED.fullmatch(plain):
            named[plain] = tensor
    return named, bool(is_mmpose)


def _array(name, tensor):
    """A tensor as a NumPy array."""
    if hasattr(tensor, "detach"):  # PyTorch's; NumPy has no bfloat16
        tensor = tensor.detach().cpu().double().numpy()
    array = np.asarray(tensor)
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(
            "A checkpoint's values are tensors of finite floats. "
            f"Received: {name} of type {array.dtype}"
        )
    return array


def _backbone(tensors):
    """The name of the backbone with these blocks."""
    blocks = re.compile(r"layer(\d)\.(\d+)\.conv1\.weight")
    found = [match[1] for match in map(blocks.fullmatch, tensors) if match]
    counts = tuple(found.count(stage) for stage in "1234")
    bottleneck = "layer1.0.conv3.weight" in tensors
    if (counts, bottleneck) not in _BACKBONES:
        raise ValueError(
            "A checkpoint is of a ResNet-18, 50, 101 or 152 with Simple "
            "Baselines' or MMPose's names: layer1.0.conv1.weight and so on. "
            f"Received: {'-'.join(map(str, counts))} "
            f"{'bottleneck' if bottleneck else 'basic'} blocks in its stages, "
            f"of {len(tensors)} tensors: {_listed(tensors)}"
        )
    return _BACKBONES[counts, bottleneck]


def _channels(tensors, name, default):
    """Output channels of a convolution; `default` if it is missing."""
    (channels, *_) = *np.shape(tensors.get(name)), default
    return channels


def _check_widths(tensors, backbone):
    """Requires that the file itself holds channels of the widths it asks for.

    A few damaged numbers would otherwise ask for a network of gigabytes.
    """
    width, last = _channels(tensors, "conv1.weight", 64), 2048
    wanted = {"conv1.weight": (width, 3, 7, 7)}
    if backbone == "resnet18":
        last = 8 * width
        wanted["layer4.1.conv2.weight"] = (last, last, 3, 3)
    for name, tensor in tensors.items():
        if name.startswith("deconv_layers.") and tensor.ndim == 4:
            wanted[name] = (last, tensor.shape[1], 4, 4)
            last = tensor.shape[1]
    joints = _channels(tensors, "final_layer.weight", 1)
    wanted["final_layer.weight"] = (joints, last, 1, 1)
    _require_none({"missing": [n for n in wanted if n not in tensors]})
    _require_none({"of another shape": _of_another_shape(tensors, wanted)})


@dataclasses.dataclass
class _Places:
    """The variables of a Keras network by the PyTorch tensors' names.

    Attributes:
        kernels: Dict from a tensor's name to a kernel.
        norms: Dict from a layer's name to a normalisation layer.
        biases: Dict from a tensor's name to a bias.
    """

    kernels: dict
    norms: dict
    biases: dict


def _places(model, backbone):
    layer_of = {layer.name: layer for layer in model.get_layer(backbone).layers}
    kernels, norms, biases = {"conv1.weight": "conv1_conv"}, {}, {}
    norms["bn1"] = "conv1_bn"
    for name in layer_of:
        part = re.fullmatch(r"conv(\d)_block(\d+)_(\d)_conv", name)
        if part:
            stage, block, number = map(int, part.groups())
            block_name = f"layer{stage - 1}.{block - 1}."
            convolution, norm = f"conv{number}", f"bn{number}"
            if not number:
                convolution, norm = "downsample.0", "downsample.1"
            kernels[f"{block_name}{convolution}.weight"] = name
            norms[block_name + norm] = name.removesuffix("conv") + "bn"
    kernels = {name: layer_of[here].kernel for name, here in kernels.items()}
    norms = {name: layer_of[here] for name, here in norms.items()}
    head = model.get_layer("heatmap_head")
    for i, pair in enumerate(zip(head.deconvolutions, head.norms)):
        # In PyTorch's sequence, a ReLU follows each deconvolution and norm.
        kernels[f"deconv_layers.{3 * i}.weight"] = pair[0].kernel
        norms[f"deconv_layers.{3 * i + 1}"] = pair[1]
    kernels["final_layer.weight"] = head.score.kernel
    biases["final_layer.bias"] = head.score.bias
    return _Places(kernels, norms, biases)


def _check(tensors, places):
    """Requires exactly the tensors of `places`, of the right shapes."""
    shapes = {}
    for name, kernel in places.kernels.items():
        height, width, *channels = kernel.shape
        shapes[name] = (*channels[::-1], height, width)
    for name, norm in places.norms.items():
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = tuple(norm.gamma.shape)
    shapes |= {n: tuple(bias.shape) for n, bias in places.biases.items()}
    _require_none(
        {
            "missing": [name for name in shapes if name not in tensors],
            "too many": [name for name in tensors if name not in shapes],
            "of another shape": _of_another_shape(tensors, shapes),
        }
    )


def _of_another_shape(tensors, shapes):
    return [
        f"{name} {tensors[name].shape}, not {shape}"
        for name, shape in shapes.items()
        if name in tensors and tensors[name].shape != shape
    ]


def _require_none(faults):
    """Raises if a dict from a fault to names of tensors has any name."""
    if any(faults.values()):
        raise ValueError(
            "A checkpoint has exactly the tensors of a ResNet with 4 x 4 "
            "deconvolutions of one width and a 1 x 1 convolution. Received: "
            + "; ".join(f"{k}: {_listed(v)}" for k, v in faults.items() if v)
        )


def _listed(names, most=8):
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
