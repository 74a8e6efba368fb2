"""Tests for predictions: from the network's frames to the image's."""

import dataclasses
import math

import numpy as np
import pytest

from integral_tf import coordinates
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import predictions
from integral_tf.pipeline import batches
from integral_tf.records import shards
from tests.evaluation import cases


@pytest.mark.parametrize("height, width", [(256, 256), (256, 192), (128, 256)])
def test_image_window_crop_map_and_back(height, width):
    # Boxes of any shape, many of them partly outside a 640 x 480 image; the
    # way there is the builder's, the decoder's and the crop's, the way back
    # that of evaluation.
    rng = np.random.default_rng(0)
    count, joints = 200, 16
    boxes = np.concatenate(
        [
            rng.uniform(-200, (640, 480), (count, 2)),
            np.exp(rng.uniform(np.log(8), np.log(900), (count, 2))),
        ],
        axis=1,
    )
    points = boxes[:, None, :2] + boxes[:, None, 2:] * rng.uniform(
        -0.2, 1.2, (count, joints, 2)
    )
    aspect = width / height
    size = shards.window_size(height, aspect)
    to_image = np.stack(
        [
            coordinates.region_to_pixels(
                coordinates.window_around(box, aspect), size, size
            )
            for box in boxes
        ]
    )
    placed = [coordinates.unscale_box(*pair) for pair in zip(boxes, to_image)]
    people = {
        "windows": np.zeros((count, size, size, 3), np.uint8),
        "boxes": np.float32([np.concatenate(pair) for pair in placed]),
        "joints": np.float32(
            [coordinates.unscale(*pair) for pair in zip(points, to_image)]
        ),
        "visible": np.ones((count, joints), "float32"),
        "to_image": np.float32(to_image),
        "head_size": np.zeros(count),
        "image_boxes": boxes,
        "box_score": np.ones(count),
        "image_id": np.arange(count),
        "source_id": np.arange(count),
    }
    crop = layers.PersonCrop(height, width, list(range(joints)))
    crops = crop(batches.for_device(people), training=False)
    maps = coordinates.crop_to_heatmap(crops["joints"], 8)
    read = coordinates.heatmap_to_crop(maps, 8)
    seen = predictions.of_batch(
        people, read, crops["visible"], crops["to_window"]
    )
    np.testing.assert_allclose(seen.joints, points, rtol=0, atol=1e-3)
    np.testing.assert_allclose(seen.truth, points, rtol=0, atol=1e-3)


def test_errors_are_in_heads_where_these_and_the_truth_are_known():
    # By hand: 3 and 4 pixels aside are 5, of a head of 10.
    joints = np.float64([[[3, 4], [3, 4], [np.nan, 0]], [[3, 4]] * 3])
    seen = predictions.Predictions(
        joints=joints,
        scores=np.ones((2, 3)),
        truth=np.zeros((2, 3, 2)),
        visible=np.float64([[1, 0, 1], [1, 1, 1]]),
        head_size=np.float64([10, 0]),
        box=np.full((2, 4), 100.0),
        box_score=np.ones(2),
        image_id=np.arange(2),
        source_id=np.full(2, b""),
    )
    np.testing.assert_array_equal(
        seen.errors(), [[0.5, np.nan, np.inf], [np.nan] * 3]
    )


