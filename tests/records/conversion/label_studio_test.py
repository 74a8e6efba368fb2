"""Tests for reading Label Studio's export."""

import json

from tests.records.conversion import conversions


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
