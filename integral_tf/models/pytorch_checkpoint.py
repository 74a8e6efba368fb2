"""Checkpoints of PyTorch pose networks, as networks of this package.

Simple Baselines' and MMPose's ResNets with deconvolutions are H1's network but
for names, the order of a kernel's axes, the epsilon of a normalisation, the
padding and the preprocessing of the images. Only tensors are read.
"""

import collections.abc
import importlib
import os
import pathlib
import pickle
import re

import numpy as np

from integral_tf.models import methods

# Of `nn.BatchNorm2d`.
EPSILON = 1e-5
# Blocks of each stage, and whether they are bottlenecks.
_BACKBONES = {
    ((2, 2, 2, 2), False): "resnet18",
    ((3, 4, 6, 3), True): "resnet50",
    ((3, 4, 23, 3), True): "resnet101",
}
_PREFIX = re.compile(r"(module\.)?(backbone\.|keypoint_head\.|head\.)?")
_IGNORED = re.compile(r".*\.num_batches_tracked|fc\.(weight|bias)")
# (in, out) last, from (out, in) first; of a deconvolution the other way round.
_TO_KERAS = (2, 3, 1, 0)


def from_pytorch(
    checkpoint,
    image_size=(256, 192),
    preprocessing=None,
    bottleneck_stride="pytorch",
):
    """Builds H1's `pose_model` with the weights of a PyTorch checkpoint.

    The backbone, the joints, the deconvolutions and their channels are those
    of the tensors. The heat maps agree with PyTorch's to rounding.

    The joints do not. Both projects train a joint at crop pixel x on the cell
    `int(x / stride + 0.5)`, and read cell m as the pixel m * stride; here it
    is the middle of the pixels that it covers, (stride - 1) / 2 further right
    and down: 1.5 pixels of the crop with 3 deconvolutions, whose stride is 4.
    Subtract that from `joints`, or train on, which unlearns it.

    Args:
        checkpoint: Path of a file that `torch.save` wrote, or of a
            .safetensors one, or a dict of tensors or NumPy arrays by name:
            Simple Baselines' names, with or without `module.`, or MMPose's;
            under `"state_dict"` or not.
        image_size: Side of the crop in pixels, or `(height, width)`.
        preprocessing: What it was trained on, `"torch"` or `"torch_bgr"`; see
            `layers.ImageNetCentering`. None takes `"torch"` for MMPose's
            names and `"torch_bgr"` for others.
        bottleneck_stride: `"1x1"` for a network of style caffe, whose tensors
            look the same.

    Returns:
        A `keras.Model`, as `pose_model` describes it.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: PyTorch, or safetensors, is not installed.
        ValueError: it is not such a checkpoint; the message names the tensors
            that are missing, too many, or of another shape.
    """
    tensors = _state_dict(checkpoint)
    if preprocessing is None:
        mmpose = any("backbone." in name for name in tensors)
        preprocessing = "torch" if mmpose else "torch_bgr"
    tensors = {
        _PREFIX.sub("", name, count=1): tensor
        for name, tensor in tensors.items()
    }
    tensors = {
        name: _array(name, tensor)
        for name, tensor in tensors.items()
        if not _IGNORED.fullmatch(name)
    }
    backbone = _backbone(tensors)
    deconvolutions = [
        tensor.shape[1]
        for name, tensor in tensors.items()
        if name.startswith("deconv_layers.") and tensor.ndim == 4
    ]
    model = methods.pose_model(
        "H1",
        backbone,
        _channels(tensors, "final_layer.weight", 1),
        image_size,
        len(deconvolutions),
        # The others have one width; a tensor of another is named below.
        width=_channels(tensors, "conv1.weight", 64) / 64
        if backbone == "resnet18"
        else 1.0,
        head_channels=deconvolutions[0] if deconvolutions else 256,
        bottleneck_stride=bottleneck_stride,
        preprocessing=preprocessing,
    )
    kernels, norms, biases = _places(model, backbone)
    _check(tensors, kernels, norms, biases)
    for name, kernel in kernels.items():
        kernel.assign(tensors[name].transpose(_TO_KERAS))
    for name, bias in biases.items():
        bias.assign(tensors[name])
    for name, norm in norms.items():
        variance = tensors[f"{name}.running_var"]
        # The factor is gamma / sqrt(variance + epsilon): gamma makes up for
        # the epsilon, which Keras's layers have larger.
        gain = np.sqrt((variance + norm.epsilon) / (variance + EPSILON))
        norm.gamma.assign(tensors[f"{name}.weight"] * gain)
        norm.beta.assign(tensors[f"{name}.bias"])
        norm.moving_mean.assign(tensors[f"{name}.running_mean"])
        norm.moving_variance.assign(variance)
    return model


def _state_dict(checkpoint):
    """The tensors by name, from wherever they are."""
    if isinstance(checkpoint, (str, os.PathLike)):
        checkpoint = _read(pathlib.Path(checkpoint))
    if isinstance(checkpoint, collections.abc.Mapping):
        checkpoint = checkpoint.get("state_dict", checkpoint)
    if not isinstance(checkpoint, collections.abc.Mapping):
        raise ValueError(
            "A checkpoint is a file, or a dict from names to tensors. "
            f"Received: {type(checkpoint).__name__}"
        )
    return checkpoint


