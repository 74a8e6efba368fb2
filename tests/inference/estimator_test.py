"""Tests for photographs in, joints in image pixels out."""

import warnings

import keras
import numpy as np
import pytest

import integral_tf
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.models import archive


def brightest(size=64):
    """A model whose one map is the red channel itself, at stride 1."""
    images = keras.Input((size, size, 3), name="images")
    red = keras.layers.Conv2D(
        14, 1, use_bias=False, kernel_initializer="zeros", name="red"
    )
    maps = red(images)
    read = layers.IntegralRegression(1, confidence=True, name="integral")(maps)
    model = keras.Model(
        images, {"joints": read["joints"], "scores": read["confidence"]}
    )
    kernel = np.zeros((1, 1, 3, 14), "float32")
    kernel[0, 0, 0] = 0.06  # a peak of 15, far above log(64 * 64) = 8.3
    red.set_weights([kernel])
    return model


@pytest.mark.parametrize("flip_test", [False, True])
def test_a_bright_spot_is_found_where_it_is_in_the_photograph(flip_test):
    # A red spot around (91.5, 41.5), whichever box, inside or partly outside
    # of the photograph, looks at it.
    image = spotted()
    boxes = [[60, 10, 64, 64], [50, -20, 100, 90], [80, 30, 20, 30]]
    estimate = integral_tf.PoseEstimator(brightest(), "lsp", flip_test)
    poses = estimate(image, boxes)
    for pose, box in zip(poses, boxes):
        np.testing.assert_allclose(
            pose.joints, np.full((14, 2), [91.5, 41.5]), atol=0.3
        )
        assert pose.scores.shape == (14,)
        np.testing.assert_array_equal(pose.box, box)


def test_without_boxes_the_image_is_the_person():
    image = np.zeros((64, 48, 3), np.uint8)
    poses = integral_tf.PoseEstimator(brightest(), "lsp")(image)
    assert [list(pose.box) for pose in poses] == [[0, 0, 48, 64]]


def spotted():
    """120 x 200, with a red spot around (91.5, 41.5) that stands out."""
    image = np.zeros((120, 200, 3), np.uint8)
    y, x = np.mgrid[:120, :200]
    spot = np.exp(-((x - 91.5) ** 2 + (y - 41.5) ** 2) / (2 * 4**2))
    image[..., 0] = np.round(255 * spot)
    return image


def test_without_boxes_the_sure_joints_are_looked_at_again(monkeypatch):
    # All joints are one point, so the box is that pixel, and the second look
    # so close that the spot fills it: less sure than the first, which stays.
    estimate = integral_tf.PoseEstimator(brightest(), "lsp")
    looks, poses_of = [], estimate._poses

    def counted(image, boxes):
        looks.append(boxes)
        return poses_of(image, boxes)

    monkeypatch.setattr(estimate, "_poses", counted)
    (pose,) = estimate(spotted())
    assert pose.sure
    first, (second,) = looks
    np.testing.assert_array_equal(first, [[0, 0, 200, 120]])
    np.testing.assert_allclose(second[2:], [1, 1], atol=1e-3)
    np.testing.assert_allclose(second[:2] + 0.5, [92, 42], atol=1)
    assert list(pose.box) == [0, 0, 200, 120]


def test_a_pose_of_an_empty_picture_is_not_sure():
    (pose,) = integral_tf.PoseEstimator(brightest(), "lsp")(
        np.zeros((64, 48, 3), np.uint8)
    )
    assert not pose.sure


def test_a_detector_gives_the_boxes():
    def finder(image):
        assert image.shape == (120, 200, 3)
        return [[60, 10, 64, 64, 0.9], [0, 0, 9, 9, 0.1], [50, -20, 100, 90, 1]]

    estimate = integral_tf.PoseEstimator(brightest(), "lsp", detector=finder)
    poses = estimate(spotted())
    # The doubtful one is left out; boxes that are given come first.
    boxes = [list(pose.box) for pose in poses]
    assert boxes == [[60, 10, 64, 64], [50, -20, 100, 90]]
    for pose in poses:
        np.testing.assert_allclose(pose.joints[0], [91.5, 41.5], atol=0.3)
    assert len(estimate(spotted(), [[0, 0, 9, 9]])) == 1


def test_no_boxes_no_poses():
    image = np.zeros((64, 48, 3), np.uint8)
    assert integral_tf.PoseEstimator(brightest(), "lsp")(image, []) == []


