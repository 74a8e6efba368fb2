"""Tests for the SavedModel: what it takes, what it gives, what it refuses."""

import io
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import integral_tf
from integral_tf import inference
from integral_tf import skeletons
from integral_tf.export import saved_model
from integral_tf.records import photographs
from tests.export import cases

# Inside, over the edges, outside of the photograph, and tiny.
BOXES = np.array(
    [[10, 10, 50, 100], [-20, 30, 77.5, 40], [500, 500, 20, 20], [3, 3, 4, 4]],
    "float32",
)


@pytest.fixture(scope="module")
def model():
    return cases.model()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "1"
    saved_model.write(cases.frozen(model), path)
    return path


@pytest.fixture(scope="module")
def loaded(folder):
    return tf.saved_model.load(str(folder))


def photograph():
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (12, 16, 3), "uint8")
    return np.asarray(Image.fromarray(small).resize((160, 120)))


def encoded(image, kind):
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def call(loaded, name, **inputs):
    outputs = loaded.signatures[name](
        **{key: tf.constant(value) for key, value in inputs.items()}
    )
    return {key: value.numpy() for key, value in outputs.items()}


def require_poses(outputs, poses):
    assert set(outputs) == {"joints", "scores"}
    require_joints(outputs["joints"], [pose.joints for pose in poses])
    scores = np.stack([pose.scores for pose in poses])
    np.testing.assert_allclose(outputs["scores"], scores, atol=2e-3)


def require_joints(got, want):
    # One grey level in thousands of pixels differs, and a random network makes
    # much of it: of single joints, not of most.
    np.testing.assert_allclose(got, want, atol=0.05)
    assert np.median(np.abs(got - np.stack(want))) < 2e-3


def test_the_signatures_are_these(loaded):
    def specs(tensors):
        return {
            name: (tuple(spec.shape), spec.dtype.name)
            for name, spec in tensors.items()
        }

    picture = {"image": ((None, None, 3), "uint8")}
    jpeg = {"image_bytes": ((), "string")}
    boxes = {"boxes": ((None, 4), "float32")}
    crops = (None, 64, 64, 3)
    inputs = {
        name: specs(signature.structured_input_signature[1])
        for name, signature in loaded.signatures.items()
    }
    assert inputs == {
        "serving_default": {"images": (crops, "float32")},
        "serving_uint8": {"images": (crops, "uint8")},
        "predict_image": {**picture, **boxes},
        "predict_bytes": {**jpeg, **boxes},
    }
    for signature in loaded.signatures.values():
        assert specs(signature.structured_outputs) == {
            "joints": ((None, 16, 2), "float32"),
            "scores": ((None, 16), "float32"),
        }


