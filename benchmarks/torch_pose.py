"""A network of `pose_model` in plain PyTorch, as `inference.py` measures it.

ResNet-18, 50 or 101 as in torchvision, with the strides of Keras's; the head of
Section 3; softmax and expectation (Eqs. 5 and 6). The sizes and weights of the
layers are those of the Keras model.

Shape letters: B batch, H height, W width, K joints.
"""

import torch
from torch import nn

from integral_tf import coordinates
from integral_tf import layers


class PoseModel(nn.Module):
    """The PyTorch network of a Keras one.

    Args:
        model: A `pose_model` of I1, I2, I3 or I*, with one stage.

    Call arguments:
        images: `(B, 3, H, W)` float32 RGB in 0..255.

    Output shape:
        `(B, K, 2)` x, y in the crop frame.
    """

    def __init__(self, model):
        super().__init__()
        (body,) = [part for part in model.layers if "resnet" in part.name]
        head = model.get_layer("heatmap_head")
        mean = torch.tensor(layers.ImageNetNormalization.MODES["caffe"][0])
        self.register_buffer("mean", mean[:, None, None])
        names = [layer.name for layer in body.layers]
        blocks = [name[:-4] for name in names if name.endswith("_add")]
        parts = [
            *_norm_and_relu(body, "conv1"),
            nn.MaxPool2d(3, 2, padding=1),
            *[Block(body, block) for block in blocks],
        ]
        for deconvolution, norm in zip(head.deconvolutions, head.norms):
            parts += [_deconvolution(deconvolution), _norm(norm)]
            parts += [nn.ReLU(inplace=True)]
        self.scores = nn.Sequential(*parts, _convolution(head.score))
        self.stride = model.get_layer("integral").stride
        self.beta = model.get_layer("integral").beta
        self.eval()

    def forward(self, images):
        return self.points(self.maps(images))

    def maps(self, images):
        """Scores `(B, K, h, w)`, times beta."""
        images = images.flip(1) - self.mean  # BGR, as Keras's weights
        return self.scores(images) * self.beta

    def points(self, maps):
        """The expected joints `(B, K, 2)` of scores."""
        weight = torch.softmax(maps.flatten(2), dim=-1).view_as(maps)
        per_column, per_row = weight.sum(dim=2), weight.sum(dim=3)
        x = torch.arange(maps.shape[3], dtype=maps.dtype, device=maps.device)
        y = torch.arange(maps.shape[2], dtype=maps.dtype, device=maps.device)
        points = torch.stack([per_column @ x, per_row @ y], dim=-1)
        return coordinates.heatmap_to_crop(points, self.stride)


class Block(nn.Module):
    """A residual block: two or three convolutions and a shortcut."""

    def __init__(self, body, name):
        super().__init__()
        names = {layer.name for layer in body.layers}
        numbers = [n for n in (1, 2, 3) if f"{name}_{n}_conv" in names]
        branch = []
        for n in numbers:
            branch += _norm_and_relu(body, f"{name}_{n}")
        self.branch = nn.Sequential(*branch[:-1])  # the last ReLU is below
        self.shortcut = nn.Identity()
        if f"{name}_0_conv" in names:
            parts = _norm_and_relu(body, f"{name}_0")[:-1]
            if f"{name}_0_pool" in names:
                pool = body.get_layer(f"{name}_0_pool")
                parts.insert(0, nn.MaxPool2d(pool.pool_size, pool.strides))
            self.shortcut = nn.Sequential(*parts)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features):
        return self.relu(self.branch(features) + self.shortcut(features))


def _norm_and_relu(body, name):
    """The convolution of this name, its normalisation, and a ReLU."""
    return [
        _convolution(body.get_layer(f"{name}_conv")),
        _norm(body.get_layer(f"{name}_bn")),
        nn.ReLU(inplace=True),
    ]


def _convolution(layer):
    height, width, inputs, outputs = layer.kernel.shape
    made = nn.Conv2d(
        inputs,
        outputs,
        (height, width),
        layer.strides,
        padding=(height // 2, width // 2),
    )
    _set(made.weight, layer.kernel, (3, 2, 0, 1))
    _set(made.bias, layer.bias)
    return made


def _deconvolution(layer):
    height, width, outputs, inputs = layer.kernel.shape
    made = nn.ConvTranspose2d(
        inputs, outputs, (height, width), layer.strides, padding=1, bias=False
    )
    _set(made.weight, layer.kernel, (3, 2, 0, 1))
    return made


def _norm(layer):
    made = nn.BatchNorm2d(layer.gamma.shape[0], eps=layer.epsilon)
    _set(made.weight, layer.gamma)
    _set(made.bias, layer.beta)
    _set(made.running_mean, layer.moving_mean)
    _set(made.running_var, layer.moving_variance)
    return made


def _set(parameter, variable, axes=None):
    values = variable.numpy()
    values = values if axes is None else values.transpose(axes)
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(values.copy()))
