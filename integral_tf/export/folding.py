"""Folds batch normalisation into the convolution before it.

In inference a normalisation multiplies and shifts each channel, which the
convolution's kernel and bias can do. The folded network gives the same outputs
with fewer passes over its features.
"""

import collections
import math

import keras
import numpy as np
import tensorflow as tf

from integral_tf import layers

_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def in_float32(model: keras.Model) -> keras.Model:
    """Copies a model of any dtype policy, to compute in float32.

    A model trained in mixed precision has float32 weights. The copy has the
    same weights, and does not round activations.

    Returns:
        The copy; or the model itself, if it computes in float32 already.
    """
    types = {layer.compute_dtype for layer in model._flatten_layers()}
    if types == {"float32"}:
        return model

    def clone(layer):
        if not isinstance(layer, keras.layers.Layer):
            return layer
        return type(layer).from_config(
            {**layer.get_config(), "dtype": "float32"}
        )

    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    copy.set_weights(model.get_weights())
    return copy


def fold(model: keras.Model, phases: bool = False) -> keras.Model:
    """Copies a pose model, in float32 and without its normalisations.

    A normalisation is folded only if it directly follows a convolution without
    an activation, and no other layer takes that convolution's output.

    Args:
        model: A functional Keras model; not changed.
        phases: Rewrite the head's deconvolutions as four convolutions each,
            which TensorFlow's CPU kernels run faster.

    Returns:
        A Keras model with the same inputs, outputs and layer names.
    """
    pairs = _pairs(model)  # normalisation -> convolution, by id
    originals, folded = {}, {}

    def clone(layer):
        if not isinstance(layer, keras.layers.Layer):
            return layer  # a keras.ops function: no weights
        config = layer.get_config()
        # Weights are float32 under any policy; the export computes in it, too.
        config["dtype"] = "float32"
        if type(layer) in _CONVOLUTIONS:
            config["use_bias"] = True
        grouped = type(layer) is keras.layers.Conv2D and layer.groups > 1
        new = (_Grouped if grouped else type(layer)).from_config(config)
        if isinstance(layer, layers.HeatmapHead):
            _prepare_head(new, phases)
        if getattr(new, "activation", None) is keras.activations.gelu:
            new.activation = _gelu
        originals[id(new)] = layer, new
        return new

    def call(layer, *args, **kwargs):
        norm = originals[id(layer)][0] if id(layer) in originals else None
        if id(norm) in pairs:
            folded[pairs[id(norm)]] = norm
            return args[0]
        return layer(*args, **kwargs)

    copy = keras.models.clone_model(
        model, clone_function=clone, call_function=call, recursive=True
    )
    for layer, new in originals.values():
        if type(layer) in _CONVOLUTIONS:
            _set(new, *_kernels_and_bias(layer, folded.get(id(layer))))
        elif isinstance(layer, layers.HeatmapHead):
            pairs = zip(layer.deconvolutions, layer.norms)
            for deconvolution, pair in zip(new.deconvolutions, pairs):
                _set(deconvolution, *_kernels_and_bias(*pair))
            new.score.set_weights(layer.score.get_weights())
        elif new.built:
            new.set_weights(layer.get_weights())
    return copy


def _kernels_and_bias(convolution, norm=None):
    """A convolution's kernels and its bias, with the normalisation folded in.

    Of a separable convolution's two kernels the last one is scaled.
    """
    *first, kernel = map(
        np.asarray, convolution.get_weights()[: _kernels(convolution)]
    )
    if isinstance(convolution, keras.layers.DepthwiseConv2D):
        axes = (2, 3)  # (h, w, in, multiplier)
    elif isinstance(convolution, keras.layers.Conv2DTranspose):
        axes = (2,)  # (h, w, out, in)
    else:
        axes = (3,)  # (h, w, in, out)
    shape = [n if axis in axes else 1 for axis, n in enumerate(kernel.shape)]
    if convolution.use_bias:
        bias = np.asarray(convolution.get_weights()[-1])
    else:
        bias = np.zeros(math.prod(shape), "float32")
    if norm is None:
        return *first, kernel, bias
    mean = norm.moving_mean.numpy().astype("float64")
    factor = 1 / np.sqrt(
        norm.moving_variance.numpy() + np.float64(norm.epsilon)
    )
    if norm.scale:
        factor = factor * norm.gamma.numpy()
    bias = (bias - mean) * factor
    if norm.center:
        bias = bias + norm.beta.numpy()
    return *first, kernel * factor.reshape(shape), bias


def _kernels(convolution):
    return 2 if isinstance(convolution, keras.layers.SeparableConv2D) else 1


def _gelu(x):
    """Keras's GELU; TensorFlow's own has erfc, which ONNX does not have."""
    return 0.5 * x * (1 + tf.math.erf(x * math.sqrt(0.5)))


