"""Tests for MPII, on files made up here in the shape of the official ones."""

import pathlib

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.records import mpii
from integral_tf.records import schema
from tests.records import mpii_files

ROOT = pathlib.Path(__file__).parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "mpii"
ANKLE, THORAX, NECK, TOP, WRIST = 0, 7, 8, 9, 15


@pytest.fixture
def folder(tmp_path):
    return mpii_files.write_folder(tmp_path / "mpii")


def only_person(folder, **options):
    ((_, annotation),) = mpii.people(folder, **options)
    return mpii.person(annotation)


def test_lists_everyone_of_the_training_images(folder):
    listed = dict(mpii.people(folder))
    assert list(listed) == [
        "000000010_1",
        "000000010_2",
        "000000020_1",
        "000000050_1",
        "000000070_1",
        "000000070_2",
    ]
    assert {name: a.image_id for name, a in listed.items()} == {
        "000000010_1": 10,
        "000000010_2": 10,
        "000000020_1": 20,
        "000000050_1": 50,
        "000000070_1": 70,
        "000000070_2": 70,
    }


def test_single_people_are_those_of_the_list(folder):
    # RELEASE.single_person, counted from 1: [1], [], [1] and [2].
    names = [name for name, _ in mpii.people(folder, choice="single")]
    assert names == ["000000010_1", "000000050_1", "000000070_2"]


def test_a_whole_person_by_hand(folder):
    person = mpii.person(dict(mpii.people(folder))["000000010_1"])
    # One less than in the file: MATLAB's first pixel is 1, ours is 0.
    labelled = {
        ANKLE: (10, 40),
        TOP: (30.5, 5),
        NECK: (30, 10),
    }
    labelled |= {6: (20, 30), WRIST: (50, 20)}
    expected = np.zeros((16, 2))
    for joint, point in labelled.items():
        expected[joint] = point
    np.testing.assert_array_equal(person.joints, expected)
    # "1" and 1 are seen, "0" and 0 hidden, and empty says nothing: seen.
    visible = {
        ANKLE: 2,
        TOP: 1,
        NECK: 2,
        6: 2,
        WRIST: 1,
    }
    assert person.visible.tolist() == [visible.get(i, 0) for i in range(16)]
    # 0.2 * 200 = 40 pixels around (30, 20 + 15 * 0.2), whose edges are half a
    # pixel on.
    np.testing.assert_allclose(person.box, (10.5, 3.5, 40, 40))
    # A head box of 3 x 4 has a diagonal of 5.
    assert person.head_size == pytest.approx(0.6 * 5)
    assert person.image.shape == (48, 64, 3)
    assert (person.image_id, person.source_id) == (10, "000000010_1")
    assert person.outside == 0


def test_a_person_without_scale_head_and_flags(folder):
    person = mpii.person(dict(mpii.people(folder))["000000010_2"])
    np.testing.assert_array_equal(person.joints[[THORAX, ANKLE]][0], (19, 15))
    np.testing.assert_array_equal(person.joints[ANKLE], (29, 35))
    assert np.flatnonzero(person.visible).tolist() == [
        ANKLE,
        THORAX,
    ]
    assert person.visible[THORAX] == 2
    assert person.head_size == 0
    # 1.25 * (10, 20) around (24, 25).
    np.testing.assert_allclose(person.box, (18.25, 13, 12.5, 25))


def test_test_images_have_people_but_no_joints(folder):
    listed = mpii.test_people(folder)
    # The third of the single people has no objpos: the toolkit passes over it.
    assert [name for name, _ in listed] == ["000000040_1", "000000040_2"]
    for _, annotation in listed:
        assert not annotation.visible.any()
        # 20 pixels around (8, 7 + 1.5).
        np.testing.assert_allclose(annotation.box, (-1.5, -1, 20, 20))
        assert pathlib.Path(annotation.path).is_file()


@pytest.mark.parametrize(
    "name, reason",
    [
        pytest.param("000000050_1", "no joint annotated", id="no annopoints"),
        pytest.param("000000070_1", "no joint annotated", id="empty ones"),
        pytest.param("000000020_1", "image file missing", id="no image"),
        pytest.param(
            "000000010_1",
            "image file is no picture that Pillow reads",
            id="text",
        ),
    ],
)
def test_says_why_a_person_is_dropped(folder, name, reason):
    (folder / "images" / "000000020.jpg").unlink()
    (folder / "images" / "000000010.jpg").write_text("no picture")
    with pytest.raises(schema.Dropped, match=f"^{reason}$"):
        mpii.person(dict(mpii.people(folder))[name])


