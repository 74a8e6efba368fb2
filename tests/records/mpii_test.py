"""Tests for MPII, on files made up here in the shape of the official ones."""

import json
import pathlib

import numpy as np
import pytest

from integral_tf import skeletons
from integral_tf.records import mpii
from integral_tf.records import mpii_annotations
from integral_tf.records import schema
from tests import in_process
from tests.records import mpii_files

ROOT = pathlib.Path(__file__).parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "mpii"
EMPTY = mpii_files.EMPTY
ANKLE, THORAX, NECK, TOP, WRIST = 0, 7, 8, 9, 15

WHOLE = mpii_files.person(
    [
        {"x": 11, "y": 41, "id": ANKLE, "is_visible": "1"},
        {"x": 31.5, "y": 6, "id": TOP, "is_visible": "0"},
        {"x": 31, "y": 11, "id": NECK, "is_visible": EMPTY},
        {"x": 21, "y": 31, "id": 6, "is_visible": 1},
        {"x": 51, "y": 21, "id": WRIST, "is_visible": 0},
    ],
    head=(11, 5, 14, 9),
    objpos=(31, 21),
    scale=0.2,
)
# No head box, no objpos, no scale, and nothing on what is hidden.
BARE = mpii_files.person(
    [{"x": 20, "y": 16, "id": THORAX}, {"x": 30, "y": 36, "id": ANKLE}]
)
ONE_POINT = mpii_files.person([{"x": 21, "y": 16, "id": THORAX}])
ONLY_HEAD = mpii_files.person(head=(1, 1, 4, 5))
TESTED = mpii_files.person(objpos=(9, 8), scale=0.1)
IMAGES = [
    ("000000010.jpg", 1, [1], [WHOLE, BARE]),
    ("000000020.jpg", 1, [], [ONE_POINT]),
    ("000000030.jpg", 1, [], []),
    ("000000040.jpg", 0, [1, 2], [TESTED, TESTED]),
    ("000000050.jpg", 1, [1], [ONLY_HEAD]),
    ("000000060.jpg", 0, [], []),
    ("000000070.jpg", 1, [2], [mpii_files.person([]), WHOLE]),
    ("000000080.jpg", 0, [1], [ONLY_HEAD]),
]


def entry(image="000000010.jpg", center=(31, 21), scale=0.2, **joints):
    """A person in Simple Baselines' form; joints by their number, `j0=`."""
    given = {int(name[1:]): point for name, point in joints.items()}
    return {
        "image": image,
        "center": list(center),
        "scale": scale,
        "joints": [list(given.get(i, (-1, -1))) for i in range(16)],
        "joints_vis": [int(i in given) for i in range(16)],
    }


@pytest.fixture
def folder(tmp_path):
    """MPII as it unpacks: the `.mat` in a folder of its own, and `images/`."""
    annotations = tmp_path / "mpii" / "mpii_human_pose_v1_u12_2"
    annotations.mkdir(parents=True)
    mpii_files.write_release(
        annotations / "mpii_human_pose_v1_u12_1.mat", IMAGES
    )
    names = [name for name, *_ in IMAGES]
    mpii_files.write_photographs(tmp_path / "mpii" / "images", names)
    return tmp_path / "mpii"


def json_folder(tmp_path, *entries):
    mpii_files.write_json(tmp_path / "train.json", list(entries))
    names = {entry["image"] for entry in entries}
    mpii_files.write_photographs(tmp_path / "images", names)
    return tmp_path


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
    labelled = {ANKLE: (10, 40), TOP: (30.5, 5), NECK: (30, 10)}
    labelled |= {6: (20, 30), WRIST: (50, 20)}
    expected = np.zeros((16, 2))
    for joint, point in labelled.items():
        expected[joint] = point
    np.testing.assert_array_equal(person.joints, expected)
    # "1" and 1 are seen, "0" and 0 hidden, and empty says nothing: seen.
    visible = {ANKLE: 2, TOP: 1, NECK: 2, 6: 2, WRIST: 1}
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
    assert np.flatnonzero(person.visible).tolist() == [ANKLE, THORAX]
    assert person.visible[THORAX] == 2
    assert person.head_size == 0
    # 1.25 * (10, 20) around (24, 25).
    np.testing.assert_allclose(person.box, (18.25, 13, 12.5, 25))


@pytest.mark.parametrize("rect", [WHOLE, ONE_POINT], ids=["whole", "one point"])
def test_a_person_alone_is_read_as_among_others(tmp_path, rect):
    # scipy gives one struct for one, an array for several, and so for images,
    # people and points; one image's single_person loses its cell.
    images = [("000000010.jpg", 1, [1], [rect])]
    alone = mpii_files.write_release(tmp_path / "alone.mat", images)
    images = [("000000010.jpg", 1, [1], [rect, BARE])] + IMAGES[1:]
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
        tmp_path / "one.mat", [("000000010.jpg", 1, single, [WHOLE, BARE])]
    )
    (photograph,) = mpii_annotations.read_release(path)
    assert [p.number for p in photograph.people if p.apart] == single


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
    source = json_folder(tmp_path, entry(j0=point, j7=(20, 20)))
    person = only_person(source)
    assert person.outside == 1 - inside
    assert person.visible[ANKLE] == 2 * inside
    expected = np.subtract(point, 1) * inside
    np.testing.assert_array_equal(person.joints[ANKLE], expected)


