"""Tests for pictures of any kind."""

import io
import pathlib
import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from integral_tf.inference import pictures

# Two rows of three pixels, each of another colour.
RGB = np.array(
    [[[255, 0, 0], [0, 255, 0], [0, 0, 255]],
     [[10, 20, 30], [0, 0, 0], [255, 255, 255]]], np.uint8)  # fmt: skip
GREY = np.array([[0, 128, 255], [1, 2, 3]], np.uint8)


@pytest.fixture(autouse=True)
def unsaid():
    pictures._warn_once.cache_clear()


def test_files_and_images_of_pillow_are_read_alike(tmp_path):
    # Stored on its side: EXIF's 6 says that the first row is shown right.
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(RGB)
    stored.save(tmp_path / "photo.png", exif=exif)
    shown = np.rot90(RGB, -1)
    path = tmp_path / "photo.png"
    with Image.open(path) as opened:
        for picture in (path, str(path), pathlib.Path(path), opened):
            np.testing.assert_array_equal(pictures.read(picture), shown)
    np.testing.assert_array_equal(pictures.read(stored), RGB)
    palette = stored.quantize(6)
    np.testing.assert_allclose(pictures.read(palette), RGB, atol=8)
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    np.testing.assert_array_equal(pictures.read(deep)[..., 1], GREY)


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[..., None],
        GREY.astype(np.int64),
        GREY.astype(np.uint16) * 256 + 3,
        tf.constant(GREY),
    ],
    ids=["(H, W)", "(H, W, 1)", "int64", "uint16", "a tensor"],
)
def test_grey_is_red_green_and_blue(array):
    picture = pictures.read(array)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, np.stack([GREY] * 3, axis=-1))


def test_transparency_is_left_out():
    clear = np.zeros((2, 3, 1), np.uint8)
    rgba = np.concatenate([RGB, clear], axis=-1)
    np.testing.assert_array_equal(pictures.read(rgba), RGB)


@pytest.mark.parametrize(
    "values, said",
    [
        (RGB / 255, "taken for 0..1"),
        (RGB.astype(np.float16) / 255, "taken for 0..1"),
        (RGB.astype(np.float32), "taken for 0..255"),
        (RGB - 0.3 * (RGB > 0), "taken for 0..255"),  # rounded
    ],
)
def test_floats_are_guessed_and_the_guess_is_said_once(values, said):
    with pytest.warns(UserWarning, match=said):
        np.testing.assert_array_equal(pictures.read(values), RGB)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures.read(values)


@pytest.mark.parametrize(
    "picture, message",
    [
        (np.zeros((3, 8, 8), np.uint8), r"channels last.*shape=\(3, 8, 8\)"),
        (np.zeros((8, 8, 2), np.uint8), r"shape=\(8, 8, 2\)"),
        (np.zeros((0, 8, 3), np.uint8), r"shape=\(0, 8, 3\)"),
        (np.full((8, 8), -0.5), "numbers from -0.5 to -0.5"),
        (np.full((8, 8), 256), "to 256"),
        (np.full((8, 8), np.nan), "numbers from nan"),
        (np.ones((8, 8), bool), "dtype=bool"),
        (RGB.tolist(), "Received: image=list"),
        (None, "Received: image=NoneType"),
        (b"\xff\xd8", "Received: image=bytes"),
    ],
    ids=str,
)
def test_refuses_what_is_no_picture(picture, message):
    with pytest.raises(ValueError, match=message):
        pictures.read(picture)


def test_a_bad_file_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received: image=.*gone.jpg"):
        pictures.read(tmp_path / "gone.jpg")
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(ValueError, match="is no picture that Pillow reads"):
        pictures.read(tmp_path / "text.jpg")


def test_bytes_and_open_files_are_refused(tmp_path):
    for picture in (b"bytes", io.BytesIO(b"bytes")):
        assert not pictures.are_several(picture)
        with pytest.raises(ValueError, match="Received: image="):
            pictures.read(picture)