def _read(path):
    if not path.is_file():
        raise FileNotFoundError(
            "A checkpoint is a file that torch.save wrote, or a .safetensors "
            f"one. Received: {str(path)!r}"
        )
    if path.suffix == ".safetensors":
        package = _import("safetensors.numpy", "safetensors")
        try:
            return package.load(path.read_bytes())
        except Exception as error:  # its own kind, of no common base
            raise ValueError(
                f"This is not a file of safetensors: {error}. "
                f"Received: {str(path)!r}"
            ) from None
    torch = _import("torch", "torch")
    if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 6):
        raise ImportError(
            "Files are read by PyTorch 2.6 or later, whose loader cannot be "
            f"made to run code. Received: torch {torch.__version__}"
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            "A checkpoint is read only if it holds tensors and plain values, "
            "since loading anything else could run code. Where it comes from, "
            'save torch.save(checkpoint["state_dict"], file). '
            f"Received: {str(path)!r}: {str(error).splitlines()[0]}"
        ) from None


def _import(module, package):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"Reading this checkpoint needs `pip install {package}`; a dict "
            "of NumPy arrays is taken without it."
        ) from error


def _array(name, tensor):
    """A tensor as a float64 array."""
    if hasattr(tensor, "detach"):  # PyTorch's; NumPy has no bfloat16
        tensor = tensor.detach().cpu().double().numpy()
    array = np.asarray(tensor)
    if array.dtype.kind != "f":
        raise ValueError(
            "A checkpoint's values are tensors of floats. "
            f"Received: {name} of type {array.dtype}"
        )
    return array.astype("float64")


def _backbone(tensors):
    """The name of the backbone that these blocks are of."""
    blocks = re.compile(r"layer(\d)\.(\d+)\.conv1\.weight")
    found = [match[1] for match in map(blocks.fullmatch, tensors) if match]
    counts = tuple(found.count(stage) for stage in "1234")
    bottleneck = "layer1.0.conv3.weight" in tensors
    if (counts, bottleneck) not in _BACKBONES:
        raise ValueError(
            "A checkpoint is of a ResNet-18, 50 or 101 with Simple "
            "Baselines' or MMPose's names: layer1.0.conv1.weight and so on. "
            f"Received: {'-'.join(map(str, counts))} "
            f"{'bottleneck' if bottleneck else 'basic'} blocks in its stages, "
            f"of {len(tensors)} tensors: {_some(tensors)}"
        )
    return _BACKBONES[counts, bottleneck]


def _channels(tensors, name, default):
    """Output channels of a convolution, which may be missing."""
    (channels, *_) = *np.shape(tensors.get(name)), default
    return channels


def _places(model, backbone):
    """Where each tensor belongs.

    Returns:
        Three dicts by a tensor's, or for norms a layer's, name in PyTorch:
        kernels' variables, normalisation layers, biases' variables.
    """
    layer_of = {layer.name: layer for layer in model.get_layer(backbone).layers}
    kernels, norms, biases = {"conv1.weight": "conv1_conv"}, {}, {}
    norms["bn1"] = "conv1_bn"
    for name in layer_of:
        part = re.fullmatch(r"conv(\d)_block(\d+)_(\d)_conv", name)
        if part:
            stage, block, number = map(int, part.groups())
            there = f"layer{stage - 1}.{block - 1}."
            pair = (f"conv{number}", f"bn{number}")
            convolution, norm = (
                pair
                if number
                else (
                    "downsample.0",
                    "downsample.1",
                )
            )
            kernels[f"{there}{convolution}.weight"] = name
            norms[there + norm] = name.removesuffix("conv") + "bn"
    kernels = {name: layer_of[here].kernel for name, here in kernels.items()}
    norms = {name: layer_of[here] for name, here in norms.items()}
    head = model.get_layer("heatmap_head")
    for i, pair in enumerate(zip(head.deconvolutions, head.norms)):
        # In PyTorch's sequence a ReLU follows each pair.
        kernels[f"deconv_layers.{3 * i}.weight"] = pair[0].kernel
        norms[f"deconv_layers.{3 * i + 1}"] = pair[1]
    kernels["final_layer.weight"] = head.score.kernel
    biases["final_layer.bias"] = head.score.bias
    return kernels, norms, biases


def _check(tensors, kernels, norms, biases):
    """Requires each tensor, of its shape, and no other."""
    shapes = {}
    for name, kernel in kernels.items():
        height, width, *channels = kernel.shape
        shapes[name] = (*channels[::-1], height, width)
    for name, norm in norms.items():
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = tuple(norm.gamma.shape)
    shapes |= {name: tuple(bias.shape) for name, bias in biases.items()}
    other = [
        f"{name} {tensors[name].shape}, not {shape}"
        for name, shape in shapes.items()
        if name in tensors and tensors[name].shape != shape
    ]
    faults = {
        "missing": [name for name in shapes if name not in tensors],
        "too many": [name for name in tensors if name not in shapes],
        "of another shape": other,
    }
    if any(faults.values()):
        raise ValueError(
            "A checkpoint has exactly the tensors of a ResNet with 4 x 4 "
            "deconvolutions of one width and a 1 x 1 convolution. Received: "
            + "; ".join(f"{k}: {_some(v)}" for k, v in faults.items() if v)
        )


def _some(names, most=8):
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
