"""Tests for a `.keras` file that holds its joints."""

import shutil
import zipfile

import keras
import numpy as np
import pytest

from integral_tf import runs
from integral_tf.models import archive
from integral_tf.models import loading
from integral_tf.records import coco_skeleton

GADGET = coco_skeleton.from_category(
    {"name": "gadget", "keypoints": ["a", "b"]}
)


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


def test_a_file_that_unpacks_to_many_times_its_size_is_refused(model, tmp_path):
    path = tmp_path / "bomb.keras"
    model.save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(2**26 + 1))
    with pytest.raises(ValueError, match="zeros has .* would unpack to 67,1"):
        archive.check_sizes(path)
    with pytest.raises(ValueError, match="bomb.keras is not a Keras model"):
        loading.load(path)


def test_a_skeleton_of_gigabytes_is_not_unpacked(model, tmp_path):
    path = tmp_path / "bomb.keras"
    model.save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr(archive.SKELETON, bytes(2**24 + 1))
    with pytest.raises(ValueError, match="is too large to be one"):
        archive.read_skeleton(path)


def test_code_in_a_model_is_not_run(tmp_path):
    images = keras.Input((4, 4, 3))
    path, marker = tmp_path / "code.keras", tmp_path / "run"
    code = keras.layers.Lambda(
        lambda x, marker=str(marker): (open(marker, "w").close(), x)[1]
    )
    keras.Model(images, {"joints": code(images)}).save(path)
    marker.unlink(missing_ok=True)
    with pytest.raises(ValueError, match="not a Keras model .*ambda"):
        loading.load(path)
    assert not marker.exists()
