"""Tests for the one reader of photographs."""

import io
import os
import struct
import threading
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from PIL import ImageOps

from integral_tf.records import photographs
from integral_tf.records import schema

# Grey levels that differ at every pixel: 3 rows, 5 columns.
GREY = np.arange(0, 255, 17, dtype=np.uint8).reshape(3, 5)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def turned(path, orientation):
    tag = Image.Exif()
    tag[0x0112] = orientation
    return save(path, np.stack([GREY] * 3, axis=-1), exif=tag)


def reason(path, size=None):
    with pytest.raises(schema.Dropped) as dropped:
        photographs.read_labelled(path, size)
    assert str(path) in dropped.value.example
    return str(dropped.value)


# What each orientation shows of the stored rows, from the EXIF standard: where
# row 0 and column 0 of the file are to be seen.
SHOWN = {
    1: GREY,
    2: GREY[:, ::-1],
    3: GREY[::-1, ::-1],
    4: GREY[::-1],
    5: GREY.T,
    6: GREY.T[:, ::-1],
    7: GREY.T[::-1, ::-1],
    8: GREY.T[::-1],
}


@pytest.mark.parametrize("ending", ["png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", SHOWN)
def test_a_photograph_is_as_every_viewer_shows_it(
    tmp_path, orientation, ending
):
    path = tmp_path / f"a.{ending}"
    tag = Image.Exif()
    tag[0x0112] = orientation
    lossless = {"lossless": True} if ending == "webp" else {}
    save(path, np.stack([GREY] * 3, axis=-1), exif=tag, **lossless)
    image = photographs.read(path)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image[..., 1], SHOWN[orientation])


@pytest.mark.parametrize("ending", ["png", "tiff"])
@pytest.mark.parametrize("orientation", SHOWN)
def test_the_annotated_size_says_which_frame_is_meant(
    tmp_path, orientation, ending
):
    path = turned(tmp_path / f"a.{ending}", orientation)
    shown, stored = SHOWN[orientation], GREY
    size = shown.shape[::-1]
    image, notes = photographs.read_labelled(path, size)
    np.testing.assert_array_equal(image[..., 0], shown)
    # Turned by half or mirrored, both frames have one size.
    assert notes == (photographs.UNTOLD,) * (2 <= orientation < 5)
    if orientation >= 5:
        image, notes = photographs.read_labelled(path, stored.shape[::-1])
        np.testing.assert_array_equal(image[..., 0], stored)
        assert notes == ()
    image, notes = photographs.read_labelled(path)
    np.testing.assert_array_equal(image[..., 0], shown)
    assert notes == (photographs.UNTOLD,) * (orientation > 1)
    assert reason(path, (50, 30)) == "image of another size than annotated"


def test_a_damaged_exif_is_no_damaged_photograph(tmp_path):
    path = tmp_path / "a.png"
    save(path, GREY, exif=b"Exif\0\0" + b"\xff" * 40)
    np.testing.assert_array_equal(photographs.read(path)[..., 0], GREY)


def deep_png(path, values, colour):
    """A PNG of 16 bits; Pillow writes none in colour."""
    height, width = values.shape[:2]
    rows = values.astype(">u2").reshape(height, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    return png(path, data, (width, height, 16, colour, 0, 0, 0))


def png(path, data, head):
    """A PNG of any lines and any header, whose sums are right."""
    data, head = zlib.compress(data), struct.pack(">IIBBBBB", *head)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + name + body
            + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
    )  # fmt: skip
    return path


