"""Tests for reading labelme's files."""

import json

from PIL import Image

from tests.records.conversion import conversions


def write(folder, *shapes, name="a", **fields):
    content = {
        "version": "5.5.0",
        "imagePath": f"{name}.png",
        "imageWidth": 60,
        "imageHeight": 50,
        "shapes": [
            {"group_id": None, "flags": {}, **shape} for shape in shapes
        ],
        **fields,
    }
    conversions.picture(folder / f"{name}.png")
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return path


def point(label, x, y, group=None):
    return {
        "label": label,
        "points": [[x, y]],
        "shape_type": "point",
        "group_id": group,
    }


def rectangle(label, corners, group):
    return {**point(label, 0, 0, group), "points": corners,
            "shape_type": "rectangle"}  # fmt: skip


def test_groups_are_people(tmp_path):
    write(
        tmp_path,
        point("nose", 10.5, 20.5, 1),
        point("tail", 30.5, 40.5, 1),
        point("tail", 1.5, 2.5, 2),
        rectangle("cat", [[32, 42], [8, 18]], 1),
        rectangle("cat", [[1, 1], [2, 2]], 3),
        {**point("edge", 1, 1), "shape_type": "polygon"},
        {**point("nose", 1, 1), "points": [[1, "x"]]},
        {**point("", 1, 1)},
    )
    write(tmp_path, name="b")
    (tmp_path / "other.json").write_text("[]")
    done = conversions.run(tmp_path, tmp_path)
    first, second = done.people
    assert conversions.points(first) == [[10, 20, 2], [30, 40, 2]]
    assert conversions.points(second) == [[0, 0, 0], [1, 2, 2]]
    assert first.box.tolist() == [8, 18, 24, 24]
    assert done.truth["categories"][0]["name"] == "cat"
    assert conversions.counts(done.found) == {
        "shape of another type": 1,
        "point without its 1 pairs of numbers": 1,
        "point without a label": 1,
        "picture without labels": 1,
        "JSON that is not labelme's": 1,
        "person without points": 1,
    }
    example = done.found.left_out.rows["shape of another type"][1]
    assert example == f"'polygon' in {tmp_path / 'a.json'}, shape 6"


def test_the_size_is_the_pictures_where_none_is_given(tmp_path):
    # A path of Windows, as it is written there.
    path = write(
        tmp_path,
        point("nose", 1, 1),
        imagePath="..\\photos\\a.png",
        imageWidth=None,
    )
    done = conversions.run(path, tmp_path)
    (image,) = done.content["images"]
    assert image == {"id": 1, "file_name": "a.png", "width": 60, "height": 50}


def test_another_json_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("{}")
    assert conversions.refuses(path, tmp_path, "No known format is like this")
    message = "A file of labelme is a JSON of `shapes`"
    assert conversions.refuses(path, tmp_path, message, format="labelme")


def test_files_of_several_folders_have_their_own_pictures(tmp_path):
    for n, name in enumerate(("über uns", "b c")):
        (tmp_path / name).mkdir()
        write(tmp_path / name, point("nose", n + 1.5, 2.5))
    done = conversions.run(tmp_path, tmp_path)
    rows = [(p.picture, p.points.tolist()) for p in done.found.people]
    assert rows == [
        ("b c/a.png", [[2, 2, 2]]),
        ("über uns/a.png", [[1, 2, 2]]),
    ]


def test_what_a_folder_has_besides_is_counted(tmp_path):
    (tmp_path / "0.json").write_bytes(b"\xff{")
    (tmp_path / "1.json").write_text('{"images": []}')
    write(tmp_path, point("nose", 1, 1))
    write(tmp_path, point("nose", 2, 2), name="copy", imagePath="a.png")
    done = conversions.run(tmp_path, tmp_path)
    assert len(done.people) == 1
    assert conversions.counts(done.found) == {
        "JSON that is not labelme's": 2,
        "second file of a picture": 1,
    }


def test_a_photograph_that_is_turned_when_shown(tmp_path):
    # Stored as 60 x 50, shown as 50 x 60, as labelme shows and labels it.
    path = write(tmp_path, point("nose", 10.5, 55.5), imageWidth=50,
                 imageHeight=60)  # fmt: skip
    image = Image.open(tmp_path / "a.png")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    done = conversions.run(path, tmp_path)
    assert conversions.points(done.people[0]) == [[10, 55, 2]]
    path.write_text(path.read_text().replace('"imageWidth": 50', '"w": 50'))
    done = conversions.run(path, tmp_path)
    assert done.content["images"][0]["width"] == 50
