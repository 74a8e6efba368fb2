"""Simple Baselines' network in NumPy float64, written for the tests.

Everything here is as PyTorch has it: `(B, C, H, W)`, kernels `(out, in, h, w)`
or of a deconvolution `(in, out, h, w)`, padding by hand, epsilon 1e-5. The
weights are a dict with Simple Baselines' names.
"""

import numpy as np

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
MEAN = np.array([0.485, 0.456, 0.406])
DEVIATION = np.array([0.229, 0.224, 0.225])


def random_tensors(depth, joints=5, width=64, deconvolutions=(8, 8, 8), seed=0):
    """Weights, and running means and variances that are not 0 and 1."""
    rng = np.random.default_rng(seed)
    tensors = {}

    def convolution(name, *shape, gain=1.0):
        fan_in = np.prod(shape[1:])
        tensors[f"{name}.weight"] = rng.normal(size=shape) * gain / fan_in**0.5

    def norm(name, channels):
        variance = 10 ** rng.uniform(-2, 0, channels)
        # The factor is near 1, whatever the variance, but for the epsilon.
        factor = rng.uniform(0.7, 1.4, channels) * variance**0.5
        tensors[f"{name}.weight"] = factor
        tensors[f"{name}.bias"] = rng.normal(size=channels) * 0.2
        tensors[f"{name}.running_mean"] = rng.normal(size=channels) * 0.2
        tensors[f"{name}.running_var"] = variance

    convolution("conv1", width, 3, 7, 7)
    norm("bn1", width)
    bottleneck, inputs = depth > 18, width
    for stage, count in enumerate(BLOCKS[depth], start=1):
        inner = width * 2 ** (stage - 1)
        outputs = inner * 4 if bottleneck else inner
        for i in range(count):
            name = f"layer{stage}.{i}"
            shapes = [(inner, inputs, 3, 3), (inner, inner, 3, 3)]
            if bottleneck:
                shapes = [(inner, inputs, 1, 1), (inner, inner, 3, 3)]
                shapes += [(outputs, inner, 1, 1)]
            for n, shape in enumerate(shapes, start=1):
                convolution(f"{name}.conv{n}", *shape, gain=0.8)
                norm(f"{name}.bn{n}", shape[0])
            if i == 0 and (stage > 1 or inputs != outputs):
                convolution(f"{name}.downsample.0", outputs, inputs, 1, 1)
                norm(f"{name}.downsample.1", outputs)
            inputs = outputs
    for i, channels in enumerate(deconvolutions):
        kernel = rng.normal(size=(inputs, channels, 4, 4)) / (4 * inputs) ** 0.5
        tensors[f"deconv_layers.{3 * i}.weight"] = kernel
        norm(f"deconv_layers.{3 * i + 1}", channels)
        inputs = channels
    convolution("final_layer", joints, inputs, 1, 1)
    tensors["final_layer.bias"] = rng.normal(size=joints)
    return {name: value.astype("float32") for name, value in tensors.items()}


def named_as_mmpose(tensors, head):
    """The same tensors by MMPose's names; `head` is `head` from its 1.0 on."""
    parts = {name: "backbone" for name in tensors}
    parts |= {n: head for n in tensors if n.startswith(("deconv", "final"))}
    return {f"{parts[name]}.{name}": tensors[name] for name in tensors}


def normalised(images, bgr):
    """`(B, H, W, 3)` RGB in 0..255 as `(B, 3, H, W)`, as it was trained on."""
    images = images[..., ::-1] if bgr else images
    return ((images / 255 - MEAN) / DEVIATION).transpose(0, 3, 1, 2)


def forward(tensors, images, caffe=False):
    """Heat maps `(B, K, h, w)` of normalised images."""
    t = {name: tensor.astype("float64") for name, tensor in tensors.items()}

    def norm(x, name):
        scale = t[f"{name}.weight"] / np.sqrt(t[f"{name}.running_var"] + 1e-5)
        shift = t[f"{name}.bias"] - t[f"{name}.running_mean"] * scale
        return x * scale[:, None, None] + shift[:, None, None]

    def block(x, name, stride):
        bottleneck = f"{name}.conv3.weight" in t
        first = not bottleneck or caffe  # whose stride it is
        strides = [stride if first else 1, 1 if first else stride, 1]
        y = x
        for n in (1, 2, 3) if bottleneck else (1, 2):
            kernel = t[f"{name}.conv{n}.weight"]
            y = y if n == 1 else np.maximum(y, 0)
            y = convolve(y, kernel, strides[n - 1], kernel.shape[-1] // 2)
            y = norm(y, f"{name}.bn{n}")
        if f"{name}.downsample.0.weight" in t:
            x = convolve(x, t[f"{name}.downsample.0.weight"], stride, 0)
            x = norm(x, f"{name}.downsample.1")
        return np.maximum(x + y, 0)

    x = convolve(images, t["conv1.weight"], 2, 3)
    x = pool(np.maximum(norm(x, "bn1"), 0))
    for stage in (1, 2, 3, 4):
        i = 0
        while f"layer{stage}.{i}.conv1.weight" in t:
            stride = 2 if i == 0 and stage > 1 else 1
            x = block(x, f"layer{stage}.{i}", stride)
            i += 1
    i = 0
    while f"deconv_layers.{i}.weight" in t:
        x = deconvolve(x, t[f"deconv_layers.{i}.weight"])
        x = np.maximum(norm(x, f"deconv_layers.{i + 1}"), 0)
        i += 3
    x = convolve(x, t["final_layer.weight"], 1, 0)
    return x + t["final_layer.bias"][:, None, None]


def convolve(x, kernel, stride, padding):
    """`nn.Conv2d`: padded by zeros on every side."""
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    x = np.pad(x, sides)
    rows, columns = kernel.shape[2:]
    height = (x.shape[2] - rows) // stride + 1
    width = (x.shape[3] - columns) // stride + 1
    out = 0
    for i in range(rows):
        for j in range(columns):
            tap = x[:, :, i::stride, j::stride][:, :, :height, :width]
            out = out + np.tensordot(kernel[:, :, i, j], tap, (1, 1))
    return out.transpose(1, 0, 2, 3)


def deconvolve(x, kernel):
    """`nn.ConvTranspose2d(4, stride=2, padding=1)`: pixels spread kernels."""
    batch, _, height, width = x.shape
    out = np.zeros((batch, kernel.shape[1], 2 * height + 2, 2 * width + 2))
    for i in range(4):
        for j in range(4):
            spread = np.tensordot(x, kernel[:, :, i, j], (1, 0))
            spread = spread.transpose(0, 3, 1, 2)
            out[:, :, i::2, j::2][:, :, :height, :width] += spread
    return out[:, :, 1:-1, 1:-1]


def pool(x):
    """`nn.MaxPool2d(3, stride=2, padding=1)`: what pads is never chosen."""
    sides = ((0, 0), (0, 0), (1, 1), (1, 1))
    x = np.pad(x, sides, constant_values=-np.inf)
    height, width = (x.shape[2] - 1) // 2, (x.shape[3] - 1) // 2
    taps = [
        x[:, :, i::2, j::2][:, :, :height, :width]
        for i in range(3)
        for j in range(3)
    ]
    return np.max(taps, axis=0)
