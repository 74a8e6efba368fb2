"""Tests for reading Label Studio's export."""

import json

import pytest

from integral_tf.records.conversion import label_studio
from integral_tf.records.conversion import pictures
from tests.records.conversion import conversions
from tests.records.conversion import films


def write(folder, *tasks):
    conversions.picture(folder / "a.png")
    path = folder / "export.json"
    path.write_text(json.dumps(tasks))
    return path


def task(*results, image="/data/upload/1/0123abcd-a.png", **annotation):
    row = {"result": list(results), "was_cancelled": False, **annotation}
    return {"id": 7, "data": {"img": image}, "annotations": [row]}


def result(kind, label, sides=(60, 50), **fields):
    more = {k: v for k, v in fields.items() if k in ("id", "parentID")}
    value = {k: v for k, v in fields.items() if k not in more}
    return {
        "type": kind,
        "original_width": sides[0],
        "original_height": sides[1],
        "image_rotation": 0,
        "value": {**value, kind: [label]},
        **more,
    }


def point(label, x, y, **fields):
    return result("keypointlabels", label, x=x, y=y, width=1, **fields)


def box(label, number, x, y, width, height):
    sides = {"width": width, "height": height}
    return result("rectanglelabels", label, id=number, x=x, y=y, **sides)


def test_points_in_percent_of_the_picture(tmp_path):
    # Half of 60 x 50 pixels is their edge at 30, 25: the coordinate 29.5, 24.5.
    source = write(tmp_path, task(point("nose", 50, 50), point("tail", 100, 0)))
    done = conversions.run(source, tmp_path)
    (person,) = done.people
    assert conversions.points(person) == [[29.5, 24.5, 2], [59.5, -0.5, 2]]
    assert done.content["images"][0]["file_name"] == "a.png"


def test_people_are_the_rectangles(tmp_path):
    source = write(
        tmp_path,
        task(
            point("nose", 80, 80, parentID="A"),  # outside, but named
            point("nose", 75, 20),  # in B only
            point("tail", 90, 20, parentID="gone"),
            point("tail", 55, 20),  # in A and in B
            point("tail", 20, 90),
            box("dog", "A", 10, 10, 50, 50),
            box("dog", "B", 50, 10, 50, 50),
            result("choices", "blurred"),
        ),
    )
    done = conversions.run(source, tmp_path)
    first, second = done.people
    assert first.box.tolist() == [6, 5, 30, 25]
    assert conversions.points(first) == [[47.5, 39.5, 2], [0, 0, 0]]
    assert conversions.points(second) == [[44.5, 9.5, 2], [53.5, 9.5, 2]]
    assert done.truth["categories"][0]["name"] == "dog"
    assert conversions.counts(done.found) == {
        "keypoint in no rectangle, or in several": 2,
        "result of another type": 1,
    }


def test_what_is_left_out_is_counted(tmp_path):
    turned = {**point("nose", 1, 1), "image_rotation": 90}
    two = task(point("nose", 50, 50))
    two["annotations"] *= 2
    source = write(
        tmp_path,
        two,
        task(turned, point("nose", None, 1), image="s3://b/c.png"),
        task(image="d.png"),
        task(point("nose", 1, 1, sides=(0, 0)), image="e.png"),
        task(image="f.png", result=5),
        {"id": 9, "data": {"text": "none"}, "annotations": []},
    )
    done = conversions.run(source, tmp_path)
    assert len(done.people) == 1
    assert conversions.counts(done.found) == {
        "second annotation of a picture": 1,
        "label of a picture that the tool turned": 1,
        "keypointlabels without their numbers": 1,
        "picture without labels": 2,
        "labels in percent of a picture that is not there": 1,
        "task without a picture": 1,
    }


def test_local_files_and_missing_sizes(tmp_path):
    conversions.picture(tmp_path / "b" / "a.png", 20, 10)
    source = write(
        tmp_path,
        task(
            point("nose", 50, 50, sides=(None, None)),
            image="/data/local-files/?d=all/b/a.png",
        ),
    )
    done = conversions.run(source, tmp_path)
    assert done.content["images"][0]["file_name"] == "b/a.png"
    assert conversions.points(done.people[0]) == [[9.5, 4.5, 2]]


def test_another_json_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"data": {}}]')
    message = "Label Studio's export (JSON) is a list of tasks"
    assert conversions.refuses(path, tmp_path, message, format="label_studio")


def test_relations_name_the_rectangle(tmp_path):
    """The other way to group points: a relation, in either direction."""
    first, second = (
        {**point("nose", 20, 20), "id": "n1"},
        {**point("nose", 20, 20), "id": "n2"},
    )
    relations = [
        {"type": "relation", "from_id": "n1", "to_id": "B"},
        {"type": "relation", "from_id": "A", "to_id": "n2"},
    ]
    boxes = [box("dog", "A", 0, 0, 50, 50), box("dog", "B", 0, 0, 60, 60)]
    source = write(tmp_path, task(first, second, *relations, *boxes))
    done = conversions.run(source, tmp_path)
    assert [person.box.tolist() for person in done.people] == [
        [0, 0, 36, 30],
        [0, 0, 30, 25],
    ]
    assert not conversions.counts(done.found)


