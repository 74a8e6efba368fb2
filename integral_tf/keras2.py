"""The part of `keras.ops` that the layer and the losses need, for Keras 2.

Names, arguments and results are those of `keras.ops`.
"""

import tensorflow as tf

abs = tf.abs
add = tf.add
argsort = tf.argsort
bitwise_and = tf.bitwise.bitwise_and
bitwise_xor = tf.bitwise.bitwise_xor
cast = tf.cast
clip = tf.clip_by_value
concatenate = tf.concat
convert_to_tensor = tf.convert_to_tensor
custom_gradient = tf.custom_gradient
divide = tf.divide
exp = tf.exp
floor_divide = tf.math.floordiv
log = tf.math.log
log_softmax = tf.nn.log_softmax
logsumexp = tf.reduce_logsumexp
max = tf.reduce_max
maximum = tf.maximum
mean = tf.reduce_mean
minimum = tf.minimum
mod = tf.math.floormod
multiply = tf.multiply
pad = tf.pad
reshape = tf.reshape
right_shift = tf.bitwise.right_shift
round = tf.round
sigmoid = tf.sigmoid
softmax = tf.nn.softmax
softplus = tf.math.softplus
sqrt = tf.sqrt
square = tf.square
squeeze = tf.squeeze
stack = tf.stack
stop_gradient = tf.stop_gradient
subtract = tf.subtract
sum = tf.reduce_sum
transpose = tf.transpose
unstack = tf.unstack
where = tf.where


def arange(stop):
    return tf.range(stop)


def ndim(tensor):
    return len(tensor.shape)


def logaddexp(x, y):
    return tf.reduce_logsumexp(tf.stack([x, y]), axis=0)


def shape(tensor):
    """Lengths of the axes: a number if known, else a scalar tensor."""
    tensor = tf.convert_to_tensor(tensor)
    lengths = tf.shape(tensor)
    return tuple(
        lengths[i] if length is None else length
        for i, length in enumerate(tensor.shape.as_list())
    )


def take_along_axis(tensor, indices, axis):
    last = len(tensor.shape) - 1
    if axis not in (-1, last):
        raise ValueError(f"Only along the last axis. Received: axis={axis}")
    return tf.gather(tensor, indices, batch_dims=last)


def __getattr__(name):
    raise AttributeError(
        "This part of integral_tf needs Keras 3; IntegralRegression and the "
        f"losses do not. Received: keras.ops.{name} on Keras 2"
    )