@pytest.mark.parametrize(
    "point, inside",
    # The photograph is 64 x 48, so its pixels are 1..64 and 1..48.
    [((1, 1), 1), ((64, 48), 1), ((0, 9), 0), ((65, 9), 0), ((9, 49), 0)],
)
def test_a_joint_outside_the_image_is_unlabelled(tmp_path, point, inside):
    source = mpii_files.json_folder(
        tmp_path, mpii_files.entry(j0=point, j7=(20, 20))
    )
    person = only_person(source)
    assert person.outside == 1 - inside
    assert person.visible[ANKLE] == 2 * inside
    expected = np.subtract(point, 1) * inside
    np.testing.assert_array_equal(person.joints[ANKLE], expected)


def test_nobody_inside_is_dropped(tmp_path):
    source = mpii_files.json_folder(tmp_path, mpii_files.entry(j0=(500, 9)))
    with pytest.raises(schema.Dropped, match="inside the image"):
        only_person(source)


@pytest.mark.parametrize("centre", [(5e3, 5e3), (-500, 20), (20, 900)])
def test_a_box_beside_the_photograph_is_dropped(tmp_path, centre):
    folder = mpii_files.json_folder(
        tmp_path, mpii_files.entry(center=centre, j0=(11, 21))
    )
    with pytest.raises(schema.Dropped, match="box without area") as dropped:
        only_person(folder)
    assert "_1, [" in dropped.value.example


def test_names_that_are_no_numbers_are_counted(tmp_path):
    source = mpii_files.json_folder(
        tmp_path,
        mpii_files.entry("b.jpg", j0=(9, 9)),
        mpii_files.entry("a.jpg", j0=(9, 9)),
    )
    numbers = {name: a.image_id for name, a in mpii.people(source)}
    assert numbers == {"b_1": 1, "a_1": 2}


def test_refuses_a_folder_with_none_or_several(tmp_path, folder):
    (folder / "images").rename(folder / "pictures")
    with pytest.raises(FileNotFoundError, match="photographs are a folder"):
        mpii.people(folder)
    assert len(mpii.people(folder, images=folder / "pictures")) == 6
    with pytest.raises(FileNotFoundError, match="Received: images="):
        mpii.people(folder, images=tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileNotFoundError, match=r"files=\[\]"):
        mpii.find(empty)
    for name in ("train.json", "valid.json"):
        mpii_files.write_json(empty / name, [])
    with pytest.raises(FileNotFoundError, match="'train.json', 'valid.json'"):
        mpii.find(empty)
    assert mpii.find(empty / "train.json") == empty / "train.json"


def test_refuses_what_the_file_does_not_say(tmp_path, folder):
    source = (
        mpii_files.json_folder(tmp_path, mpii_files.entry(j0=(9, 9)))
        / "train.json"
    )
    with pytest.raises(ValueError, match="sufficiently separated.*Received: "):
        mpii.people(source, choice="single")
    with pytest.raises(ValueError, match="Received: 'some'"):
        mpii.people(source, choice="some")
    with pytest.raises(ValueError, match="Received: zero_based=True"):
        mpii.people(folder, zero_based=True)


@pytest.mark.skipif(not SAMPLE.is_dir(), reason=f"no MPII sample in {SAMPLE}")
def test_real_people_are_inside_their_photographs():
    listed = mpii.people(SAMPLE)
    assert len(listed) == 5
    neck, top = skeletons.MPII.indices(skeletons.MPII.head)
    for name, annotation in listed:
        person = mpii.person(annotation)
        assert name == person.source_id == f"{person.image_id:09d}_1"
        assert person.outside == 0
        height, width = person.image.shape[:2]
        points = person.joints[person.visible > 0]
        assert len(points) >= 14
        assert (points >= 0).all() and (points < (width, height)).all()
        # "Scale w.r.t. 200 px height": the joints' height is a little less,
        # and they lie in the box, one of them on its edge.
        x, y, side, _ = person.box
        assert 0.6 < np.ptp(points[:, 1]) / side < 0.95
        assert (points > (x - 1, y - 1)).all()
        assert (points < (x + side, y + side)).all()
        # A head is a sixth to an eighth of a standing person's height.
        assert 0.1 < person.head_size / side < 0.25
        # Everyone here is upright and has the head's top above the neck.
        assert person.joints[top, 1] < person.joints[neck, 1]


def test_a_json_that_counts_from_0(tmp_path):
    source = mpii_files.json_folder(
        tmp_path, mpii_files.entry(center=(30, 20), j0=(10, 40))
    )
    person = only_person(source, zero_based=True)
    np.testing.assert_array_equal(person.joints[ANKLE], (10, 40))
    np.testing.assert_allclose(person.box, (10.5, 3.5, 40, 40))
