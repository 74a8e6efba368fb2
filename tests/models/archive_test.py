"""Tests for a `.keras` file that holds its joints."""

import shutil
import zipfile

import keras
import numpy as np
import pytest

from integral_tf import runs
from integral_tf import skeletons
from integral_tf.models import archive

GADGET = skeletons.from_coco({"name": "gadget", "keypoints": ["a", "b"]})


@pytest.fixture
def model():
    images = keras.Input((2,))
    return keras.Model(images, keras.layers.Dense(3, name="dense")(images))


def test_a_copied_file_knows_its_joints(model, tmp_path):
    path = runs.save_model(model, tmp_path, GADGET)
    copy = shutil.copy(path, tmp_path / "copy.keras")
    assert archive.read_skeleton(copy) == GADGET
    inputs = np.ones((1, 2), "float32")
    np.testing.assert_array_equal(
        keras.saving.load_model(copy)(inputs), model(inputs)
    )


def test_a_file_that_keras_alone_wrote_knows_none(model, tmp_path):
    model.save(tmp_path / "alone.keras")
    assert archive.read_skeleton(tmp_path / "alone.keras") is None


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{", "{}", '{"joints": 3}', "\udcff"]
)
def test_what_is_no_skeleton_is_refused(model, tmp_path, text):
    path = tmp_path / "odd.keras"
    model.save(path)
    with zipfile.ZipFile(path, "a") as file:
        data = text.encode(errors="surrogateescape")
        file.writestr(archive.SKELETON, data)
    with pytest.raises(ValueError, match="odd.keras is not a skeleton"):
        archive.read_skeleton(path)


@pytest.mark.parametrize("size", [0, 1000])
def test_a_cut_file_is_refused(model, tmp_path, size):
    path = runs.save_model(model, tmp_path, GADGET)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="model.keras is damaged"):
        archive.read_skeleton(path)


def test_half_precision_is_of_kernels_alone_and_loads_in_float32(
    model, tmp_path
):
    layer = model.get_layer("dense")
    kernel = np.float32([[1 / 3, 1000.25, -2e-5], [0.1, 0.2, 0.3]])
    bias = np.float32([1 / 3, 0.1, 1e6])
    layer.set_weights([kernel, bias])
    path = runs.save_model(model, tmp_path, GADGET)
    archive.write_half(path, tmp_path / "half.keras")
    loaded = keras.saving.load_model(tmp_path / "half.keras")
    found, found_bias = loaded.get_layer("dense").get_weights()
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, kernel.astype("float16"))
    np.testing.assert_array_equal(found_bias, bias)
    assert archive.read_skeleton(tmp_path / "half.keras") == GADGET
    archive.write_half(path, tmp_path / "again.keras")
    again = (tmp_path / "again.keras").read_bytes()
    assert again == (tmp_path / "half.keras").read_bytes()