class _Grouped(keras.layers.Conv2D):
    """A convolution in groups, by operations that every format has.

    Keras computes groups by a function of XLA. Where each channel is a group,
    as in ConvNeXt, the convolution is depthwise.
    """

    def call(self, features):
        settings = {
            "padding": self.padding.upper(),
            "dilations": self.dilation_rate,
        }
        kernel = self.kernel  # (h, w, in / groups, out)
        if kernel.shape[2] == 1 and self.filters == self.groups:
            x = tf.nn.depthwise_conv2d(
                features,
                tf.transpose(kernel, (0, 1, 3, 2)),
                (1, *self.strides, 1),
                **settings,
            )
        else:
            groups = zip(
                tf.split(features, self.groups, axis=-1),
                tf.split(kernel, self.groups, axis=-1),
            )
            x = tf.concat(
                [
                    tf.nn.conv2d(part, weights, self.strides, **settings)
                    for part, weights in groups
                ],
                axis=-1,
            )
        return self.activation(tf.nn.bias_add(x, self.bias))


class _Phases(keras.layers.Layer):
    """The head's 4 x 4 deconvolution of stride 2, as four convolutions.

    Output pixels with even or odd rows and even or odd columns form four
    phases. Each phase is a 2 x 2 convolution of the input, with the same
    products as the deconvolution. TensorFlow's CPU kernels rearrange the
    weights of a deconvolution in every call, those of a convolution only once.
    """

    # Rows of the 4 x 4 kernel that meet two rows of the input, the upper first.
    _ROWS = ((3, 1), (2, 0))

    def __init__(self, channels, name):
        super().__init__(name=name, dtype="float32")
        self.channels = channels

    def build(self, input_shape):
        self.built = True

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return batch, 2 * height, 2 * width, self.channels

    def set_weights(self, weights):
        kernel, bias = weights  # (4, 4, out, in)
        self.kernels = [
            tf.Variable(kernel[np.ix_(down, across)].transpose(0, 1, 3, 2))
            for down in self._ROWS
            for across in self._ROWS
        ]
        self.bias = tf.Variable(bias)

    def call(self, features):
        batch, height, width, _ = keras.ops.shape(features)
        phases = []
        for kernel, (i, j) in zip(self.kernels, np.ndindex(2, 2)):
            edges = [[0, 0], [1 - i, i], [1 - j, j], [0, 0]]
            padded = tf.pad(features, edges)
            phases.append(tf.nn.conv2d(padded, kernel, 1, "VALID"))
        rows = [tf.stack(phases[:2], axis=3), tf.stack(phases[2:], axis=3)]
        out = tf.stack(rows, axis=2)  # (batch, height, 2, width, 2, channels)
        shape = (batch, 2 * height, 2 * width, self.channels)
        return tf.nn.bias_add(tf.reshape(out, shape), self.bias)


def _prepare_head(head, phases):
    """Gives a `HeatmapHead` biases, and identities in place of its norms."""
    for i, deconvolution in enumerate(head.deconvolutions):
        config = {**deconvolution.get_config(), "use_bias": True}
        config["dtype"] = "float32"
        head.deconvolutions[i] = (
            _Phases(deconvolution.filters, deconvolution.name)
            if phases
            else type(deconvolution).from_config(config)
        )
        head.norms[i] = keras.layers.Dropout(0.0)  # the identity


def _set(convolution, *weights):
    convolution.set_weights([each.astype("float32") for each in weights])


def _pairs(model):
    """Dict from ids of normalisations to fold to ids of their convolutions."""
    nodes = list(_nodes(model))
    uses = collections.Counter(id(node.operation) for node in nodes)
    readers = collections.Counter(
        id(tensor) for node in nodes for tensor in node.input_tensors
    )
    makers = {
        id(tensor): node.operation
        for node in nodes
        for tensor in node.output_tensors
    }
    models = [model] + [n.operation for n in nodes if _nested(n.operation)]
    readers.update(id(tensor) for each in models for tensor in each.outputs)
    pairs = {}
    for node in nodes:
        norm = node.operation
        if type(norm) is keras.layers.BatchNormalization:
            (tensor,) = node.input_tensors
            before = makers.get(id(tensor))
            if (
                type(before) in _CONVOLUTIONS
                and before.activation is keras.activations.linear
                and readers[id(tensor)] == 1
                and uses[id(before)] == uses[id(norm)] == 1
            ):
                pairs[id(norm)] = id(before)
    return pairs


def _nodes(model):
    """Every node in a model's graph and in the graphs of nested models."""
    for nodes in model._nodes_by_depth.values():
        for node in nodes:
            yield node
            if _nested(node.operation):
                yield from _nodes(node.operation)


def _nested(operation):
    return isinstance(operation, keras.Model)
