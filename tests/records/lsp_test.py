"""Tests for Leeds Sports Pose, on folders made up here."""

import json
import pathlib

import numpy as np
import pytest
import scipy.io
from PIL import Image

from integral_tf import skeletons
from integral_tf.records import lsp
from integral_tf.records import schema
from tests import in_process

ROOT = pathlib.Path(__file__).parents[2]
LSPET = ROOT.parent / "shared" / "data" / "lspet"
ANKLE, NECK, TOP = 0, 12, 13
# Of everyone: x from 20 to 80, y from 10 to 90.
POINTS = np.array(
    [(20, 90), (22, 70), (30, 50), (40, 50), (45, 70), (80, 90)]
    + [(25, 55), (25, 45), (30, 30), (42, 30), (48, 45), (47, 55)]
    + [(36, 30), (36, 10)],
    float,
)


def columns(count):
    """`(N, 14, 3)`: the same person again and again, every joint 1."""
    return np.concatenate(
        [np.stack([POINTS] * count), np.ones((count, 14, 1))], axis=-1
    )


def write_folder(folder, people, extended=True, digits=5):
    """Writes `(N, 14, 3)` as the one or the other release has it."""
    order = (1, 2, 0) if extended else (2, 1, 0)
    (folder / "images").mkdir(parents=True)
    scipy.io.savemat(folder / "joints.mat", {"joints": people.transpose(order)})
    rng = np.random.default_rng(0)
    for number in range(1, len(people) + 1):
        noise = rng.integers(0, 256, (100, 110, 3), np.uint8)
        path = folder / "images" / f"im{number:0{digits}d}.jpg"
        Image.fromarray(noise).save(path)
    return folder


def only_person(folder):
    ((_, annotation),) = lsp.people(folder)
    return lsp.person(annotation)


@pytest.mark.parametrize(
    "extended, digits, seen",
    # 1 is "labelled" in the extension, and "hidden" in LSP itself.
    [
        pytest.param(True, 5, (2, 0), id="LSP-extended"),
        pytest.param(False, 4, (1, 2), id="LSP"),
    ],
)
def test_reads_both_releases(tmp_path, extended, digits, seen):
    people = columns(3)
    people[1, 4] = (63.5, 21.25, 0)
    people[2, :, :2] += 2
    write_folder(tmp_path / "lsp", people, extended, digits)
    listed = lsp.people(tmp_path / "lsp")
    assert [name for name, _ in listed] == ["im00001", "im00002", "im00003"]
    assert [annotation.number for _, annotation in listed] == [1, 2, 3]
    for k, (_, annotation) in enumerate(listed):
        np.testing.assert_array_equal(annotation.joints, people[k, :, :2])
        expected = np.where(people[k, :, 2] == 1, *seen)
        np.testing.assert_array_equal(annotation.visible, expected)
        assert lsp.person(annotation).image.shape == (100, 110, 3)


def test_what_lies_beside_a_photograph_does_not_hide_it(tmp_path):
    folder = write_folder(tmp_path / "lsp", columns(1))
    for name in ("im00001.txt", "im00001.xml", "Thumbs.db"):
        (folder / "images" / name).write_text("labels")
    assert only_person(folder).image.shape == (100, 110, 3)


def test_box_and_head_by_hand(tmp_path):
    person = only_person(write_folder(tmp_path / "lsp", columns(1)))
    # 1.15 * (60, 80) around the edges' middle, (50.5, 50.5).
    np.testing.assert_allclose(person.box, (16, 4.5, 69, 92))
    assert person.head_size == 20
    np.testing.assert_array_equal(person.joints, POINTS)
    assert (person.image_id, person.source_id) == (1, "im00001")
    assert person.outside == 0


def test_mpiis_joints_are_lsps_by_name(tmp_path):
    ((_, annotation),) = lsp.people(write_folder(tmp_path / "lsp", columns(1)))
    person = lsp.person(annotation, skeleton=skeletons.MPII)
    where = dict(zip(skeletons.MPII.joints, person.joints.tolist()))
    assert where["right_ankle"] == [20, 90]
    assert where["upper_neck"] == [36, 30] and where["head_top"] == [36, 10]
    assert where["left_wrist"] == [47, 55]
    hidden = [skeletons.MPII.joints[i] for i in np.flatnonzero(
        person.visible == 0)]  # fmt: skip
    assert hidden == ["pelvis", "thorax"]
    assert person.head_size == 20


@pytest.mark.parametrize("point", [(-1, 50), (110, 50), (36, 100), (36, -0.6)])
def test_a_joint_outside_the_image_is_unlabelled(tmp_path, point):
    people = columns(1)
    people[0, TOP, :2] = point
    person = only_person(write_folder(tmp_path / "lsp", people))
    assert person.outside == 1
    assert person.visible.tolist() == [2] * 13 + [0]
    np.testing.assert_array_equal(person.joints[TOP], (0, 0))
    # The highest joint left is at y = 30, and no head can be measured.
    np.testing.assert_allclose(person.box[1], 60.5 - 1.15 * 30)
    assert person.head_size == 0


def test_the_outermost_pixels_are_inside(tmp_path):
    people = columns(1)
    people[0, TOP, :2], people[0, ANKLE, :2] = (0, 0), (109, 99)
    person = only_person(write_folder(tmp_path / "lsp", people))
    assert person.outside == 0 and person.visible.all()


def test_not_a_number_is_unlabelled(tmp_path):
    people = columns(1)
    people[0, NECK, :2] = np.nan
    person = only_person(write_folder(tmp_path / "lsp", people))
    assert person.visible[NECK] == 0 and person.outside == 1
    assert np.isfinite(person.box).all() and np.isfinite(person.joints).all()


