"""Tests for the drawn people."""

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.records import synthetic

JOINTS = skeletons.MPII.joints


@pytest.fixture(scope="module")
def people():
    return [synthetic.person(3, index) for index in range(60)]


def test_same_arguments_draw_the_same_person(people):
    again, first = synthetic.person(3, 7), people[7]
    np.testing.assert_array_equal(again.image, first.image)
    np.testing.assert_array_equal(again.joints, first.joints)
    np.testing.assert_array_equal(again.visible, first.visible)
    np.testing.assert_array_equal(again.box, first.box)
    assert (again.head_size, again.area) == (first.head_size, first.area)


@pytest.mark.parametrize("seed, index", [(3, 8), (4, 7)])
def test_another_seed_or_index_draws_another_person(people, seed, index):
    other = synthetic.person(seed, index)
    assert not np.array_equal(other.joints, people[7].joints)
    assert not np.array_equal(other.image, people[7].image)


def test_fields_are_what_a_dataset_gives(people):
    for index, person in enumerate(people):
        assert person.image.dtype == np.uint8 and person.image.shape[2] == 3
        assert person.joints.shape == (16, 2)
        assert person.visible.shape == (16,)
        assert person.image_id == index
        assert person.source_id == f"{index:08d}"
        assert 0 < person.area < person.box[2] * person.box[3]


def test_labelled_joints_lie_in_picture_and_box(people):
    for person in people:
        labelled = person.visible > 0
        assert np.count_nonzero(labelled) >= 6
        points = person.joints[labelled]
        height, width = person.image.shape[:2]
        assert (points >= -0.5).all()
        assert (points <= (width - 0.5, height - 0.5)).all()
        # The box counts from the picture's edge, half a pixel before 0.
        low = person.box[:2] - 0.5
        assert (points >= low).all()
        assert (points <= low + person.box[2:]).all()
        assert (person.joints[~labelled] == 0).all()


def test_every_visibility_occurs(people):
    shares = np.bincount(np.concatenate([p.visible for p in people[:40]]))
    assert len(shares) == 3 and (shares > 0).all()
    assert shares[2] > shares[1] + shares[0]


def test_some_bodies_leave_the_picture_and_most_do_not(people):
    def leaves(person):
        height, width = person.image.shape[:2]
        far = person.box[:2] + person.box[2:]
        return (person.box[:2] < 0).any() or (far > (width, height)).any()

    assert 0 < sum(map(leaves, people)) < 20


def test_head_size_is_the_length_of_the_head_segment(people):
    ends = skeletons.MPII.indices(skeletons.MPII.head)
    for person in people:
        if person.visible[ends].all():
            neck, top = person.joints[ends]
            expected = np.linalg.norm(top - neck)
            assert person.head_size == pytest.approx(expected)


@pytest.mark.parametrize("heading, sign", [(0, 1), (180, -1)])
def test_left_is_on_the_pictures_right_only_from_the_front(heading, sign):
    for seed in range(20):
        points, _ = synthetic._pose(np.random.default_rng(seed), heading)
        for part in ("shoulder", "hip"):
            across = points[f"left_{part}"] - points[f"right_{part}"]
            assert sign * across[0] > 0


@pytest.mark.parametrize("heading, sign", [(0, 1), (180, -1)])
def test_chest_and_face_point_where_the_body_heads(heading, sign):
    for seed in range(20):
        _, turns = synthetic._pose(np.random.default_rng(seed), heading)
        assert sign * turns["thorax"][2, 2] > 0
        assert sign * turns["head_top"][2, 2] > 0


def test_seen_joints_lie_on_the_body():
    within = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        _, joints, visible, _, body = synthetic._photograph(rng)
        seen = visible == 2
        # The crown is the body's very edge.
        seen[JOINTS.index("head_top")] = False
        column, row = np.rint(joints[seen]).astype(int).T
        within.extend(body[row, column])
    assert np.mean(within) > 0.98


def paint(height, width, *tubes):
    """Paints level tubes `(x0, x1, y, z, radius, red)` in an even light."""
    image = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), -np.inf, np.float32)
    turn = synthetic._turn(aside=90)
    for x0, x1, y, z, radius, red in tubes:
        ends = np.array([(x0, y, z), (x1, y, z)], float)
        radii = np.array([radius, radius])
        print_ = np.full((32, 32, 3), red, np.float32)
        part = synthetic._Part(ends, turn, radii, print_)
        synthetic._paint(image, depth, part, np.zeros(3))
    return image[..., 0], depth


def test_a_part_in_front_hides_one_behind():
    near, far = (1, 7, 4, 5, 2, 200), (1, 7, 4, 0, 2, 100)
    alone, depth = paint(9, 9, near)
    # A tube's surface is its radius nearer than its axis.
    assert depth[4, 4] == pytest.approx(5 + 2)
    for tubes in ((near, far), (far, near)):
        image, depth = paint(9, 9, *tubes)
        assert image[4, 4] == alone[4, 4] > 0
        assert depth[4, 4] == pytest.approx(5 + 2)


def test_a_part_is_centred_on_its_joints_pixels():
    image, depth = paint(7, 9, (2, 6, 3, 0, 1.5, 255))
    np.testing.assert_allclose(image, image[::-1], atol=1e-3)
    np.testing.assert_allclose(image, image[:, ::-1], atol=1e-3)
    covered = depth > -np.inf
    np.testing.assert_array_equal(np.flatnonzero(covered[3]), range(1, 8))
    np.testing.assert_array_equal(np.flatnonzero(covered[:, 4]), range(2, 5))
    assert image[0, 4] == 0


def test_a_print_turns_with_the_body():
    # Columns run from the back over the right, the front and the left.
    print_ = np.zeros((32, 32, 3), np.float32)
    print_[:, 8:24] = 100
    ends = np.array([(10.0, 4, 0), (10, 16, 0)])
    for heading, expected in (
        (0, (True, True)),
        (90, (False, True)),
        (180, (False, False)),
    ):
        image = np.zeros((21, 21, 3), np.float32)
        depth = np.full((21, 21), -np.inf, np.float32)
        turn = synthetic._turn(around=heading)
        part = synthetic._Part(ends, turn, np.array([5.0, 5]), print_)
        synthetic._paint(image, depth, part, np.zeros(3))
        assert (image[10, 7, 0] > 30, image[10, 13, 0] > 30) == expected
