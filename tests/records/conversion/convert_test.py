"""Tests for the command, the search for pictures, and COCO's file."""

import json
import subprocess
import sys
import unicodedata

import numpy as np
import pytest

from integral_tf.commands import convert as command
from integral_tf.records import coco_annotations
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import coco_file
from integral_tf.records.conversion import convert
from integral_tf.records.conversion import pictures
from tests import in_process
from tests.records.conversion import conversions

LABELME = {
    "imagePath": "gone.png",
    "shapes": [
        {"label": "nose", "shape_type": "point", "points": [[1, 2]]},
        {"label": "hair", "shape_type": "polygon", "points": [[1, 2]]},
    ],
}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(LABELME))
    return path


def test_the_command_says_what_it_took(source, tmp_path):
    out = tmp_path / "new" / "train.json"
    done = in_process.run("convert", source, f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "format: labelme",
        "person: nose",
        "pictures: 1, people: 1",
        f"1 pictures are not in {tmp_path}, such as gone.png: --images names "
        "their folder",
        f"pictures: {tmp_path}",
        "1 left out: shape of another type (first: 'polygon' in "
        f"{source}, shape 2)",
        f"labels: {out}",
    ]
    assert len(json.loads(out.read_text())["annotations"]) == 1
    assert [path.name for path in out.parent.iterdir()] == ["train.json"]


def test_no_tensorflow_is_needed(source, tmp_path):
    program = (
        "import sys\n"
        "from integral_tf import commands\n"
        "status = commands.main(sys.argv[1:])\n"
        "sys.exit('tensorflow' in sys.modules or status)\n"
    )
    arguments = "convert", str(source), f"--out={tmp_path / 'train.json'}"
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"source": "nowhere"}, "There is no such file or folder of labels"),
        ({"images": "nowhere"}, "--images is the folder of the labelled"),
        ({"video": "nowhere"}, "--video is the labelled video, or a folder"),
        ({"out": "{source}"}, "--out is a new file to write"),
        ({"split": "val"}, r"The source has the splits \(none\)"),
    ],
)
def test_a_mistake_is_one_sentence(source, tmp_path, settings, message):
    given = {"source": str(source), "out": str(tmp_path / "b.json")}
    given |= {k: v.format(source=source) for k, v in settings.items()}
    with pytest.raises((OSError, ValueError), match=message):
        convert.convert(command.ConvertConfig(**given))
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.json", "a.yaml", "a"])
def test_an_unknown_format_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_text("none") if "." in name else path.mkdir()
    assert conversions.refuses(path, tmp_path, "No known format is like this")


def test_pictures_are_found_by_the_end_of_their_path(tmp_path):
    for name in ("a/1.png", "b/1.png", "b/2.png", "c.PNG", "c.txt"):
        conversions.picture(tmp_path / "x.png")
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        (tmp_path / "x.png").rename(path)
    look = pictures.Pictures(tmp_path)
    assert look.names == ["a/1.png", "b/1.png", "b/2.png", "c.PNG"]
    assert look.find("a/1.png") == "a/1.png"
    assert look.find("C:\\all\\b\\1.png") == "b/1.png"
    assert look.find("elsewhere/2.png") == "b/2.png"
    assert look.find("../c.PNG") == "c.PNG"
    assert look.find("1.png") is None  # one of two
    assert look.find("3.png") is None
    assert look.size("b/2.png") == (60, 50)
    (tmp_path / "c.txt").write_text("none")
    assert look.size("c.txt") is None and look.size("gone.png") is None


def test_a_picture_behind_a_link_out_of_the_folder_is_not_found(tmp_path):
    conversions.picture(tmp_path / "b.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").symlink_to("../b.png")
    look = pictures.Pictures(tmp_path / "in")
    assert look.names == [] and look.find("a.png") is None


def test_people_without_points_are_counted(tmp_path):
    left_out = coco_annotations.LeftOut()
    points = np.array([[1.5, 2, 2], [7, 7, 0]])
    found = of.Annotations(
        (of.Category("cat", ("a", "b")),),
        (of.Picture("a.png", (60, 50)),),
        (
            of.Person("a.png", "cat", points, np.array([1, 2, 3, 4])),
            of.Person("a.png", "cat", np.zeros((2, 3))),
        ),
        left_out,
    )
    out = tmp_path / "a.json"
    done = coco_file.write(found, pictures.Pictures(tmp_path), out)
    assert done == (1, 1, ["a.png"])
    (row,) = json.loads(out.read_text())["annotations"]
    assert row["keypoints"] == [1.5, 2, 2, 0, 0, 0]
    assert (row["bbox"], row["area"]) == ([1, 2, 3, 4], 12)
    assert left_out.rows == {"person without points": (1, "in a.png")}


def test_names_of_other_systems_are_found(tmp_path):
    umlaut = unicodedata.normalize("NFD", "Größe 1.PNG")
    conversions.picture(tmp_path / "x.png")
    (tmp_path / "x.png").rename(tmp_path / umlaut)
    look = pictures.Pictures(tmp_path)
    assert look.find("größe 1.png") == umlaut
    assert look.find(unicodedata.normalize("NFC", "a/Größe 1")) == umlaut


def test_coco_s_form_is_no_labels_of_another_tool(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"images": [], "categories": [], "annotations": []}')
    message = "This is COCO's form already: give it to `integral-tf build-coco"
    assert conversions.refuses(path, tmp_path, message)
