"""`records.windows.cut` as TensorFlow operations, for graphs without Python.

Pillow resamples along rows first, rounds to whole grey levels, and resamples
along columns. The kernel is Keys's cubic one (a = -0.5), widened if the picture
shrinks. `tf.raw_ops.ScaleAndTranslate` has the same kernel, so two calls of it,
rounded in between, give Pillow's pixels to within one grey level.
"""

from collections.abc import Sequence

import tensorflow as tf

# Half the width of the cubic kernel, in pixels of the smaller picture.
_RADIUS = 2.0


def cut(
    image: tf.Tensor, region: Sequence[tf.Tensor], height: int, width: int
) -> tf.Tensor:
    """Cuts a region out of an image.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        region: x, y, width, height in image pixels, float64 scalars; may lie
            outside the image.
        height, width: Size of the crop in pixels.

    Returns:
        `(height, width, 3)` float32, whole numbers in 0..255; black outside of
        the image.
    """
    x, y, w, h = region
    rows, columns = tf.shape(image)[0], tf.shape(image)[1]
    left, right, around_x, start_x = _visible(x, w, columns, width)
    top, bottom, around_y, start_y = _visible(y, h, rows, height)
    part = image[None, top:bottom, left:right]
    # The operation needs a row, even if no row of the image is in the region.
    row = tf.cast(tf.equal(top, bottom), tf.int32)
    part = tf.pad(part, [[0, 0], [0, row], around_x, [0, 0]])
    size = [tf.shape(part)[1], width]
    part = _resample(part, size, (1.0, width / w), (0.0, start_x * width / w))
    # Black rows stay black in the first pass, so they are added after it.
    part = tf.pad(part, [[0, 0], around_y, [0, 0], [0, 0]])
    size = [height, width]
    part = _resample(part, size, (height / h, 1.0), (start_y * height / h, 0.0))
    return tf.reshape(part, [height, width, 3])


def _visible(edge, length, pixels, size):
    """Along one axis, the image's pixels in a region and the black ones.

    Args:
        edge, length: Edge and length of the region in image pixels.
        pixels: Length of the image.
        size: Length of the crop.

    Returns:
        First and last (excluded) pixel of the image in the region; how many
        black pixels to add before and after; and the distance from the
        region's edge to the first of all these pixels.
    """
    low = tf.floor(edge)
    high = tf.math.ceil(edge + length)
    end = tf.cast(pixels, tf.float64)
    first = tf.clip_by_value(low, 0, end)
    last = tf.clip_by_value(high, 0, end)
    # Black pixels beyond the kernel's reach change nothing, and a huge box
    # would need a huge number of them.
    reach = tf.math.ceil(2 * _RADIUS * tf.maximum(length / size, 1.0)) + 2
    before = tf.clip_by_value(first - low, 0, reach)
    after = tf.clip_by_value(high - last, 0, reach)
    around = tf.cast(tf.stack([before, after]), tf.int32)
    start = first - before - edge
    first, last = tf.cast(first, tf.int32), tf.cast(last, tf.int32)
    return first, last, around, start


def _resample(pictures, size, scale, translation):
    """One pass: `(1, H, W, 3)` to whole numbers in 0..255, float32."""
    resampled = tf.raw_ops.ScaleAndTranslate(
        images=pictures,
        size=tf.stack(size),
        scale=tf.stack([tf.cast(s, tf.float32) for s in scale]),
        translation=tf.stack([tf.cast(t, tf.float32) for t in translation]),
        kernel_type="keyscubic",
        antialias=True,
    )
    # Rounds half a grey level up, as Pillow does.
    return tf.clip_by_value(tf.floor(resampled + 0.5), 0, 255)
