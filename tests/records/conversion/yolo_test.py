"""Tests for reading folders of YOLO-pose."""

import pytest

from tests.records.conversion import conversions

YAML = """
train: ../train/images
val: ../valid/images
kpt_shape: [3, 3]
flip_idx: [0, 2, 1]
names: [cat, dog]
kpt_names:
  0: [nose, left_paw, right_paw]
  1: [nose, left_paw, right_paw]
"""
# A box of a quarter of each side around the middle of 60 x 50 pixels.
LINE = "1 0.5 0.5 0.25 0.25 0.5 0.5 2 0.25 0.5 1 0 0 0\n"


@pytest.fixture
def folder(tmp_path):
    def write(lines, split="train/", name="a", yaml=YAML, is_there=True):
        (tmp_path / "data.yaml").write_text(yaml)
        text = tmp_path / f"{split}labels" / f"{name}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(lines)
        if is_there:
            picture = tmp_path / f"{split}images" / f"{name}.png"
            conversions.picture(picture)
        return tmp_path

    return write


def test_shares_of_the_picture(folder):
    source = folder(LINE)
    (source / "readme.txt").write_text("no labels")
    done = conversions.run(source, source)
    (person,) = done.people
    # The middle is the edge at 30, 25: the coordinate 29.5, 24.5.
    assert conversions.points(person) == [
        [29.5, 24.5, 2], [14.5, 24.5, 1], [0, 0, 0],
    ]  # fmt: skip
    assert person.box.tolist() == [22.5, 18.75, 15, 12.5]
    assert person.category == 2
    for category in done.content["categories"]:
        assert category["keypoints"] == ["nose", "left_paw", "right_paw"]
        assert category["flip_pairs"] == [[2, 3]]
    assert done.content["images"][0] == {
        "id": 1, "file_name": "train/images/a.png", "width": 60, "height": 50,
    }  # fmt: skip


def test_splits(folder):
    folder(LINE)
    source = folder(LINE * 2, "valid/", "b")
    assert len(conversions.run(source, source, split="val").people) == 2
    assert len(conversions.run(source, source, split="train").people) == 1


def test_the_other_order_of_folders_and_no_names(folder):
    yaml = "kpt_shape: [2, 2]\nnames:\n  0: fish\n"
    source = folder("0 0.5 0.5 1 1 0.5 0.5 0 0\n", "", "train/a", yaml)
    done = conversions.run(source / "data.yaml", source)
    assert conversions.points(done.people[0]) == [[29.5, 24.5, 2], [0, 0, 0]]
    assert done.truth["categories"][0]["keypoints"] == ["1", "2"]
    (image,) = done.content["images"]
    assert image["file_name"] == "images/train/a.png"


def test_names_of_the_joints_that_sleap_io_writes(folder):
    yaml = "kpt_shape: [3, 3]\nnames: {0: animal, 1: b}\nnode_names: [a, b, c]"
    source = folder(LINE, yaml=yaml)
    done = conversions.run(source, source)
    names = [row["keypoints"] for row in done.content["categories"]]
    assert names == [["a", "b", "c"]] * 2


def test_what_is_left_out_is_counted(folder):
    damaged = LINE.replace("0 0 0", "0 1e308 0") + LINE.replace("2 0", "nan 0")
    folder("0 0.5 0.5\n9" + LINE[1:] + "0 x\n" + LINE + damaged)
    folder(" \n", name="empty")
    source = folder(LINE, name="gone", is_there=False)
    conversions.picture(source / "train" / "images" / "untold.png")
    done = conversions.run(source, source)
    assert len(done.people) == 1
    assert conversions.counts(done.found) == {
        "line other than 14 numbers": 3,
        "class that data.yaml does not name": 1,
        "line that is no numbers": 1,
        "picture without labels": 1,
        "labels without their picture, or a damaged one": 1,
        "picture without a text": 1,
    }
    example = done.found.left_out.rows["line other than 14 numbers"][1]
    assert example == f"line 1 of {source / 'train' / 'labels' / 'a.txt'}"


@pytest.mark.parametrize(
    "yaml, message",
    [
        ("kpt_shape: [3, 4]", "kpt_shape is [number of joints, 2 or 3]"),
        ("kpt_shape: [3, 3]\nnames: 5", "names are a list, or a name"),
        ("kpt_shape: [", "This is no YAML (while parsing"),
        ("kpt_shape: [3, 3]\nflip_idx: [0, 2, 2]", "flip_idx has the partner"),
        ("kpt_shape: [3, 3]\nflip_idx: [0, 9, 2]", "flip_idx has the partner"),
        ("kpt_shape: [3, 3]\nkpt_names: {0: [a]}", "kpt_names has the 3"),
        ("names: [cat]", "No known format is like this"),
        ("- kpt_shape\nkpt_shape: 1", "This is no YAML (while parsing"),
        ("'\nkpt_shape: [1, 2]\n'", "kpt_shape is [number of joints, 2 or 3]"),
    ],
)
def test_another_yaml_is_refused(folder, yaml, message):
    source = folder(LINE, yaml=yaml)
    assert conversions.refuses(source, source, message)


def test_a_folder_without_labels_is_refused(tmp_path):
    (tmp_path / "data.yaml").write_text(YAML)
    message = "A YOLO-pose folder has labels/*.txt"
    assert conversions.refuses(tmp_path, tmp_path, message)


def test_texts_of_windows(folder):
    source = folder("\ufeff" + LINE.replace("\n", "\r\n"), name="a ü")
    (source / "data.yaml").write_text("\ufeff" + YAML.strip(), "utf-8")
    done = conversions.run(source, source)
    assert len(done.people) == 1 and not conversions.counts(done.found)


def test_boxes_in_pixels_are_counted(folder):
    source = folder(LINE + LINE.replace("0.5 0.5 0.25", "30 25 15", 1))
    done = conversions.run(source, source)
    assert conversions.counts(done.found) == {
        "box in pixels, which should be in shares": 1
    }


def test_references_do_not_fill_the_memory(folder):
    laughs = ["a0: &a0 [ha, ha]"]
    laughs += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    text = "\n".join([*laughs, "names: *a59", YAML.replace("names:", "n:")])
    source = folder(LINE, yaml=text)
    message = "This is no YAML (a reference, which begins with *)"
    assert conversions.refuses(source, source, message)
