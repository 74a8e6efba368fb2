"""Tests for what makes drawn people more like photographs."""

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.records import synthetic
from integral_tf.records import synthetic_levers


@pytest.fixture(scope="module")
def people():
    """Twenty people with every lever."""
    levers = synthetic_levers.LEVERS
    return [synthetic.person(5, i, levers=levers) for i in range(20)]


@pytest.mark.parametrize("lever", synthetic_levers.LEVERS)
def test_each_lever_changes_the_people_and_always_alike(lever):
    # A lever may leave some people as they are, not six in a row.
    plain = [synthetic.person(5, i).image for i in range(6)]
    drawn = [synthetic.person(5, i, levers=[lever]).image for i in range(6)]
    again = synthetic.person(5, 3, levers=[lever]).image
    assert any(not np.array_equal(a, b) for a, b in zip(plain, drawn))
    np.testing.assert_array_equal(again, drawn[3])


def test_joints_stay_on_the_people(people):
    for person in people:
        labelled = person.visible > 0
        points = person.joints[labelled]
        low = person.box[:2] - 0.5
        assert (points >= low).all()
        assert (points <= low + person.box[2:]).all()
        assert np.isfinite(person.joints).all() and person.head_size > 0


def test_acrobats_stand_on_their_heads_and_lie():
    plain = [synthetic.person(5, i) for i in range(40)]
    wild = [synthetic.person(5, i, levers=["poses"]) for i in range(40)]

    def lying(some):
        neck, pelvis = skeletons.MPII.indices(["upper_neck", "pelvis"])
        seen = [p.joints for p in some if p.visible[[neck, pelvis]].all()]
        along = [np.abs(j[neck] - j[pelvis]) for j in seen]
        return np.mean([x > y for x, y in along])

    assert lying(wild) > lying(plain) + 0.1


def test_a_camera_that_is_near_enlarges_what_is_near():
    rng = np.random.default_rng(0)
    joints = np.array([(0, 0, 0.5), (0, 1, -0.5), (1, 0, 0.5), (1, 1, -0.5)])
    part = synthetic._Part(
        ends=np.array([(0.0, 0.0, 0.5), (0.0, 1.0, -0.5)]),
        turn=np.eye(3),
        radii=np.array([0.1, 0.1]),
        print=np.zeros((32, 32, 3)),
    )
    seen = synthetic_levers.perspective(rng, [part], joints)
    distance = np.random.default_rng(0).uniform(1.3, 6)
    near, far = distance / (distance - 0.5), distance / (distance + 0.5)
    # The middle of the joints, (0.5, 0.5, 0), stays where it is.
    np.testing.assert_allclose(seen[0], [0.5 - 0.5 * near] * 2 + [0.5])
    np.testing.assert_allclose(seen[3], [0.5 + 0.5 * far] * 2 + [-0.5])
    np.testing.assert_allclose(part.radii, [0.1 * near, 0.1 * far])
    np.testing.assert_allclose(part.ends, seen[:2])


def test_an_unknown_lever_is_refused():
    with pytest.raises(ValueError, match="poses, cloth.*levers=.'shoes'"):
        synthetic.person(5, 0, levers=["shoes"])