def test_nobody_inside_is_dropped(tmp_path):
    source = json_folder(tmp_path, entry(j0=(500, 9)))
    with pytest.raises(schema.Dropped, match="inside the image"):
        only_person(source)


@pytest.mark.parametrize("centre", [(1e9, 1e9), (-500, 20), (20, 900)])
def test_a_box_beside_the_photograph_is_dropped(tmp_path, centre):
    folder = json_folder(tmp_path, entry(center=centre, j0=(11, 21)))
    with pytest.raises(schema.Dropped, match="box without area") as dropped:
        only_person(folder)
    assert "_1, [" in dropped.value.example


def test_the_json_of_simple_baselines_by_hand(tmp_path):
    source = json_folder(
        tmp_path,
        entry(j0=(11, 41), j8=(31, 11), j9=(34, 7)),
        entry(center=(-1, -1), scale=-1, j0=(11, 21), j7=(21, 41)),
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


def test_a_json_that_counts_from_0(tmp_path):
    source = json_folder(tmp_path, entry(center=(30, 20), j0=(10, 40)))
    person = only_person(source, zero_based=True)
    np.testing.assert_array_equal(person.joints[ANKLE], (10, 40))
    np.testing.assert_allclose(person.box, (10.5, 3.5, 40, 40))


def test_names_that_are_no_numbers_are_counted(tmp_path):
    source = json_folder(
        tmp_path, entry("b.jpg", j0=(9, 9)), entry("a.jpg", j0=(9, 9))
    )
    numbers = {name: a.image_id for name, a in mpii.people(source)}
    assert numbers == {"b_1": 1, "a_1": 2}


def crowd():
    """Three people in each of 400 photographs, as `people` lists them."""
    nowhere = np.zeros((16, 2)), np.zeros(16, int)
    people = [
        mpii_annotations.Annotation(
            f"{photograph:09d}.jpg",
            number,
            *nowhere,
            centre=np.array([100.0 * number, photograph]),
        )
        for photograph in range(400)
        for number in (1, 2, 3)
    ]
    return [(annotation.source_id, annotation) for annotation in people]


def test_people_of_a_photograph_share_a_split():
    listed = crowd()
    split = mpii.by_share(0.25)
    splits = {}
    for name, annotation in listed:
        splits.setdefault(annotation.image, set()).add(split(name))
    assert all(len(names) == 1 for names in splits.values())
    val = sum(names == {"val"} for names in splits.values())
    assert 70 < val < 130  # a quarter of 400; six standard deviations
    assert {mpii.by_share(0.0)(name) for name, _ in listed} == {"train"}
    assert {mpii.by_share(1.0)(name) for name, _ in listed} == {"val"}


def test_a_list_of_people_leaves_their_neighbours_out(tmp_path):
    # Simple Baselines' valid.json: their centres count from 1.
    path = mpii_files.write_json(
        tmp_path / "valid.json",
        [
            entry("000000007.jpg", center=(201, 8)),
            entry("000000007.jpg", center=(301, 8)),
            entry("000000009.jpg", center=(101, 10)),
            entry("000000009.jpg", center=(151, 10)),  # nobody's centre
            entry("000009999.jpg", center=(101, 10)),  # no such photograph
        ],
    )
    listed, split, line = mpii.by_list(crowd(), path)
    val = [n for n, a in listed if split(n) == "val" and not a.left_out]
    assert val == ["000000007_2", "000000007_3", "000000009_1"]
    out = [name for name, annotation in listed if annotation.left_out]
    assert out == ["000000007_1", "000000009_2", "000000009_3"]
    # Counted as dropped from the validation split.
    assert {split(name) for name in out} == {"val"}
    train = [name for name, _ in listed if split(name) == "train"]
    assert len(train) == 1200 - 6
    assert line == "valid.json, 5 entries for 3 people"
    with pytest.raises(schema.Dropped, match="not on the list"):
        mpii.person(dict(listed)["000000007_1"])


@pytest.mark.parametrize(
    "text, val, out",
    [
        ("000000007.jpg\n\n", "123", ""),
        ("images/000000007.jpg", "123", ""),
        ("000000007", "123", ""),
        ("000000007_2\n", "2", "13"),
    ],
    ids=["name", "path", "stem", "person"],
)
def test_a_list_in_lines_of_text(tmp_path, text, val, out):
    path = tmp_path / "val.txt"
    path.write_text(text)
    listed, split, _ = mpii.by_list(crowd(), path)
    chosen = [n for n, a in listed if split(n) == "val" and not a.left_out]
    assert chosen == [f"000000007_{number}" for number in val]
    left = [name for name, annotation in listed if annotation.left_out]
    assert left == [f"000000007_{number}" for number in out]


def test_a_json_list_without_centres_names_photographs(tmp_path):
    path = mpii_files.write_json(
        tmp_path / "val.json", [{"image": "000000007.jpg"}]
    )
    listed, split, _ = mpii.by_list(crowd(), path)
    assert sum(split(name) == "val" for name, _ in listed) == 3


@pytest.mark.parametrize(
    "name, contents, message",
    [
        ("val.txt", "000009999.jpg\n", "names nobody"),
        ("val.json", "[]", "names nobody"),
        ("val.json", "[1]", "lines of image names or a JSON list"),
        ("val.json", "{", "lines of image names or a JSON list"),
        ("val.json", '[{"file": 1}]', "lines of image names or a JSON list"),
    ],
)
def test_refuses_other_lists(tmp_path, name, contents, message):
    path = tmp_path / name
    path.write_text(contents)
    with pytest.raises(ValueError, match=f"{message}.*Received: val_list="):
        mpii.by_list(crowd(), path)
    with pytest.raises(FileNotFoundError, match="Received: val_list="):
        mpii.by_list(crowd(), tmp_path / "nowhere.txt")


@pytest.mark.parametrize(
    "broken",
    [
        [{}],
        ["text"],
        {"images": []},
        [{"image": "1.jpg", "center": [1, 1], "scale": 1}],
        [{**entry(), "joints": [[1, 2]] * 14}],
        [{**entry(), "joints_vis": [1] * 14}],
        [{**entry(), "center": [1]}],
        [{**entry(), "scale": "tall"}],
        [{**entry(), "scale": 900}],  # pixels, where height / 200 is meant
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
    release = mpii_files.write_release(tmp_path / "r.mat", IMAGES[:2])
    mpii_files.scipy.io.savemat(release, {"joints": np.zeros((14, 3, 5))})
    with pytest.raises(ValueError, match="RELEASE has annolist"):
        mpii_annotations.read_release(release)
    with pytest.raises(FileNotFoundError, match="Received: "):
        mpii_annotations.read_release(tmp_path / "nowhere.mat")


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
    source = json_folder(tmp_path, entry(j0=(9, 9))) / "train.json"
    with pytest.raises(ValueError, match="sufficiently separated.*Received: "):
        mpii.people(source, choice="single")
    with pytest.raises(ValueError, match="Received: 'some'"):
        mpii.people(source, choice="some")
    with pytest.raises(ValueError, match="Received: zero_based=True"):
        mpii.people(folder, zero_based=True)


def build(*flags):
    return in_process.run("build-mpii", "--image_size=16", *flags)


def test_the_script_counts_whom_it_drops(tmp_path):
    """Two photographs: one to train on, one whose first person is listed."""
    mpii_files.write_release(
        tmp_path / "mpii_human_pose_v1_u12_1.mat",
        [
            ("000000010.jpg", 1, [1], [WHOLE, ONLY_HEAD]),
            ("000000020.jpg", 1, [1], [WHOLE, BARE]),
            ("000000030.jpg", 0, [1], [TESTED]),
        ],
    )
    names = ("000000010.jpg", "000000020.jpg")
    mpii_files.write_photographs(tmp_path / "images", names)
    path = mpii_files.write_json(tmp_path / "v.json", [entry(names[1])])

    out = tmp_path / "records"
    built = build(f"--source={tmp_path}", f"--out={out}", f"--val_list={path}")

    assert built.returncode == 0, built.stderr
    manifest = json.loads((out / "manifest.json").read_text())
    train, val = (manifest["splits"][name] for name in ("train", "val"))
    assert (train["people"], val["people"]) == (1, 1)
    assert train["dropped"] == {"no joint annotated": 1}
    left = "in a validation image, but not on the list"
    assert val["dropped"] == {left: 1}
    assert manifest["skeleton"] == "mpii"
    assert "0.6 of the head box's diagonal" in manifest["source"]
    assert "validation: v.json, 1 entries for 1 people" in built.stdout
    assert f"val: 1 dropped: {left}" in built.stdout


def test_the_script_says_one_sentence_and_fails(tmp_path):
    json_folder(tmp_path, entry(j0=(9, 9)))
    out = tmp_path / "records"
    built = build(f"--source={tmp_path}", f"--out={out}", "--people=single")
    assert built.returncode != 0
    assert "build-mpii: Only the official .mat says" in built.stderr
    assert "Received: people='single'" in built.stderr
    assert "Traceback" not in built.stderr
    assert not out.exists() and not list(tmp_path.glob(".*.partial*"))


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
    ]
    (tmp_path / "images").mkdir()
    path = tmp_path / "a.json"
    path.write_text(json.dumps([*bad, good]))
    reasons = {
        name: annotation.left_out for name, annotation in mpii.people(path)
    }
    form = "entry that is not of the form of MPII's JSON"
    assert sorted(reasons.values()) == sorted([
        form, form, form, form, "", "image file outside the folder of images",
    ])  # fmt: skip
    with pytest.raises(schema.Dropped) as dropped:
        mpii.person(dict(mpii.people(path))["entry 1_1"])
    assert dropped.value.example == "entry 1_1"
