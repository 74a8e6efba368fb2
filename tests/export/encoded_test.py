"""Tests for pictures from bytes: they are what `photographs.read` reads."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from integral_tf.export import encoded
from integral_tf.records import photographs

RNG = np.random.default_rng(0)
PICTURE = Image.fromarray(RNG.integers(0, 256, (5, 7, 3), "uint8"))
PICTURE = PICTURE.resize((23, 17))
READ = tf.function(encoded.read, input_signature=[tf.TensorSpec([], tf.string)])
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
# TIFF 6.0: where the stored first row and the first column are shown.
SHOWN = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],  # top, right
    3: lambda stored: stored[::-1, ::-1],  # bottom, right
    4: lambda stored: stored[::-1],  # bottom, left
    5: lambda stored: stored.transpose(1, 0, 2),  # left, top
    6: lambda stored: np.rot90(stored, -1),  # right, top
    7: lambda stored: np.rot90(stored, -1)[::-1],  # right, bottom
    8: lambda stored: np.rot90(stored),  # left, bottom
}


def file(image, kind, **how):
    written = io.BytesIO()
    image.save(written, kind, **how)
    return written.getvalue()


def read(data, tmp_path):
    """The graph's picture, which is Python's to the last bit."""
    (tmp_path / "picture").write_bytes(data)
    got = READ(data).numpy()
    np.testing.assert_array_equal(got, photographs.read(tmp_path / "picture"))
    return got


def segment(*texts, marker=0xE1):
    text = b"".join(texts)
    return struct.pack(">BBH", 0xFF, marker, len(text) + 2) + text


def chunk(kind, text):
    checksum = zlib.crc32(kind + text)
    return (
        struct.pack(">I", len(text)) + kind + text + struct.pack(">I", checksum)
    )


def tiff(orientation, order=">", kind="H", before=0):
    """An EXIF header: a byte order, tags to pass over, the orientation."""
    value = struct.pack(order + kind, orientation).ljust(4, b"\0")
    tags = [struct.pack(order + "HHL4s", 0x010F, 2, 4, b"abc")] * before
    number = {"B": 1, "H": 3, "L": 4}[kind]
    tags.append(struct.pack(order + "HHL", 0x0112, number, 1) + value)
    head = struct.pack(order + "HLH", 42, 8, len(tags))
    return {">": b"MM", "<": b"II"}[order] + head + b"".join(tags) + bytes(4)


JPEG, PNG = file(PICTURE, "JPEG"), file(PICTURE, "PNG")
THUMBNAIL = file(PICTURE.resize((8, 6)), "JPEG", exif=EXIF + tiff(3))


def jpeg(*segments):
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def png(*chunks):
    return PNG[:33] + b"".join(chunks) + PNG[33:]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_every_orientation_is_shown_as_tiff_says(kind, tmp_path):
    stored = READ({"JPEG": JPEG, "PNG": PNG}[kind]).numpy()
    for orientation in (*range(11), 700, 65535):
        data = file(PICTURE, kind, exif=EXIF + tiff(orientation))
        turned = SHOWN.get(orientation, SHOWN[1])(stored)
        np.testing.assert_array_equal(read(data, tmp_path), turned)


PLACES = {
    "little endian": (6, jpeg(segment(EXIF, tiff(6, "<")))),
    "a long number": (6, jpeg(segment(EXIF, tiff(6, kind="L")))),
    "a little long": (6, jpeg(segment(EXIF, tiff(6, "<", "L")))),
    "after other tags": (8, jpeg(segment(EXIF, tiff(8, "<", before=3)))),
    "after other segments": (
        5,
        jpeg(
            segment(XMP, b"<x/>"),
            segment(b"ICC_PROFILE\0", bytes(60000), marker=0xE2),
            segment(b"Photoshop 3.0\0", THUMBNAIL, marker=0xED),
            segment(EXIF, tiff(5)),
        ),
    ),
    "right before the pixels": (
        7,
        JPEG.replace(b"\xff\xda", segment(EXIF, tiff(7)) + b"\xff\xda", 1),
    ),
    "after bytes that fill up": (8, jpeg(b"\xff\xff", segment(EXIF, tiff(8)))),
    "the first of two": (
        2,
        jpeg(segment(EXIF, tiff(2)), segment(EXIF, tiff(3))),
    ),
    "named twice": (6, jpeg(segment(EXIF, EXIF, tiff(6)))),
    "not the thumbnail's": (8, jpeg(segment(EXIF, tiff(8), THUMBNAIL))),
    "the thumbnail's alone": (
        1,
        jpeg(segment(b"Photoshop 3.0\0", THUMBNAIL, marker=0xED)),
    ),
    "a second picture's": (1, JPEG + jpeg(segment(EXIF, tiff(6)))),
    "XMP alone": (6, jpeg(segment(XMP, b'<x \xff tiff:Orientation="6"/>'))),
    "XMP's element": (8, jpeg(segment(XMP, b"<tiff:Orientation>8</tiff:"))),
    "EXIF goes before XMP": (
        1,
        jpeg(
            segment(XMP, b'tiff:Orientation="6"'),
            segment(EXIF, tiff(1)),
        ),
    ),  # fmt: skip
    "a chunk after the pixels": (
        6,
        PNG[:-12] + chunk(b"eXIf", tiff(6)) + PNG[-12:],
    ),
    "a chunk with EXIF's name": (6, png(chunk(b"eXIf", EXIF + tiff(6)))),
    "a chunk of XMP": (
        6,
        png(
            chunk(
                b"iTXt",
                b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>',
            )
        ),
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_orientation_is_found(place, tmp_path):
    orientation, data = PLACES[place]
    stored = READ(PNG if data.startswith(b"\x89") else JPEG).numpy()
    np.testing.assert_array_equal(
        read(data, tmp_path), SHOWN[orientation](stored)
    )


@pytest.mark.filterwarnings("ignore")  # Pillow's, of the same damage
@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"MM",
        b"XX" + tiff(6)[2:],  # no byte order
        tiff(6)[:3] + b"\0" + tiff(6)[4:],  # not 42
        tiff(6)[:20],  # cut in the tag
        b"MM\0*\xff\xff\xff\xff" + tiff(6)[8:],  # tags beyond the end
        b"MM\0*\0\0\0\0",  # tags in the header
        tiff(6, kind="B"),  # of a type that orientations do not have
        tiff(6)[:10] + b"\x01\x13" + tiff(6)[12:],  # another tag
    ],
)
def test_a_damaged_orientation_is_none(damaged, tmp_path):
    for data in (
        jpeg(segment(EXIF, damaged)),
        png(chunk(b"eXIf", damaged)),
    ):
        stored = READ(PNG if data.startswith(b"\x89") else JPEG)
        np.testing.assert_array_equal(read(data, tmp_path), stored)


def test_whatever_stands_in_exif_the_picture_is_read():
    turned = [show(READ(JPEG).numpy()) for show in SHOWN.values()]
    rng = np.random.default_rng(1)
    for _ in range(100):
        text = np.frombuffer(tiff(6, before=1) + THUMBNAIL[:50], "uint8").copy()
        places = rng.integers(0, len(text), rng.integers(1, 9))
        text[places] = rng.integers(0, 256, len(places))
        got = READ(jpeg(segment(EXIF, text[: rng.integers(1, 99)].tobytes())))
        assert any(np.array_equal(got, each) for each in turned)


def plain_png(depth, colour, channels):
    """Random rows of one kind of pixel, 16 x 3, written by hand."""
    head = struct.pack(">IIBBBBB", 16, 3, depth, colour, 0, 0, 0)
    rows = [b"\0" + RNG.bytes(2 * depth * channels) for _ in range(3)]
    rows = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, text)
        for kind, text in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    )


GREY = PICTURE.convert("L")
KINDS = {
    **{f"grey of {d} bits": plain_png(d, 0, 1) for d in (1, 2, 4, 8, 16)},
    **{f"colours of {d} bits": plain_png(d, 2, 3) for d in (8, 16)},
    **{f"grey and alpha of {d} bits": plain_png(d, 4, 2) for d in (8, 16)},
    **{f"colours and alpha of {d} bits": plain_png(d, 6, 4) for d in (8, 16)},
    "palette": file(PICTURE.quantize(200), "PNG"),
    "small palette": file(PICTURE.quantize(4), "PNG", bits=2),
    "palette with a hole": file(PICTURE.quantize(9), "PNG", transparency=3),
    "grey with a hole": file(GREY, "PNG", transparency=100),
    "grey JPEG": file(GREY, "JPEG"),
    "CMYK JPEG": file(PICTURE.convert("CMYK"), "JPEG"),
    "JPEG of RGB": file(PICTURE, "JPEG", keep_rgb=True),
    "progressive JPEG": file(PICTURE, "JPEG", progressive=True),
    "halved colours": file(PICTURE, "JPEG", subsampling="4:2:2"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_pixel(kind, tmp_path):
    read(KINDS[kind], tmp_path)


def sized_png(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG[:8] + chunk(b"IHDR", head) + PNG[33:]


def sized_jpeg(width, height):
    """The size stands behind the frame's marker, length and precision."""
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


@pytest.mark.parametrize(
    "data",
    [
        sized_png(20_000, 20_000),
        sized_png(2**31 - 1, 2**31 - 1),
        sized_png(photographs.LARGEST + 1, 1),
        sized_jpeg(65_500, 65_500),
    ],
)
def test_a_huge_picture_is_refused_before_it_is_unpacked(data):
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match="at most 268,435,456 pixels. Received: height, width",
    ):
        READ(data)