def remove(path):
    path.unlink()


def fill_with_text(path):
    path.write_text("no picture")


def empty(path):
    path.write_bytes(b"")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-3000])


def keep(path):
    pass


@pytest.mark.parametrize(
    "harm, labels, reason",
    [
        (remove, 1, "image file missing"),
        (fill_with_text, 1, "image file is no picture that Pillow reads"),
        (empty, 1, "image file empty"),
        (truncate, 1, "image truncated or damaged"),
        (keep, 0, "no labelled joint inside the image"),
    ],
)
def test_says_why_a_person_is_dropped(tmp_path, harm, labels, reason):
    people = columns(1)
    people[..., 2] = labels
    write_folder(tmp_path / "lsp", people)
    harm(tmp_path / "lsp" / "images" / "im00001.jpg")
    with pytest.raises(schema.Dropped, match=f"^{reason}$"):
        only_person(tmp_path / "lsp")


@pytest.mark.parametrize("missing", ["joints.mat", "images"])
def test_refuses_half_a_folder(tmp_path, missing):
    write_folder(tmp_path / "lsp", columns(1))
    (tmp_path / "lsp" / missing).rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError, match=r"joints\.mat and images/"):
        lsp.people(tmp_path / "lsp")


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param({"joints": np.zeros((14, 2, 5))}, id="two rows"),
        pytest.param({"joints": np.zeros((16, 3, 5))}, id="16 joints"),
        pytest.param({"joints": np.zeros((14, 3))}, id="two dimensions"),
        pytest.param({"joints": "text"}, id="text"),
        pytest.param({"joints": np.full((14, 3, 2), "a", object)}, id="cells"),
        pytest.param({"points": np.zeros((14, 3, 5))}, id="another name"),
    ],
)
def test_refuses_other_matrices(tmp_path, contents):
    write_folder(tmp_path / "lsp", columns(1))
    scipy.io.savemat(tmp_path / "lsp" / "joints.mat", contents)
    with pytest.raises(ValueError, match=r"\(14, 3, N\).*Received: "):
        lsp.people(tmp_path / "lsp")


def test_refuses_what_is_no_matrix(tmp_path):
    path = write_folder(tmp_path / "lsp", columns(5)) / "joints.mat"
    scipy.io.savemat(
        path, {"joints": columns(5).transpose(1, 2, 0)}, do_compression=True
    )
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 255
    hdf5 = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n"
    cut_off = [whole[:length] for length in (0, 3, 120, 130, len(whole) - 9)]
    for contents in (*cut_off, bytes(broken), hdf5, b"<html>" * 99):
        path.write_bytes(contents)
        with pytest.raises(ValueError, match="not a MATLAB file.*Received:"):
            lsp.people(tmp_path / "lsp")


def build(source, out):
    return in_process.run(
        "build-lsp", f"--source={source}", f"--out={out}", "--image_size=16"
    )


def test_the_script_counts_whom_it_drops(tmp_path):
    people = columns(24)
    people[3, :, 2] = 0
    people[4, TOP, :2] = (500, 500)
    images = write_folder(tmp_path / "lsp", people) / "images"
    remove(images / "im00001.jpg")
    fill_with_text(images / "im00002.jpg")
    truncate(images / "im00003.jpg")

    built = build(tmp_path / "lsp", tmp_path / "records")

    assert built.returncode == 0, built.stderr
    manifest = json.loads((tmp_path / "records/manifest.json").read_text())
    splits = manifest["splits"].values()
    assert sum(split["people"] for split in splits) == 20
    assert sum(split["joints_outside"] for split in splits) == 1
    for count, reason in (
        (1, "image file missing"),
        (1, "image file is no picture that Pillow reads"),
        (1, "image truncated or damaged"),
        (1, "no labelled joint inside the image"),
    ):
        dropped = [split["dropped"].get(reason, 0) for split in splits]
        assert sum(dropped) == count
        assert f"dropped: {reason}" in built.stdout
    # Each of the three files is named.
    for name in ("im00001.jpg", "im00002.jpg", "im00003.jpg"):
        assert name in built.stdout


def test_the_script_says_one_sentence_and_fails(tmp_path):
    write_folder(tmp_path / "lsp", columns(1))
    (tmp_path / "lsp" / "joints.mat").write_bytes(b"")
    built = build(tmp_path / "lsp", tmp_path / "records")
    assert built.returncode != 0
    assert "build-lsp: joints.mat is not a MATLAB file" in built.stderr
    assert "Traceback" not in built.stderr
    assert not (tmp_path / "records").exists()


@pytest.mark.skipif(not LSPET.is_dir(), reason=f"no LSP-extended in {LSPET}")
def test_real_people_are_inside_their_photographs():
    listed = lsp.people(LSPET)
    assert (
        len(listed) == scipy.io.loadmat(LSPET / "joints.mat")["joints"].shape[2]
    )
    kept = 0
    for name, annotation in listed[::200]:
        if not pathlib.Path(annotation.path).is_file():
            continue  # a copy need not have all the photographs
        person = lsp.person(annotation)
        assert person.source_id == name
        height, width = person.image.shape[:2]
        points = person.joints[person.visible > 0]
        assert (points >= -0.5).all()
        assert (points <= (width - 0.5, height - 0.5)).all()
        x, y, w, h = person.box
        assert (
            (points + 0.5 >= (x, y)) & (points + 0.5 <= (x + w, y + h))
        ).all()
        # "Scaled such that the annotated person is roughly 150 pixels."
        assert 30 < max(w, h) < 600
        kept += 1
    assert kept > 20
