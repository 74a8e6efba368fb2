"""`records.windows.cut` as TensorFlow operations, for graphs without Python.

Pillow resamples rows first, rounds to whole grey levels, and then columns, with
Keys's cubic kernel (a = -0.5), widened where the picture shrinks.
`tf.raw_ops.ScaleAndTranslate` has the same kernel and the same rule, so two
calls of it, rounded in between, give Pillow's pixels but for the last bit.
"""

import tensorflow as tf

# Half the width of the cubic kernel, in pixels of the smaller picture.
_RADIUS = 2.0


def cut(image, region, height, width):
    """Cuts a region out of an image.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        region: x, y, width, height in the image, float64 scalars; may leave it.
        height, width: Size of the crop in pixels.

    Returns:
        `(height, width, 3)` float32, whole numbers in 0..255; black where the
        region lies outside the image.
    """
    x, y, w, h = region
    rows, columns = tf.shape(image)[0], tf.shape(image)[1]
    left, right, around_x, start_x = _visible(x, w, columns, width)
    top, bottom, around_y, start_y = _visible(y, h, rows, height)
    seen = image[None, top:bottom, left:right]
    # The op wants a row, even where the image has none in the region.
    row = tf.cast(tf.equal(top, bottom), tf.int32)
    seen = tf.pad(seen, [[0, 0], [0, row], around_x, [0, 0]])
    size = [tf.shape(seen)[1], width]
    seen = _resample(seen, size, (1.0, width / w), (0.0, start_x * width / w))
    # Black rows are black after the first pass, too, so they come after it.
    seen = tf.pad(seen, [[0, 0], around_y, [0, 0], [0, 0]])
    size = [height, width]
    seen = _resample(seen, size, (height / h, 1.0), (start_y * height / h, 0.0))
    return tf.reshape(seen, [height, width, 3])


def _visible(edge, length, pixels, size):
    """One axis of a region: what of it the image has, and what is black.

    Args:
        edge, length: The region's, in the image.
        pixels: Pixels of the image.
        size: Pixels of the crop.

    Returns:
        First and last (excluded) pixel of the image that is seen; how many
        black ones to put before and after; and the distance from the region's
        edge to the first of all these.
    """
    low = tf.floor(edge)
    high = tf.math.ceil(edge + length)
    whole = tf.cast(pixels, tf.float64)
    first = tf.clip_by_value(low, 0, whole)
    last = tf.clip_by_value(high, 0, whole)
    # Black further out than the kernel reaches from where it meets the image
    # changes nothing, and a huge box would need a huge picture of it.
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
    # Half a level goes up, as Pillow rounds.
    return tf.clip_by_value(tf.floor(resampled + 0.5), 0, 255)