@pytest.mark.parametrize("colour, channels", [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_pngs_of_16_bits_are_as_tensorflow_reads_them(
    tmp_path, colour, channels
):
    values = np.random.default_rng(0).integers(0, 65536, (6, 7, channels))
    path = deep_png(tmp_path / "a.png", values, colour)
    expected = tf.io.decode_image(path.read_bytes(), channels=3).numpy()
    np.testing.assert_array_equal(photographs.read(path), expected)


@pytest.mark.parametrize("dtype", ["float32", "uint16", "int32"])
def test_tiffs_are_scaled_as_tensorflow_scales(tmp_path, dtype):
    ramp = np.linspace(0, 1, 64 * 48).reshape(48, 64)
    largest = 1 if dtype == "float32" else np.iinfo(dtype).max
    values = (ramp * largest).astype(dtype)
    path = save(tmp_path / "a.tiff", values)
    expected = tf.image.convert_image_dtype(values, tf.uint8, saturate=True)
    image = photographs.read(path)
    np.testing.assert_array_equal(image[..., 0], expected)
    assert image.min() == 0 and image.max() == 255


def test_floats_without_a_known_white_are_refused(tmp_path):
    path = save(tmp_path / "a.tiff", GREY.astype(np.float32))
    assert reason(path) == "image of floats beyond 0..1"


def test_other_modes_are_the_colours_that_are_shown(tmp_path):
    bits = Image.fromarray(GREY > 99)
    bits.save(tmp_path / "bits.png")
    assert set(np.unique(photographs.read(tmp_path / "bits.png"))) == {0, 255}
    clear = Image.new("RGBA", (2, 2), (200, 100, 50, 0))  # but a colour
    clear.save(tmp_path / "a.png")
    assert photographs.read(tmp_path / "a.png")[0, 0].tolist() == [200, 100, 50]
    palette = Image.new("P", (2, 2), 1)
    palette.putpalette([0, 0, 0, 200, 100, 50])
    for transparency in (1, b"\0\0"):
        palette.save(tmp_path / "a.png", transparency=transparency)
        image = photographs.read(tmp_path / "a.png")
        assert image[0, 0].tolist() == [200, 100, 50]
    Image.new("LA", (2, 2), (7, 0)).save(tmp_path / "a.png")
    assert photographs.read(tmp_path / "a.png")[0, 0].tolist() == [7, 7, 7]
    cmyk = Image.new("CMYK", (2, 2), (0, 255, 255, 0))
    cmyk.save(tmp_path / "a.tiff")
    assert photographs.read(tmp_path / "a.tiff")[0, 0].tolist() == [255, 0, 0]


def test_says_what_is_wrong_with_a_file(tmp_path):
    path = tmp_path / "a.png"
    assert reason(path) == "image file missing"
    path.write_bytes(b"")
    assert reason(path) == "image file empty"
    path.write_text("no picture")
    assert reason(path) == "image file is no picture that Pillow reads"
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    save(path, noise)
    path.write_bytes(path.read_bytes()[:-2000])
    assert reason(path) == "image truncated or damaged"
    assert reason(tmp_path) == "image path is no file"
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(tmp_path / "pipe.jpg") == "image path is no file"


# A line is two grey pixels after the number of its filter, which is 0 to 4.
_LINE, _NO_LINE, _BLACK = bytes([0, 99, 99]), bytes([9, 99, 99]), bytes(3)


@pytest.mark.parametrize(
    "data", [_LINE * 4, _LINE * 2 + _NO_LINE + _LINE * 2, b""]
)
def test_a_png_without_all_of_its_lines_is_refused(tmp_path, data):
    head = (2, 5, 8, 0, 0, 0, 0)
    path = png(tmp_path / "a.png", data, head)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_png(path.read_bytes())
    assert reason(path) == "image truncated or damaged"
    for whole in (_LINE * 5, _LINE * 4 + _BLACK, _BLACK * 5):
        picture = photographs.read(png(path, whole, head))
        assert picture[4, 1, 0] == whole[-1]
    png(path, _LINE + _NO_LINE * 4, head)
    with Image.open(path) as image, pytest.raises(schema.Dropped):
        photographs.of_pillow(image)


def test_pillows_limit_is_not_ours(tmp_path, monkeypatch):
    # Pillow refuses twice its limit: here 7 of 15 pixels.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 7)
    path = save(tmp_path / "a.png", GREY)
    np.testing.assert_array_equal(photographs.read(path)[..., 0], GREY)
    threads = [
        threading.Thread(target=photographs.read, args=[path]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Image.MAX_IMAGE_PIXELS == 7
    monkeypatch.setattr(photographs, "LARGEST", 14)
    assert reason(path) == "image of more than 14 pixels"
    assert Image.MAX_IMAGE_PIXELS == 7


def test_agrees_with_pillows_own_turning(tmp_path):
    path = turned(tmp_path / "a.jpg", 6)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(
        path.read_bytes())))  # fmt: skip
    np.testing.assert_array_equal(photographs.read(path), expected)


@pytest.mark.parametrize(
    "kind, noted",
    [("GIF", True), ("PNG", True), ("WEBP", True), ("TIFF", True),
     ("MPO", False)],
)  # fmt: skip
def test_a_file_of_several_pictures_is_its_first(tmp_path, kind, noted):
    frames = [Image.new("RGB", (8, 6), (grey,) * 3) for grey in (40, 90, 200)]
    for count in (1, 3):
        path = tmp_path / f"{count}.{kind.lower()}"
        more = {"append_images": frames[1:]} if count > 1 else {}
        frames[0].save(path, kind, save_all=count > 1, **more)
        picture, notes = photographs.read_labelled(path, (8, 6))
        np.testing.assert_allclose(picture, 40, atol=2)
        assert notes == (photographs.FIRST,) * (noted and count > 1)


def test_damage_behind_the_first_picture_is_none_of_it(tmp_path):
    frames = [Image.new("RGB", (80, 60), (grey,) * 3) for grey in (40, 90, 7)]
    path = tmp_path / "pages.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    whole = path.read_bytes()
    for share in (0.45, 0.6, 0.75, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        assert (photographs.read(path) == 40).all()


def test_a_large_picture_is_read_by_parts(tmp_path, monkeypatch):
    shape = (7, 5, 3)
    array = np.arange(105, dtype=np.uint8).reshape(shape)
    path = save(tmp_path / "parts.png", array)
    monkeypatch.setattr(photographs, "_PART", 11)  # two rows of five pixels
    np.testing.assert_array_equal(photographs.read(path), array)
    upright = turned(tmp_path / "turned.png", 6)
    monkeypatch.undo()
    whole = photographs.read(upright)
    monkeypatch.setattr(photographs, "_PART", 1)  # less than a row
    np.testing.assert_array_equal(photographs.read(upright), whole)


@pytest.mark.parametrize(
    "name, is_within",
    [
        pytest.param("real/a.png", True, id="a file"),
        pytest.param("real/inner.png", True, id="a link to a file inside"),
        pytest.param("real/outer.png", False, id="a link to a file outside"),
        pytest.param("real/up/b.png", False, id="a folder that leads out"),
        pytest.param("real/../b.png", False, id="a name that leads out"),
        pytest.param("linked/a.png", True, id="the folder itself is a link"),
        pytest.param("real/missing.png", True, id="a file that is not there"),
        pytest.param("real/\0.png", False, id="a name that no file has"),
    ],
)
def test_no_link_leads_out_of_a_folder(tmp_path, name, is_within):
    real = tmp_path / "real"
    real.mkdir()
    for path in (real / "a.png", tmp_path / "b.png"):
        path.touch()
    (real / "inner.png").symlink_to("a.png")
    (real / "outer.png").symlink_to("../b.png")
    (real / "up").symlink_to("..")
    (tmp_path / "linked").symlink_to("real")
    folder = tmp_path / name.split("/")[0]
    assert photographs.is_within(tmp_path / name, folder) is is_within
