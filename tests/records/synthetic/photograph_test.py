"""Tests for the pictures of drawn people."""

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.records import synthetic
from integral_tf.records.synthetic import photograph
from integral_tf.records.synthetic import render

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


def test_seen_joints_lie_on_the_body():
    within = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        taken = photograph.take(rng)
        seen = taken.visible == 2
        # The crown is the body's very edge.
        seen[JOINTS.index("head_top")] = False
        column, row = np.rint(taken.joints[seen]).astype(int).T
        within.extend(taken.body[row, column])
    assert np.mean(within) > 0.98


@pytest.fixture(scope="module")
def levered():
    """Twenty people with every lever."""
    levers = synthetic.LEVERS
    return [synthetic.person(5, i, levers=levers) for i in range(20)]


@pytest.mark.parametrize("lever", synthetic.LEVERS)
def test_each_lever_changes_the_people_and_always_alike(lever):
    # A lever may leave some people as they are, not six in a row.
    plain = [synthetic.person(5, i).image for i in range(6)]
    drawn = [synthetic.person(5, i, levers=[lever]).image for i in range(6)]
    again = synthetic.person(5, 3, levers=[lever]).image
    assert any(not np.array_equal(a, b) for a, b in zip(plain, drawn))
    np.testing.assert_array_equal(again, drawn[3])


def test_joints_stay_on_the_people_with_every_lever(levered):
    for person in levered:
        labelled = person.visible > 0
        points = person.joints[labelled]
        low = person.box[:2] - 0.5
        assert (points >= low).all()
        assert (points <= low + person.box[2:]).all()
        assert np.isfinite(person.joints).all() and person.head_size > 0


def test_a_camera_that_is_near_enlarges_what_is_near():
    rng = np.random.default_rng(0)
    joints = np.array([(0, 0, 0.5), (0, 1, -0.5), (1, 0, 0.5), (1, 1, -0.5)])
    tube = render.Tube(
        ends=np.array([(0.0, 0.0, 0.5), (0.0, 1.0, -0.5)]),
        axes=np.eye(3),
        radii=np.array([0.1, 0.1]),
        texture=np.zeros((32, 32, 3)),
    )
    figure = photograph.Figure(joints, [tube])
    seen, (tube,) = photograph.perspective(rng, figure)
    distance = np.random.default_rng(0).uniform(1.3, 6)
    near, far = distance / (distance - 0.5), distance / (distance + 0.5)
    # The middle of the joints, (0.5, 0.5, 0), stays where it is.
    np.testing.assert_allclose(seen[0], [0.5 - 0.5 * near] * 2 + [0.5])
    np.testing.assert_allclose(seen[3], [0.5 + 0.5 * far] * 2 + [-0.5])
    np.testing.assert_allclose(tube.radii, [0.1 * near, 0.1 * far])
    np.testing.assert_allclose(tube.ends, seen[:2])


def test_an_unknown_lever_is_refused():
    with pytest.raises(ValueError, match="poses, cloth.*levers=.'shoes'"):
        synthetic.person(5, 0, levers=["shoes"])