def test_errors_in_another_unit_keep_it():
    # By hand: eyes 20 apart, the nose 1 pixel aside, so 0.05; the second
    # person has one eye, and so no errors.
    truth = np.float64([[[0, 0], [20, 0], [10, 9]]] * 2)
    seen = cases.predicted(
        truth + [[0, 0], [0, 0], [1, 0]],
        truth,
        np.float64([[1, 1, 1], [1, 0, 1]]),
    )
    skeleton = skeletons.Skeleton("s", ("a", "b", "nose"), (), ())
    of_eyes = seen.measured(skeleton, "a,b")
    np.testing.assert_allclose(of_eyes.errors()[0], [0, 0, 0.05])
    assert np.isnan(of_eyes.errors()[1]).all()
    assert of_eyes.unit.words == "a-b distances"
    for same in (
        of_eyes.of_people(),
        predictions.concatenate([of_eyes, of_eyes]),
        dataclasses.replace(of_eyes, negative=np.zeros(2)).of_people(),
        of_eyes.measured(skeleton),
    ):
        assert same.unit == of_eyes.unit
        assert same.nme().nme == pytest.approx(100 * 0.05 / 3)
    assert of_eyes.measured(skeleton, alpha="0.01").nme().failure_rate == 100
    # The geometric mean of the box's sides, 50 and 80.
    assert seen.measured(skeleton, "box").errors()[1, 2] == pytest.approx(
        1 / math.sqrt(50 * 80)
    )
    nobody = dataclasses.replace(seen, visible=np.float64([[1, 0, 1]] * 2))
    with pytest.raises(ValueError, match="Nobody has the length"):
        nobody.measured(skeleton, "a,b")


def test_a_result_has_its_persons_own_category():
    zeros = np.zeros((3, 2))
    seen = predictions.Predictions(
        joints=np.zeros((3, 2, 2)), scores=zeros, truth=np.zeros((3, 2, 2)),
        visible=zeros, head_size=zeros[:, 0], box=np.zeros((3, 4)),
        box_score=np.ones(3), image_id=np.arange(3),
        source_id=np.array([b"a"] * 3), category=np.array([7, 0, 5]),
    )  # fmt: skip
    truth = {"categories": [{"id": 4}, {"id": 7}]}

    def categories(truth):
        results = coco_results.Results(seen, truth, np.ones(3))
        return [row["category_id"] for row in results]

    # Records of before have 0: the truth's first category.
    assert categories(truth) == [7, 4, 4]
    assert categories(None) == [1, 1, 1]


def test_distances_of_the_truth_are_by_covariances_in_the_image():
    # The window turns x to y and doubles; the image triples y alone.
    people = {
        "to_image": [[[1, 0, 0], [0, 3, 0]]],
        "joints": np.array([[[9.0, 5], [9, 7]]]),
        "visible": np.ones((1, 2)),
        "head_size": [0],
        "image_boxes": np.ones((1, 4)),
        "box_score": [1],
        "image_id": [1],
        "image_extent": np.array([[640, 480]]),
        "source_id": [b"a"],
    }
    to_window = [[[0, 2, 5], [2, 0, 5]]]
    spread = np.array([[[[1, 0.5], [0.5, 4]]] * 2])
    seen = predictions.of_batch(
        people, np.zeros((1, 2, 2)), np.ones((1, 2)), to_window, spread
    )
    # By hand: crop (x, y) -> image (2 y + 5, 6 x + 15), covariances
    # [[16, 6], [6, 36]], and the truth is aside by (4, 0) and (4, 6).
    aside = [(16 / 15) ** 0.5, 1.6**0.5]
    np.testing.assert_allclose(seen.sigmas_off, [aside], rtol=1e-5)
    both = predictions.concatenate([seen, seen])
    np.testing.assert_allclose(both.sigmas_off, [aside] * 2, rtol=1e-5)
    assert both.image_extent.tolist() == [[640, 480]] * 2
    seen = predictions.of_batch(
        people, people["joints"], np.ones((1, 2)), to_window
    )
    assert predictions.concatenate([seen, seen]).sigmas_off is None


def test_a_persons_error_is_a_weighted_mean():
    # Errors of 0.2 and 0.6 heads, and one that is infinite.
    joints = np.zeros((2, 2, 2))
    joints[0, :, 0] = 2, 6
    joints[1, :, 0] = 2, np.inf
    seen = cases.predicted(joints, np.zeros((2, 2, 2)))
    plain = seen.mean_errors()
    np.testing.assert_allclose(plain, [0.4, np.inf])
    weighed = seen.mean_errors((3.0, 1.0))
    np.testing.assert_allclose(weighed, [0.3, np.inf])
    alone = seen.mean_errors((1.0, 0.0))
    np.testing.assert_allclose(alone, [0.2, 0.2])
