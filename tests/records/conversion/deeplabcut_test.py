"""Tests for reading and writing DeepLabCut's and Lightning Pose's tables."""

import re

import h5py
import numpy as np
import pytest

from integral_tf.records.conversion import deeplabcut
from integral_tf.records.conversion import pictures
from tests.records.conversion import conversions
from tests.records.conversion import films

SINGLE = """scorer,,,me,me,me,me
bodyparts,,,nose,nose,tail,tail
coords,,,x,y,x,y
labeled-data,clip,img1.png,1.5,2.5,,
labeled-data,clip,img2.png,,,,
"""
SEVERAL = """scorer,me,me,me,me,me,me
individuals,one,one,two,two,single,single
bodyparts,nose,nose,nose,nose,ball,ball
coords,x,y,x,y,x,y
labeled-data/clip/img1.png,1,2,3,4,5,6
labeled-data/clip/img2.png,,,7,8,,
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "labeled-data" / "clip"
    for name in ("img1.png", "img2.png"):
        conversions.picture(folder / name)

    def write(text, name="CollectedData_me.csv"):
        path = folder / name
        path.write_text(text)
        return path

    return write


def test_one_animal(project, tmp_path):
    project(SINGLE)
    done = conversions.run(tmp_path, tmp_path)
    (person,) = done.people
    assert conversions.points(person) == [[1.5, 2.5, 2], [0, 0, 0]]
    assert done.truth["categories"][0]["keypoints"] == ["nose", "tail"]
    assert [image["file_name"] for image in done.content["images"]] == [
        "labeled-data/clip/img1.png",
        "labeled-data/clip/img2.png",
    ]
    assert conversions.counts(done.found) == {"picture without labels": 1}
    # The sizes are the pictures'.
    assert done.content["images"][0]["width"] == 60


def test_several_animals_and_a_thing(project, tmp_path):
    path = project(SEVERAL)
    found = deeplabcut.read(path, pictures.Pictures(tmp_path))
    assert [(c.name, c.keypoints) for c in found.categories] == [
        ("animal", ("nose",)),
        ("single", ("ball",)),
    ]
    rows = [(p.category, p.points.tolist()) for p in found.people]
    assert rows == [
        ("animal", [[1, 2, 2]]),
        ("animal", [[3, 4, 2]]),
        ("single", [[5, 6, 2]]),
        ("animal", [[7, 8, 2]]),
    ]


def test_frames_of_a_video_have_names(project, tmp_path):
    # As Lightning Pose and DeepLabCut predict.
    conversions.picture(tmp_path / "clip" / "000007.png")
    path = project(
        "scorer,heatmap,heatmap,heatmap\nbodyparts,nose,nose,nose\n"
        "coords,x,y,likelihood\n7,1,2,0.9\n",
        "clipDLC_resnet50.csv",
    )
    done = conversions.run(path, tmp_path, format="lightning_pose")
    assert done.content["images"][0]["file_name"] == "clip/000007.png"
    assert done.found.people[0].scores.tolist() == [0.9]


@pytest.mark.parametrize("depth", [1, 3])
def test_blocks_in_another_order(project, tmp_path, depth):
    """The groups and datasets that pandas writes of `SINGLE`."""
    path = tmp_path / "labels.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")

        def axis(name, levels, labels, names=()):
            for number, level in enumerate(levels):
                made = group.create_dataset(f"{name}_level{number}", data=level)
                made.attrs["name"] = np.bytes_((names or ["N."] * 9)[number])
                group[f"{name}_label{number}"] = np.int8(labels[number])

        levels = [[b"me"], [b"nose", b"tail"], [b"x", b"y"]]
        names = ["scorer", "bodyparts", "coords"]
        axis("axis0", levels, [[0] * 4, [0, 0, 1, 1], [0, 1, 0, 1]], names)
        axis("block0_items", levels, [[0] * 2, [0, 0], [0, 1]])
        axis("block1_items", levels, [[0] * 2, [1, 1], [1, 0]])
        group["block0_values"] = np.array([[1.5, 2.5], [np.nan, np.nan]])
        group["block1_values"] = np.array([[3, 4], [5, 6]])  # tail's y, x
        if depth == 3:
            folders = [[b"labeled-data"], [b"clip"], [b"img1.png", b"img2.png"]]
            axis("axis1", folders, [[0, 0], [0, 0], [0, 1]])
        else:
            stem = b"labeled-data/clip/img"
            group["axis1"] = np.array([stem + b"1.png", stem + b"2.png"])
    done = conversions.run(path, tmp_path)
    first, second = done.people
    assert conversions.points(first) == [[1.5, 2.5, 2], [4, 3, 2]]
    assert conversions.points(second) == [[0, 0, 0], [6, 5, 2]]
    assert first.path.endswith("labeled-data/clip/img1.png")


@pytest.mark.parametrize(
    "text, message",
    [
        (SINGLE.replace("coords", "coord"), "A row has 4 numbers or empty"),
        (SINGLE.replace("bodyparts,,,nose", "a,,,nose"), "A row has 4"),
        (SINGLE.replace(",x,y", ",u,v"), "A table of DeepLabCut or Light"),
        (SINGLE.replace(",x,y,x,y", ",x,y"), "A table of DeepLabCut or"),
        (SINGLE.replace("tail,tail", "nose,nose"), "A table of DeepLabCut or"),
        (SINGLE.replace("tail,tail", "tail,ear"), "A table of DeepLabCut or"),
        (SINGLE.replace("1.5,", "1.5x,"), "A row has 4 numbers or empty"),
        (SINGLE.replace("1.5,", ""), "A row has 4 numbers or empty"),
    ],
)
def test_a_damaged_table_is_refused(project, tmp_path, text, message):
    assert conversions.refuses(project(text), tmp_path, message)


@pytest.mark.parametrize("is_folder", [True, False])
def test_labels_in_hdf5(project, tmp_path, is_folder):
    path = conversions.unpacked(
        "CollectedData_me.h5", tmp_path / "labeled-data" / "clip"
    )
    found = deeplabcut.read(
        tmp_path if is_folder else path, pictures.Pictures(tmp_path)
    )
    assert [p.name for p in found.pictures] == [
        "labeled-data/clip/img1.png",
        "labeled-data/clip/img2.png",
    ]
    one, two, ball, other, *_ = found.people
    assert one.points.tolist() == [[0.25, 1.25, 2], [2.25, 3.25, 2]]
    assert two.points.tolist() == [[4.25, 5.25, 2], [6.25, 7.25, 2]]
    assert (ball.category, ball.points.tolist()) == (
        "single",
        [[8.25, 9.25, 2]],
    )
    assert other.points.tolist() == [[10.25, 11.25, 2], [0, 0, 0]]


def test_predictions_in_hdf5(tmp_path):
    path = conversions.unpacked("clipDLC_resnet50.h5", tmp_path)
    found = deeplabcut.read(path, pictures.Pictures(tmp_path))
    first, second = found.people
    assert first.points.tolist() == [[1.5, 2.5, 2], [3.5, 4.5, 2]]
    assert first.scores.tolist() == [0.5, 0.25]
    assert second.points.tolist() == [[5.5, 6.5, 2], [0, 0, 0]]
    assert [p.name for p in found.pictures] == [
        "clip_000000.png",
        "clip_000001.png",
    ]


def test_the_csv_is_read_where_both_are(project, tmp_path):
    conversions.unpacked(
        "CollectedData_me.h5", tmp_path / "labeled-data" / "clip"
    )
    project(SINGLE)
    assert len(conversions.run(tmp_path, tmp_path).people) == 1


def in_one_cell(text):
    """A table whose rows have the path in one cell, as on Windows."""
    text = re.sub(r"^(scorer|bodyparts|coords),,,", r"\1,", text, flags=re.M)
    return text.replace("data,clip,", "data\\clip\\")


@pytest.mark.parametrize(
    "encoding, change",
    [
        ("utf-8-sig", str),
        ("utf-16", str),
        ("utf-8", lambda text: text.replace("\n", "\r\n")),
        ("utf-8", lambda text: text.replace("1.5,", " 1.5 ,")),
        # A spreadsheet that writes commas in numbers.
        ("utf-8", lambda t: t.replace(",", ";").replace("1.5", "1,5")),
        ("utf-8", in_one_cell),
    ],
)
def test_texts_of_other_programs(project, tmp_path, encoding, change):
    path = project("")
    path.write_bytes(change(SINGLE).encode(encoding))
    found = conversions.run(path, tmp_path).found
    (person,) = found.people
    assert person.points.tolist() == [[1.5, 2.5, 2], [0, 0, 0]]
    assert person.picture == "labeled-data/clip/img1.png"


def test_another_encoding_is_refused(project, tmp_path):
    path = project("")
    path.write_bytes(SINGLE.replace("nose", "Schnäuzchen").encode("latin-1"))
    message = "A text is in UTF-8: save it so. Received: "
    assert conversions.refuses(path, tmp_path, message, format="deeplabcut")
    path.write_text("scorer," + "a" * 200_000)
    message = "This is no CSV (field larger than field limit"
    assert conversions.refuses(path, tmp_path, message)


def test_bodyparts_in_two_orders(project, tmp_path):
    project(SINGLE)
    other = SINGLE.replace("nose,nose,tail,tail", "tail,tail,nose,nose")
    project(other.replace("clip,img1", "clip,img3"), "CollectedData_you.csv")
    conversions.picture(tmp_path / "labeled-data" / "clip" / "img3.png")
    one, two = conversions.run(tmp_path, tmp_path).found.people
    assert one.points.tolist() == [[1.5, 2.5, 2], [0, 0, 0]]
    assert two.points.tolist() == [[0, 0, 0], [1.5, 2.5, 2]]


def test_two_people_s_tables_of_the_same_pictures(project, tmp_path):
    project(SINGLE)
    project(SINGLE, "CollectedData_you.csv")
    done = conversions.run(tmp_path, tmp_path)
    assert len(done.people) == 1
    assert conversions.counts(done.found) == {
        "picture without labels": 2,
        "second row of a picture": 1,
    }


def test_predictions_of_a_film(tmp_path):
    films.film(tmp_path / "clip.avi")
    path = tmp_path / "clipDLC_resnet50.csv"
    path.write_text(
        "scorer,net,net,net\nbodyparts,nose,nose,nose\n"
        "coords,x,y,likelihood\n2,1,2,0.9\n7,1,2,0.9\n9,1,2,0.9\n"
    )
    done = conversions.run(path, tmp_path)
    assert films.numbers(tmp_path / "out-0_frames") == {
        "clip_000002.png": 2,
        "clip_000007.png": 7,
    }
    assert conversions.counts(done.found) == {
        "frame that its video does not have": 1
    }
    again = tmp_path / "again.csv"
    deeplabcut.write(done.found, again)
    rows = again.read_text().splitlines()[3:]
    assert rows == ["2,1.0,2.0,0.9", "7,1.0,2.0,0.9"]


def test_tables_with_other_bodyparts_are_refused(project, tmp_path):
    project(SINGLE)
    project(SINGLE.replace("tail", "ear"), "CollectedData_you.csv")
    message = "The tables of a project have the same bodyparts."
    assert conversions.refuses(tmp_path, tmp_path, message)


@pytest.mark.parametrize("text", [SINGLE, SEVERAL.replace("ball", "nose")])
def test_what_is_written_is_read_again(project, tmp_path, text):
    look = pictures.Pictures(tmp_path)
    found = deeplabcut.read(project(text), look)
    again = tmp_path / "again.csv"
    deeplabcut.write(found, again)
    twice = deeplabcut.read(again, look)
    assert twice.pictures == found.pictures
    for one, other in zip(found.people, twice.people, strict=True):
        assert one.picture == other.picture
        assert one.points.tolist() == other.points.tolist()


def test_one_kind_of_animal_is_written(project, tmp_path):
    found = deeplabcut.read(project(SEVERAL), pictures.Pictures(tmp_path))
    with pytest.raises(ValueError, match="has one kind of animal. Received"):
        deeplabcut.write(found, tmp_path / "again.csv")
    assert not (tmp_path / "again.csv").exists()