@pytest.mark.parametrize(
    "image, boxes, message",
    [
        (np.zeros((4, 4, 3)), None, "dtype=float64"),
        (np.zeros((4, 4), np.uint8), None, r"shape=\(4, 4\)"),
        (np.zeros((4, 4, 3), np.uint8), [[0, 0, 4]], "`boxes` are"),
        (np.zeros((4, 4, 3), np.uint8), [[0, 0, 0, 4]], "positive size"),
        (np.zeros((4, 4, 3), np.uint8), [[0, np.nan, 1, 4]], "`boxes` are"),
        (
            np.zeros((4, 4, 3), np.uint8),
            [[0, 0, 4, 4], [0, 0, "4", 4]],
            r"without four numbers, boxes\[1\]=\[0, 0, '4', 4\]",
        ),
        (
            np.zeros((4, 4, 3), np.uint8),
            [[1, 2, 3, 4], [1, 2]],
            r"boxes\[1\]=\[1, 2\]",
        ),
        (np.zeros((4, 4, 3), np.uint8), [[0, 0, 1e308, 1]], "beyond 100000"),
        (np.zeros((4, 4, 3), np.uint8), "1 2 3 4", "without four numbers"),
    ],
)
def test_refuses_what_is_no_image_or_box(image, boxes, message):
    estimate = integral_tf.PoseEstimator(brightest(), "lsp")
    with pytest.raises(ValueError, match=message):
        estimate(image, boxes)


@pytest.mark.parametrize("boxes", [[8, 9, 20, 30], np.float32([8, 9, 20, 30])])
def test_one_box_needs_no_list(boxes):
    image = np.zeros((64, 48, 3), np.uint8)
    (pose,) = integral_tf.PoseEstimator(brightest(), "lsp")(image, boxes)
    np.testing.assert_array_equal(pose.box, [8, 9, 20, 30])


@pytest.mark.parametrize("side", [1e-9, 1e-3, 2e4, 99_999])
def test_a_box_of_any_size_has_finite_joints(side):
    image = np.full((48, 64, 3), 200, np.uint8)
    (pose,) = integral_tf.PoseEstimator(brightest(), "lsp")(
        image, [[10, 10, side, side]]
    )
    assert np.isfinite(pose.joints).all()


def joints_of(path, name, **settings):
    """The joints' names of a file's estimator, and what was warned of."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        estimate = integral_tf.PoseEstimator(path, **settings)
    guessed = [w for w in said if "Nothing says what" in str(w.message)]
    assert estimate.skeleton.name == name
    return bool(guessed)


def test_joints_are_those_given_then_the_files_then_those_beside(tmp_path):
    mine = skeletons.from_coco(
        {"name": "gadget", "keypoints": [f"screw {i}" for i in range(14)]}
    )
    path = tmp_path / "copy.keras"
    brightest().save(path)
    assert joints_of(path, "lsp")  # a guess
    with pytest.raises(ValueError, match="A flip test swaps left and right"):
        integral_tf.PoseEstimator(path, flip_test=True)
    for text in ("{", "[" * 100_000):
        (tmp_path / "skeleton.json").write_text(text)
        with pytest.raises(ValueError, match="skeleton.json is not a skeleton"):
            integral_tf.PoseEstimator(path)
    (tmp_path / "skeleton.json").write_text(archive.to_json(mine))
    assert not joints_of(path, "gadget", flip_test=True)
    archive.write_skeleton(path, skeletons.LSP)
    assert not joints_of(path, "lsp", flip_test=True)
    beside = str(tmp_path / "skeleton.json")
    assert not joints_of(path, "gadget", skeleton=beside, flip_test=True)
    assert not joints_of(path, "lsp", skeleton="lsp")


def test_a_number_of_joints_that_nobody_knows_is_refused():
    model = integral_tf.pose_model(
        "R1", "resnet18", joints=5, image_size=32, width=0.125
    )
    with pytest.raises(ValueError, match="a model with 5 joints"):
        integral_tf.PoseEstimator(model)


@pytest.mark.parametrize("kind", ["cut", "flipped", "empty", "no zip"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, kind):
    path = tmp_path / "model.keras"
    brightest().save(path)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[2000] ^= 16
    damaged = {
        "cut": whole[:2000], "flipped": flipped, "empty": b"", "no zip": b"aa",
    }  # fmt: skip
    path.write_bytes(damaged[kind])
    with pytest.raises(ValueError, match="is not a Keras model") as caught:
        integral_tf.PoseEstimator(path)
    assert "\n" not in str(caught.value)
    assert "not found" not in str(caught.value).lower()


def test_refuses_what_is_no_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="model.keras"):
        integral_tf.PoseEstimator(tmp_path)
    (tmp_path / "model.keras").write_text("not a model")
    with pytest.raises(ValueError, match="is not a Keras model"):
        integral_tf.PoseEstimator(tmp_path)
    images = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="named outputs"):
        integral_tf.PoseEstimator(keras.Model(images, images + 1))
    with pytest.raises(ValueError, match="14 joints"):
        integral_tf.PoseEstimator(brightest(), skeleton="coco")