@pytest.mark.parametrize("people", [6, 1, 0])
def test_crops_of_either_type_in_any_number(model, loaded, people):
    images = cases.crops()[:people]
    got = call(loaded, "serving_default", images=images)
    assert got["joints"].shape == (people, 16, 2)
    want = cases.answer(model, cases.crops())
    want = {name: value[:people] for name, value in want.items()}
    np.testing.assert_allclose(got["joints"], want["joints"], atol=0.01)
    np.testing.assert_allclose(got["scores"], want["scores"], atol=1e-3)
    whole = call(loaded, "serving_uint8", images=images.astype("uint8"))
    np.testing.assert_array_equal(whole["joints"], got["joints"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_and_its_bytes_give_what_the_estimator_gives(
    model, loaded, kind
):
    data = encoded(photograph(), kind)
    image = np.asarray(Image.open(io.BytesIO(data)))
    poses = integral_tf.PoseEstimator(model, "mpii")(image, BOXES)
    got = call(loaded, "predict_image", image=image, boxes=BOXES)
    require_poses(got, poses)
    got = call(loaded, "predict_bytes", image_bytes=data, boxes=BOXES)
    require_poses(got, poses)
    # Not all at one place, and in pixels of the photograph.
    assert np.ptp(got["joints"][2], axis=0).max() > 2
    assert got["joints"][2].min() > 400


def test_grey_pictures_are_read_as_rgb(model, loaded):
    grey = photograph()[..., 0]
    image = np.repeat(grey[..., None], 3, axis=-1)
    poses = integral_tf.PoseEstimator(model, "mpii")(image, BOXES)
    data = encoded(grey, "PNG")
    got = call(loaded, "predict_bytes", image_bytes=data, boxes=BOXES)
    require_poses(got, poses)


def test_boxes_are_in_the_frame_that_viewers_show(model, loaded, tmp_path):
    # A telephone stores a portrait lying on its side; `encoded_test` has the
    # other ways.
    tag = Image.Exif()
    tag[0x0112] = 6
    path = tmp_path / "portrait.jpg"
    Image.fromarray(photograph()).save(path, exif=tag)
    image = photographs.read(path)
    assert image.shape == (160, 120, 3)
    poses = integral_tf.PoseEstimator(model, "mpii")(image, BOXES)
    got = call(
        loaded, "predict_bytes", image_bytes=path.read_bytes(), boxes=BOXES
    )
    require_poses(got, poses)


def test_no_boxes_nobody(loaded):
    none = np.zeros((0, 4), "float32")
    data = encoded(photograph(), "JPEG")
    got = call(loaded, "predict_bytes", image_bytes=data, boxes=none)
    assert got["joints"].shape == (0, 16, 2)
    assert got["scores"].shape == (0, 16)


JPEG = encoded(photograph(), "JPEG")


@pytest.mark.parametrize(
    "data, boxes, names",
    [
        (b"", BOXES, "`image_bytes` is"),
        (b"not a picture", BOXES, "`image_bytes` is"),
        (JPEG[: len(JPEG) // 2], BOXES, "decode_image_bytes"),
        (b"\x89PNG and no more", BOXES, "decode_image_bytes"),
        (JPEG, [[0.0, 0.0, 0.0, 9.0]], "`boxes` are"),
        (JPEG, [[0.0, 0.0, -5.0, 9.0]], "`boxes` are"),
        (JPEG, [[np.nan, 0.0, 5.0, 9.0]], "`boxes` are"),
        (JPEG, [[0.0, 0.0, np.inf, 9.0]], "`boxes` are"),
        (JPEG, [[0.0, 0.0, 1e9, 9.0]], "`boxes` are"),
    ],
)
def test_an_error_names_the_input_and_the_next_call_is_answered(
    loaded, data, boxes, names
):
    boxes = np.asarray(boxes, "float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match=names):
        call(loaded, "predict_bytes", image_bytes=data, boxes=boxes)
    got = call(loaded, "predict_bytes", image_bytes=JPEG, boxes=BOXES)
    assert got["joints"].shape == (4, 16, 2)


def test_an_empty_picture_is_refused(loaded):
    image = np.zeros((0, 5, 3), "uint8")
    with pytest.raises(tf.errors.InvalidArgumentError, match="`image` is"):
        call(loaded, "predict_image", image=image, boxes=BOXES)


def test_the_weights_are_stored_once(model, folder):
    size = sum(path.stat().st_size for path in folder.rglob("*"))
    weights = sum(4 * np.prod(v.shape) for v in model.weights)
    # Four signatures, one network; the rest is the graph's own text.
    assert size < weights + 400_000


@pytest.mark.parametrize("method", ["I*", "H1"])
def test_the_flip_test_inside(method, tmp_path):
    model = cases.model(method)
    saved_model.write(cases.frozen(model, flip_test=True), tmp_path)
    image = photograph()
    poses = integral_tf.PoseEstimator(model, "mpii", True)(image, BOXES)
    loaded = tf.saved_model.load(str(tmp_path))
    require_poses(
        call(loaded, "predict_image", image=image, boxes=BOXES), poses
    )


def test_a_network_that_is_taller_than_wide(tmp_path):
    model = cases.model(size=(96, 64))
    saved_model.write(cases.frozen(model), tmp_path)
    image = photograph()
    poses = integral_tf.PoseEstimator(model, "mpii")(image, BOXES)
    loaded = tf.saved_model.load(str(tmp_path))
    require_poses(
        call(loaded, "predict_image", image=image, boxes=BOXES), poses
    )


def test_oks_nms_inside(model, tmp_path):
    saved_model.write(cases.frozen(model), tmp_path, oks_threshold=0.9)
    image = photograph()
    # The first person twice, and once more a pixel away.
    boxes = np.concatenate([BOXES[:1], BOXES, BOXES[:1] + [1, 0, 0, 0]])
    poses = integral_tf.PoseEstimator(model, "mpii")(image, boxes)
    want = inference.oks_nms(
        [pose.joints for pose in poses],
        [pose.score for pose in poses],
        1.25**2 * boxes[:, 2:].max(axis=1) ** 2,
        sigmas=[skeletons.DEFAULT_SIGMA] * 16,
    )
    assert len(want) < len(boxes)
    loaded = tf.saved_model.load(str(tmp_path))
    got = call(
        loaded, "predict_image", image=image, boxes=boxes.astype("float32")
    )
    assert got.pop("kept").tolist() == want.tolist()
    require_poses(got, [poses[i] for i in want])


ALONE = """
import sys
sys.modules["integral_tf"] = None  # cannot be imported
import numpy as np
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    data = file.read()
boxes = tf.constant([[10.0, 10.0, 50.0, 100.0]])
outputs = loaded.signatures["predict_bytes"](
    image_bytes=tf.constant(data), boxes=boxes)
np.save(sys.argv[3], outputs["joints"].numpy())
"""


def test_answers_where_the_package_cannot_be_imported(model, folder, tmp_path):
    photo, answer = tmp_path / "photo.jpg", tmp_path / "joints.npy"
    photo.write_bytes(JPEG)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(folder), str(photo), str(answer)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    image = np.asarray(Image.open(photo))
    (pose,) = integral_tf.PoseEstimator(model, "mpii")(image, BOXES[:1])
    require_joints(np.load(answer)[0], pose.joints)
