"""Tests for photographs in, joints in image pixels out."""

import warnings

import keras
import numpy as np
import pytest

import integral_tf
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.models import archive
from integral_tf.records import coco_skeleton
from tests import numpy_reference


def brightest(size=64):
    """A model whose one map is the red channel itself, at stride 1."""
    images = keras.Input((size, size, 3), name="images")
    red = keras.layers.Conv2D(
        14, 1, use_bias=False, kernel_initializer="zeros", name="red"
    )
    maps = red(images)
    read = layers.IntegralRegression(1, confidence=True, name="integral")(maps)
    outputs = {"joints": read["joints"], "scores": read["confidence"]}
    model = keras.Model(images, outputs | {"heatmaps": maps})
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

    def counted(people, heatmaps):
        looks.append([person.box for person in people])
        return poses_of(people, heatmaps)

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
        (np.full((4, 4, 3), -1.0), None, "dtype=float64, numbers from -1"),
        (np.zeros((4, 4, 2), np.uint8), None, r"image of shape=\(4, 4, 2\)"),
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
    mine = coco_skeleton.from_category(
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
        "R1", "resnet18", joints=5, image_size=32, width_multiplier=0.125
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


def spots(*places):
    """A photograph, red around these places."""
    y, x = np.mgrid[:60, :80]
    image = np.zeros((60, 80, 3), np.uint8)
    for left, top in places:
        spot = np.exp(-((x - left) ** 2 + (y - top) ** 2) / (2 * 3**2))
        image[..., 0] |= np.round(255 * spot).astype(np.uint8)
    return image


PICTURES = [spots((20, 30)), spots(), spots((30, 20), (60, 40))]
BOXES = [[[5, 15, 30, 30]], [], [[15, 5, 30, 30], [45, 25, 30, 30]]]
PLACES = [[(20, 30)], [], [(30, 20), (60, 40)]]


def check_places(found, places=PLACES):
    assert [len(poses) for poses in found] == list(map(len, places))
    for poses, wanted in zip(found, places):
        for number, (pose, place) in enumerate(zip(poses, wanted), 1):
            np.testing.assert_allclose(
                pose.joints, np.tile(place, (14, 1)), atol=0.3
            )
            assert pose.number == number


def test_several_pictures_fill_one_batch():
    estimate = integral_tf.PoseEstimator(brightest(), "lsp", batch_size=2)
    asked, predict = [], estimate._predict
    estimate._predict = lambda crops: asked.append(len(crops)) or predict(crops)
    check_places(estimate(PICTURES, BOXES))
    assert asked == [2, 1]
    check_places(estimate(np.stack(PICTURES), BOXES))
    assert estimate([]) == []
    whole = estimate(tuple(PICTURES))
    assert [list(poses[0].box) for poses in whole] == [[0, 0, 80, 60]] * 3


def test_an_iterator_is_read_no_further_than_a_batch():
    estimate = integral_tf.PoseEstimator(brightest(), "lsp", batch_size=2)
    read = []

    def pictures():
        for number, picture in enumerate(3 * PICTURES):
            read.append(number)
            yield picture

    answers = estimate(pictures(), iter(3 * BOXES))
    assert read == []
    check_places(
        [next(answers)], PLACES[:1]
    )  # with the first of the third's people
    assert read == [0, 1, 2]
    check_places([next(answers)], PLACES[1:2])
    assert read == [0, 1, 2]  # nobody is to be waited for
    check_places([next(answers)], PLACES[2:])
    assert read == [0, 1, 2, 3]
    check_places(answers, 2 * PLACES)
    assert read == list(range(9))


@pytest.mark.parametrize(
    "pictures, boxes, message",
    [
        (PICTURES, BOXES[:2], "Received: 2 boxes, more of the other"),
        (iter(PICTURES), iter(2 * BOXES), "Received: 3 pictures, more"),
        ([*PICTURES, "gone.jpg"], None, r"image\[3\]=gone.jpg"),
        (PICTURES, [None, [[1, 2, 3]], None], "a box without four numbers"),
        (PICTURES[0].tolist(), None, r"Received: image\[0\]=list"),
    ],
)
def test_what_is_wrong_among_several_is_named(pictures, boxes, message):
    estimate = integral_tf.PoseEstimator(brightest(), "lsp")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        list(estimate(pictures, boxes))


def test_answers_before_a_bad_picture_are_given():
    estimate = integral_tf.PoseEstimator(brightest(), "lsp")
    answers = estimate(iter([PICTURES[0], "gone.jpg", PICTURES[1]]))
    assert len(next(answers)) == 1
    with pytest.raises(FileNotFoundError, match=r"image\[1\]=gone.jpg"):
        next(answers)


def test_a_batch_has_somebody():
    with pytest.raises(ValueError, match="Received: batch_size=0"):
        integral_tf.PoseEstimator(brightest(), "lsp", batch_size=0)


@pytest.mark.parametrize("flip_test", [False, True])
def test_maps_and_covariances_are_in_the_image(flip_test):
    # A crop of 64 pixels shows 50 x 50 of the image around an off-centre box.
    estimate = integral_tf.PoseEstimator(brightest(), "lsp", flip_test)
    image = spots((20, 30), (23, 33))  # longer from top left to bottom right
    (pose,) = estimate(image, [[3, 12, 40, 30]], heatmaps=True)
    assert pose.heatmaps.shape == (64, 64, 14)
    shares = numpy_reference.softmax(pose.heatmaps[..., 5], axis=(0, 1))
    y, x = np.mgrid[:64, :64]
    to_image = pose.maps_to_image
    at = np.stack([x, y, np.ones_like(x)], axis=-1) @ to_image.T
    mean = np.einsum("hw,hwi->i", shares, at)
    spread = np.einsum("hw,hwi,hwj->ij", shares, at - mean, at - mean)
    np.testing.assert_allclose(pose.joints[5], mean, atol=0.01)
    np.testing.assert_allclose(pose.covariance[5], spread, rtol=0.01, atol=0.02)
    assert spread[0, 1] > 0.3
    (plain,) = estimate(PICTURES[0])
    assert plain.heatmaps is None and plain.maps_to_image is None


def test_a_calibrated_covariance_is_the_models():
    model = brightest()
    twice = layers.CovarianceCalibration(slope=2.0, offset=3.0)
    integral = model.get_layer("integral")
    read = layers.IntegralRegression(covariance=True)
    spread = read(integral.input)["covariance"]
    model = keras.Model(
        model.inputs, {**model.output, "covariance": twice(spread)}
    )
    box = [[10, 10, 64 / 1.25, 64 / 1.25]]  # a crop at the image's scale
    (plain,) = integral_tf.PoseEstimator(brightest(), "lsp")(PICTURES[0], box)
    (calibrated,) = integral_tf.PoseEstimator(model, "lsp")(PICTURES[0], box)
    np.testing.assert_allclose(
        calibrated.covariance, 2 * plain.covariance + 3 * np.eye(2), rtol=1e-3
    )


@pytest.mark.parametrize("method", ["R1", "H1"])
def test_what_has_no_map_or_no_integral_has_no_covariance(method):
    model = integral_tf.pose_model(
        method, "resnet18", joints=14, image_size=32, width_multiplier=0.125
    )
    estimate = integral_tf.PoseEstimator(model, "lsp")
    (pose,) = estimate(PICTURES[0])
    assert pose.covariance is None
    if method == "R1":
        with pytest.raises(ValueError, match="Received: heatmaps=True, PoseEs"):
            estimate(iter(PICTURES), heatmaps=True)


def test_its_repr_says_model_skeleton_size_and_runtime(tmp_path):
    model = brightest()
    model.save(tmp_path / "mine.keras")
    estimate = integral_tf.PoseEstimator(tmp_path / "mine.keras", "lsp", True)
    assert repr(estimate) == (
        f"PoseEstimator('{tmp_path}/mine.keras', 14 joints of lsp, 64 x 64, "
        "Keras, flip test)"
    )
