"""Tests for drawings: what is told apart, and how wide strokes are."""

import numpy as np
import pytest
from PIL import Image

from integral_tf.inference import draw
from integral_tf.inference import pose as poses_of
from integral_tf.records import coco_skeleton

# Two limbs that do not meet: left at row 20, right at row 60.
SKELETON = coco_skeleton.from_category(
    {
        "name": "two sticks",
        "keypoints": ["left_a", "left_b", "right_a", "right_b"],
        "skeleton": [[1, 2], [3, 4]],
    }
)
JOINTS = np.array([[20.0, 20], [80, 20], [20, 60], [80, 60]])
GROUND = np.full((100, 120, 3), 128, np.uint8)


def drawn(scores=None, image=GROUND, joints=JOINTS, **how):
    shown = np.ones(4)
    return draw.pose(image, joints, shown, SKELETON, scores=scores, **how)


def test_left_is_blue_and_right_is_orange():
    picture = drawn().astype(int)
    # In the middles of the limbs.
    red, _, blue = picture[20, 50]
    assert blue > red + 100
    red, _, blue = picture[60, 50]
    assert red > blue + 100
    assert (GROUND == 128).all()


def test_a_limb_lies_where_its_joints_are():
    # The centre of a pixel has whole coordinates: the stroke is symmetric.
    column = np.abs(drawn()[:, 50].astype(int) - 128).sum(axis=-1)
    rows = np.arange(40)
    middle = (rows * column[:40]).sum() / column[:40].sum()
    assert middle == pytest.approx(20, abs=0.1)


def test_the_unsure_are_faint():
    sure, unsure = drawn([0.9] * 4), drawn([0.9, 0.1, 0.9, 0.9])
    apart = [np.abs(each[20, 50].astype(int) - 128) for each in (sure, unsure)]
    # A limb is as unsure as the less sure of its joints: alpha 0.25, not 1.
    np.testing.assert_allclose(apart[1], 0.25 * apart[0], atol=2)
    np.testing.assert_array_equal(sure[60], unsure[60])


def test_people_are_told_apart_by_their_outlines():
    def person(number):
        pose = poses_of.Pose(
            JOINTS, np.ones(4), np.zeros(4), SKELETON, number=number
        )
        return draw.people(GROUND, [pose])

    first, second, ninth = map(person, (1, 2, 1 + len(draw.PEOPLE)))
    # The inside of a limb is the same, what is around it is not.
    np.testing.assert_array_equal(first[20, 50], second[20, 50])
    assert (first[17:24, 50] != second[17:24, 50]).any()
    np.testing.assert_array_equal(first[17:24, 50], ninth[17:24, 50])
    # And by their labels, above them.
    assert (first[:14] != GROUND[:14]).any()
    assert (first[:14] != second[:14]).any()


def stroke(side, size):
    """Rows that a limb covers of a person so large in a picture so large."""
    image = np.zeros((side, side, 3), np.uint8)
    joints = np.array([[0, 0], [1, 0], [0, 0.5], [1, 0.5]]) * size + 100
    picture = drawn(image=image, joints=joints, outline=(0, 0, 0))
    return (picture[: 100 + size // 4, 100 + size // 2].max(axis=-1) > 60).sum()


@pytest.mark.parametrize(
    "side, size, rows",
    [
        (1000, 650, 10),  # a 65th of the person
        (3000, 400, 10),  # a 300th of the picture
        (3000, 70, 2),  # and a 35th of the person at most
        (400, 20, 1),  # something in any case
    ],
)
def test_strokes_follow_the_sizes_of_person_and_picture(side, size, rows):
    assert stroke(side, size) == pytest.approx(rows, abs=1)


def test_an_ellipse_is_one_sigma_wide():
    # 20 pixels across and 5 down, whatever way the axes are sorted.
    spread = np.zeros((4, 2, 2))
    spread[:] = np.diag([1e-6, 1e-6])
    spread[1] = np.diag([20.0**2, 5.0**2])
    joints = JOINTS + [0, 10]
    plain, ringed = (
        drawn(joints=joints),
        drawn(joints=joints, covariance=spread),
    )
    changed = np.argwhere((plain != ringed).any(axis=-1))
    top, (bottom, right) = changed[:, 0].min(), changed.max(axis=0)
    assert right == pytest.approx(80 + 20, abs=1.5)
    assert [top, bottom] == pytest.approx([30 - 5, 30 + 5], abs=1.5)
    turned = np.array([[200.0, 190.0], [190.0, 200.0]])  # sigma 19.7 and 3.2
    ring = draw._ellipse(np.zeros(2), turned)
    far = ring[np.argmax(np.linalg.norm(ring, axis=-1))]
    np.testing.assert_allclose(np.abs(far), 390**0.5 / 2**0.5, atol=0.1)


@pytest.mark.parametrize(
    "joints",
    [
        np.full((4, 2), np.nan),
        np.full((4, 2), 1e12),
        np.full((4, 2), -50.0),
        np.array([[np.nan, 1], [5, 5], [1e9, -1e9], [5, 5]]),
    ],
)
def test_joints_anywhere_do_not_end_it(joints):
    picture = drawn(joints=joints, label="1  0.50")
    assert picture.shape == GROUND.shape


def test_a_jpeg_is_a_jpeg_and_a_wrong_ending_is_said(tmp_path):
    for name, kind in (("a.jpg", "JPEG"), ("b.JFIF", "JPEG"), ("c.png", "PNG")):
        draw.save(drawn(), tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert image.format == kind
            np.testing.assert_allclose(np.asarray(image), drawn(), atol=60)
    with pytest.raises(OSError, match="could not be written.*d.txt"):
        draw.save(drawn(), tmp_path / "d.txt")
    with pytest.raises(OSError):
        draw.save(drawn(), tmp_path / "missing" / "e.png")


def test_a_sheet_has_each_picture_and_its_caption():
    pictures = [np.full((30, 60, 3), 60 * i, np.uint8) for i in (1, 2, 3)]
    sheet = draw.sheet(pictures, ["one", "two", "three"], columns=2, side=90)
    assert sheet.shape == (2 * 110, 2 * 90, 3)
    # 30 x 60 becomes 45 x 90, below a caption of 20.
    assert [sheet[40, 45, 0], sheet[40, 135, 0], sheet[150, 45, 0]] == [
        60, 120, 180,
    ]  # fmt: skip
    assert sheet[:20, :90].max() == 255 and not sheet[66:109].any()
    assert not sheet[110:, 90:].any()
    # A heading moves everything down by its line.
    below = draw.sheet(
        pictures, ["one", "two", "three"], columns=2, side=90, heading="white"
    )
    assert below[:20].max() == 255
    np.testing.assert_array_equal(below[20:], sheet)
