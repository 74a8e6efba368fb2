"""`records.photographs.read` as TensorFlow operations, without Python.

A JPEG or PNG becomes the picture that viewers show: turned and mirrored by the
orientation in its EXIF or, without one, in its XMP. EXIF is a TIFF header
inside the file, XMP a text:

    JPEG  segments APP1, anywhere before the pixels, that begin with a name
    PNG   chunks eXIf and iTXt, anywhere in the file

Damaged EXIF or XMP is ignored. Positions in the file and numbers read from it
are int64, so that a damaged one does not overflow.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from integral_tf.records import photographs

_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_XMP_CHUNK = b"iTXtXML:com.adobe.xmp\0"
_XMP_ORIENTATION = r"^\C*?tiff:Orientation(?:=\"|>)([0-9])\C*$"
_ORIENTATION = 0x0112  # the tag; its values 1 to 8 are TIFF 6.0's
_SHORT, _LONG = 3, 4  # TIFF's types of whole numbers
# ours: most segments or chunks to read. No camera writes so many, and a
# malicious file of segments alone must not keep a server busy.
_MOST_PARTS = 1 << 14
# Orientations in which rows and columns are exchanged, and in which then rows
# run from below, and columns from the right.
_TURNED = (5, 6, 7, 8)
_FROM_BELOW = (3, 4, 7, 8)
_FROM_RIGHT = (2, 3, 6, 7)


def read(image_bytes: tf.Tensor) -> tf.Tensor:
    """Reads a JPEG or PNG as viewers show it.

    Args:
        image_bytes: A scalar string, the content of the file.

    Returns:
        `(H, W, 3)` uint8 RGB: the upper eight of 16 bits, and without
        transparency.

    Raises:
        InvalidArgumentError: when the graph runs, if the bytes are no JPEG or
            PNG, are damaged, or hold more pixels than `photographs.LARGEST`.
    """
    jpeg = tf.equal(tf.strings.substr(image_bytes, 0, 3), b"\xff\xd8\xff")
    png = tf.equal(tf.strings.substr(image_bytes, 0, 4), b"\x89PNG")
    image_bytes = required(
        jpeg | png,
        image_bytes,
        "`image_bytes` is an encoded JPEG or PNG. Received: bytes",
        tf.strings.length(image_bytes),
    )
    file = _File(image_bytes)
    size = tf.cond(jpeg, lambda: _size_of_jpeg(image_bytes), file.size_of_png)
    # Before the pixels are decoded: those of a file of one megabyte can fill a
    # server's memory.
    image_bytes = required(
        tf.reduce_all(size < photographs.LARGEST)
        & (tf.reduce_prod(size) <= photographs.LARGEST),
        image_bytes,
        f"`image_bytes` is a picture of at most {photographs.LARGEST:,} "
        "pixels. Received: height, width",
        size,
    )
    # INTEGER_ACCURATE gives the pixels of other decoders and of the training
    # pipeline; TensorFlow's faster default is up to 19 grey levels off. The
    # operation also reads PNG.
    image = tf.io.decode_jpeg(
        image_bytes,
        channels=3,
        dct_method="INTEGER_ACCURATE",
        name="decode_image_bytes",
    )
    spans = tf.cond(jpeg, file.spans_of_jpeg, file.spans_of_png)
    exif, xmp = tf.unstack(spans)
    orientation = file.exif_orientation(*tf.unstack(exif))
    orientation = tf.cond(
        orientation == 0,
        lambda: file.xmp_orientation(*tf.unstack(xmp)),
        lambda: orientation,
    )
    return _as_shown(image, orientation)


def required(
    condition: tf.Tensor, value: tf.Tensor, message: str, *received: Any
) -> tf.Tensor:
    """Returns the value if the condition holds; else the graph raises."""
    # Not tf.debugging.assert_*, which leaves the operation out of the graph if
    # the condition is known while tracing.
    check = tf.raw_ops.Assert(condition=condition, data=[message, *received])
    with tf.control_dependencies([check]):
        return tf.identity(value)


def _size_of_jpeg(image_bytes):
    shape = tf.io.extract_jpeg_shape(
        image_bytes, name="decode_image_bytes_header"
    )
    return tf.cast(shape[:2], tf.int64)


def _as_shown(image, orientation):
    """Turns and mirrors a stored picture by its orientation."""

    def among(orientations):
        return tf.reduce_any(orientation == np.int64(orientations))

    def turned():
        upright = tf.cond(
            among(_TURNED),
            lambda: tf.transpose(image, [1, 0, 2]),
            lambda: image,
        )
        return tf.raw_ops.Reverse(
            tensor=upright,
            dims=tf.stack([among(_FROM_BELOW), among(_FROM_RIGHT), False]),
        )

    stored = (orientation < 2) | (orientation > 8)
    return tf.cond(stored, lambda: image, turned)


class _File:
    """The bytes of a file, read at positions; beyond its end they are 0.

    Args:
        content: A scalar string, not empty.
    """

    def __init__(self, content):
        self.content = content
        self.data = tf.io.decode_raw(content, tf.uint8)
        self.size = tf.size(self.data, tf.int64)

    def numbers(self, at, size, little=False):
        """Unsigned numbers of `size` bytes, at positions of any shape."""
        places = at[..., None] + tf.range(size, dtype=tf.int64)
        inside = places < self.size
        read = tf.gather(self.data, tf.where(inside, places, 0))
        read = tf.where(inside, tf.cast(read, tf.int64), 0)
        weights = np.int64([256**i for i in range(size)])
        weights = tf.where(little, weights, weights[::-1])
        return tf.reduce_sum(read * weights, axis=-1)

    def begins(self, at, text):
        """Whether the bytes at a position are this text."""
        at = tf.minimum(at, self.size)
        return tf.strings.substr(self.content, at, len(text)) == text

    def size_of_png(self):
        """Height and width."""
        return self.numbers(tf.constant([20, 16], tf.int64), 4)

    def spans_of_jpeg(self):
        """Finds EXIF's TIFF header, and XMP.

        Returns:
            `(2, 2)` int64 positions: begin and end of EXIF, then of XMP; 0 and
            0 for a missing one.
        """

        def step(at, exif, xmp):
            marker, length = tf.unstack(self.numbers(at + [0, 2], 2))
            last = at + 2 + length
            is_app1 = marker == 0xFFE1
            has_exif = is_app1 & self.begins(at + 4, _EXIF) & (exif[1] == 0)
            has_xmp = is_app1 & self.begins(at + 4, _XMP)
            number = marker & 0xFF
            # Markers without a segment; below, padding and stray bytes.
            alone = (number <= 0x01) | ((number >= 0xD0) & (number <= 0xD8))
            following = tf.where(alone, at + 2, last)
            filling = (marker < 0xFF00) | (marker == 0xFFFF)
            following = tf.where(filling, at + 1, following)
            # Markers of the begin of the pixels and of the end of the picture.
            over = (marker == 0xFFDA) | (marker == 0xFFD9)
            return (
                tf.where(over, self.size, following),
                tf.where(has_exif, tf.stack([at + 10, last]), exif),
                tf.where(has_xmp, tf.stack([at + 4, last]), xmp),
            )

        return self._walk(2, step)

    def spans_of_png(self):
        """Finds EXIF and XMP; returns the same as `spans_of_jpeg`."""

        def step(at, exif, xmp):
            length = self.numbers(at, 4)
            has_exif = self.begins(at + 4, b"eXIf") & (exif[1] == 0)
            has_xmp = self.begins(at + 4, _XMP_CHUNK)
            last = at + 8 + length
            span = tf.stack([at + 8, last])
            return (
                last + 4,
                tf.where(has_exif, span, exif),
                tf.where(has_xmp, span, xmp),
            )

        return self._walk(8, step)

    def _walk(self, at, step):
        none = tf.zeros([2], tf.int64)
        _, exif, xmp = tf.while_loop(
            lambda at, exif, xmp: at < self.size,
            step,
            (tf.constant(at, tf.int64), none, none),
            maximum_iterations=_MOST_PARTS,
        )
        return tf.minimum(tf.stack([exif, xmp]), self.size)

    def exif_orientation(self, start, end):
        """The orientation in a TIFF header; 0 for none."""
        # Some programs write EXIF's name twice, or in a PNG.
        start += 6 * tf.cast(self.begins(start, _EXIF), tf.int64)
        little = self.begins(start, b"II")
        sound = little | self.begins(start, b"MM")
        sound &= self.numbers(start + 2, 2, little) == 42
        table = start + self.numbers(start + 4, 4, little)
        count = tf.minimum(
            self.numbers(table, 2, little), (end - table - 2) // 12
        )
        entries = table + 2 + 12 * tf.range(tf.maximum(count, 0))
        kinds = self.numbers(entries + 2, 2, little)
        values = tf.where(
            kinds == _SHORT,
            self.numbers(entries + 8, 2, little),
            self.numbers(entries + 8, 4, little),
        )
        found = sound & (self.numbers(entries, 2, little) == _ORIENTATION)
        found &= (kinds == _SHORT) | (kinds == _LONG)
        found &= self.numbers(entries + 4, 4, little) == 1
        return tf.concat([values[found], [0]], axis=0)[0]

    def xmp_orientation(self, start, end):
        """The orientation in XMP; 0 for none."""
        text = tf.strings.substr(self.content, start, end - start)
        digit = tf.strings.regex_replace(text, _XMP_ORIENTATION, r"\1")
        found = tf.strings.regex_full_match(digit, "[0-9]")
        return tf.strings.to_number(tf.where(found, digit, "0"), tf.int64)