def test_a_list_of_pictures(tmp_path):
    for name in "ab":
        conversions.picture(tmp_path / f"{name}.png")
    results = [
        {**point("nose", 50, 50), "item_index": 1},
        point("tail", 10, 50),  # of the first
    ]
    source = write(tmp_path, task(*results, image=["x/a.png", "x/b.png"]))
    done = conversions.run(source, tmp_path)
    rows = [(p.picture, p.points.tolist()) for p in done.found.people]
    assert rows == [
        ("a.png", [[5.5, 24.5, 2], [0, 0, 0]]),
        ("b.png", [[0, 0, 0], [29.5, 24.5, 2]]),
    ]


def vertices(*points, order=(0, 1)):
    rows = [{"id": f"v{n}", "x": x, "y": y} for n, (x, y) in enumerate(points)]
    return [rows[n] for n in order if n < len(rows)]


def vector(kind, label, value):
    return {"type": kind, "id": "r1", "value": {"labels": [label], **value}}


def test_a_vector_is_a_person_without_names(tmp_path):
    row = {
        "type": "vectorlabels",
        "original_width": 60,
        "original_height": 50,
        "value": {
            "vertices": vertices((50, 50), (10, 10)),
            "vectorlabels": ["cat"],
        },
    }
    other = {**row, "value": {"vertices": vertices((50, 50))}}
    bad = {**row, "value": {"vertices": [{"x": 1, "y": None}]}}
    source = write(tmp_path, task(row, other, bad, {**row, "value": {}}))
    found = label_studio.read(source, pictures.Pictures(tmp_path))
    assert [p.points.tolist() for p in found.people] == [
        [[29.5, 24.5, 2], [5.5, 4.5, 2]],
        [[29.5, 24.5, 2]],
    ]
    assert [c.name for c in found.categories] == ["cat", "person"]
    assert conversions.counts(found) == {
        "vertex without its numbers": 1,
        "vector without vertices": 1,
    }


def sequence():
    """Frames 1, 3 and 7 by hand; the second ends the track until the third."""
    return [
        {"frame": 1, "vertices": vertices((50, 50), (0, 0))},
        {"frame": 7, "vertices": vertices((50, 50), (0, 0))},
        {
            "frame": 3,
            "enabled": False,
            "vertices": vertices((100, 50), (0, 100), order=(1, 0)),
        },
    ]


@pytest.mark.parametrize("keyframes", [False, True])
def test_vectors_of_a_video(tmp_path, keyframes):
    films.film(tmp_path / "clip.avi")  # 64 x 48 pixels
    rows = [
        vector("videovector", "cat", {"sequence": sequence()}),
        vector("videorectangle", "cat", {"sequence": []}),
        vector("videovectorlabels", "cat", {"sequence": [{"frame": 0}]}),
        vector("videovectorlabels", "cat", {"sequence": [5]}),
        vector("videovectorlabels", "cat", {}),
    ]
    source = write(
        tmp_path, task(*rows, image="/data/upload/0123abcd-clip.avi")
    )
    done = conversions.run(source, tmp_path, keyframes=keyframes)
    # Frames are counted from 1. The order of the vertices is that of the first.
    found = {
        person.picture: person.points.tolist() for person in done.found.people
    }
    expected = {0: [31.5, 23.5, 2], 1: [47.5, 23.5, 2], 2: [63.5, 23.5, 2],
                6: [31.5, 23.5, 2]}  # fmt: skip
    expected = {
        number: place
        for number, place in expected.items()
        if not keyframes or number != 1
    }
    names = {f"clip_{number:06d}.png": number for number in expected}
    assert {n: found[n][0] for n in found} == {
        name: expected[number] for name, number in names.items()
    }
    assert found["clip_000002.png"][1] == [-0.5, 47.5, 2]
    assert films.numbers(tmp_path / "out-0_frames") == names
    counts = conversions.counts(done.found)
    assert counts["result of another type"] == 1
    assert counts["shape of a video without its frame"] == 2
    assert counts["vector without its sequence"] == 1
    assert counts.get("frame between keyframes", 0) == keyframes


def test_a_video_that_is_not_there(tmp_path):
    rows = vector("videovector", "cat", {"sequence": sequence()})
    source = write(tmp_path, task(rows, image="clip.mp4"))
    message = "Nobody is labelled (1 labels in percent of a video that is not"
    assert conversions.refuses(source, tmp_path, message)


@pytest.mark.parametrize(
    "name, given",
    [
        ("a b#1.png", "photos/a b#1.png"),
        ("ä b.png", "/data/upload/1/%C3%A4%20b.png"),
        ("ä.png", "s3://bucket/x/ä.png?version=2"),
        ("a.png", "C:\\Users\\me\\a.png"),
    ],
)
def test_names_of_pictures(tmp_path, name, given):
    conversions.picture(tmp_path / "photos" / name)
    source = write(tmp_path, task(point("nose", 50, 50), image=given))
    (tmp_path / "a.png").unlink()
    if name == "a.png":
        (tmp_path / "photos" / name).rename(tmp_path / name)
    done = conversions.run(source, tmp_path)
    assert done.content["images"][0]["file_name"].endswith(name)


def test_a_second_task_of_a_picture_is_counted(tmp_path):
    source = write(tmp_path, *[task(point("nose", 50, n)) for n in (1, 2)])
    done = conversions.run(source, tmp_path)
    assert len(done.people) == 1
    assert conversions.counts(done.found) == {"second task of a picture": 1}
