"""Tests for MPII's annotations in both forms, made up here in their shape."""

import json

import numpy as np
import pytest

from integral_tf.records import mpii
from integral_tf.records import mpii_annotations
from integral_tf.records import photographs
from integral_tf.records import schema
from tests.records import mpii_files


@pytest.fixture
def folder(tmp_path):
    return mpii_files.write_folder(tmp_path / "mpii")


@pytest.mark.parametrize(
    "rect", [mpii_files.WHOLE, mpii_files.ONE_POINT], ids=["whole", "one point"]
)
def test_a_person_alone_is_read_as_among_others(tmp_path, rect):
    # scipy gives one struct for one, an array for several, and so for images,
    # people and points; one image's single_person loses its cell.
    images = [("000000010.jpg", 1, [1], [rect])]
    alone = mpii_files.write_release(tmp_path / "alone.mat", images)
    images = [
        ("000000010.jpg", 1, [1], [rect, mpii_files.BARE])
    ] + mpii_files.IMAGES[1:]
    among = mpii_files.write_release(tmp_path / "among.mat", images)
    (photograph,) = mpii_annotations.read_release(alone)
    (first,) = photograph.people
    other = mpii_annotations.read_release(among)[0].people[0]
    assert first.apart and other.apart and photograph.training
    np.testing.assert_array_equal(first.joints, other.joints)
    np.testing.assert_array_equal(first.visible, other.visible)
    np.testing.assert_array_equal(first.centre, other.centre)
    assert first.visible.any()
    assert (first.scale, first.head_size) == (other.scale, other.head_size)


@pytest.mark.parametrize(
    "single", [[1, 2], [2], [1]], ids=["both", "second", "first"]
)
def test_one_images_single_people(tmp_path, single):
    path = mpii_files.write_release(
        tmp_path / "one.mat",
        [("000000010.jpg", 1, single, [mpii_files.WHOLE, mpii_files.BARE])],
    )
    (photograph,) = mpii_annotations.read_release(path)
    assert [p.number for p in photograph.people if p.apart] == single


def test_the_json_of_simple_baselines_by_hand(tmp_path):
    source = mpii_files.json_folder(
        tmp_path,
        mpii_files.entry(j0=(11, 41), j8=(31, 11), j9=(34, 7)),
        mpii_files.entry(center=(-1, -1), scale=-1, j0=(11, 21), j7=(21, 41)),
    )
    listed = mpii.people(source)
    assert [name for name, _ in listed] == ["000000010_1", "000000010_2"]
    first, second = (mpii.person(annotation) for _, annotation in listed)
    np.testing.assert_array_equal(first.joints[[0, 8, 9]][:, 0], (10, 30, 33))
    np.testing.assert_array_equal(first.joints[[0, 8, 9]][:, 1], (40, 10, 6))
    assert np.flatnonzero(first.visible == 2).tolist() == [0, 8, 9]
    np.testing.assert_allclose(first.box, (10.5, 3.5, 40, 40))
    assert first.head_size == 5  # from (30, 10) to (33, 6)
    # 1.25 * (10, 20) around (15, 30), and no head.
    np.testing.assert_allclose(second.box, (9.25, 18, 12.5, 25))
    assert second.head_size == 0


def test_a_head_beyond_all_pictures_is_unknown(tmp_path):
    far = mpii_files.entry(j0=(11, 41), j8=(31, 11), j9=(1e300, 7))
    ((_, annotation),) = mpii.people(mpii_files.json_folder(tmp_path, far))
    assert annotation.head_size == 0


@pytest.mark.parametrize(
    "broken",
    [
        [{}],
        ["text"],
        {"images": []},
        [{"image": "1.jpg", "center": [1, 1], "scale": 1}],
        [{**mpii_files.entry(), "joints": [[1, 2]] * 14}],
        [{**mpii_files.entry(), "joints_vis": [1] * 14}],
        [{**mpii_files.entry(), "center": [1]}],
        [{**mpii_files.entry(), "scale": "tall"}],
        [
            {**mpii_files.entry(), "scale": 900}
        ],  # pixels, where height / 200 is meant
    ],
)
def test_refuses_other_json(tmp_path, broken):
    path = mpii_files.write_json(tmp_path / "train.json", broken)
    (tmp_path / "images").mkdir()
    with pytest.raises(ValueError, match=r"joints: 16 of .*Received: "):
        mpii.people(path)


def test_refuses_other_mats(tmp_path, folder):
    path = mpii.find(folder)
    whole = path.read_bytes()
    half = whole[: len(whole) // 2]
    for contents in (whole[:200], half, b"", b"<html>" * 99):
        path.write_bytes(contents)
        with pytest.raises(ValueError, match="not MPII's .mat.*Received: "):
            mpii.people(folder)
    release = mpii_files.write_release(
        tmp_path / "r.mat", mpii_files.IMAGES[:2]
    )
    mpii_files.scipy.io.savemat(release, {"joints": np.zeros((14, 3, 5))})
    with pytest.raises(ValueError, match="RELEASE has annolist"):
        mpii_annotations.read_release(release)
    with pytest.raises(FileNotFoundError, match="Received: "):
        mpii_annotations.read_release(tmp_path / "nowhere.mat")


def test_one_bad_entry_is_left_out_and_named(tmp_path):
    good = {
        "image": "1.jpg",
        "joints": [[10 + k, 5 + k] for k in range(16)],
        "joints_vis": [1] * 16,
        "center": [30, 24],
        "scale": 0.2,
    }
    bad = [
        5,
        {**good, "image": 7},
        {**good, "scale": 10**400},
        {**good, "joints": [[1, 2]]},
        {**good, "image": "../secret.jpg"},
        {**good, "image": "link.jpg"},
    ]
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    path = tmp_path / "a.json"
    path.write_text(json.dumps([*bad, good]))
    reasons = {
        name: annotation.left_out for name, annotation in mpii.people(path)
    }
    form = "entry that is not of the form of MPII's JSON"
    assert sorted(reasons.values()) == sorted([
        form, form, form, form, "", photographs.OUTSIDE, photographs.OUTSIDE,
    ])  # fmt: skip
    with pytest.raises(schema.Dropped) as dropped:
        mpii.person(dict(mpii.people(path))["entry 1_1"])
    assert dropped.value.example == "entry 1_1"
