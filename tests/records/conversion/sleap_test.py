"""Tests for reading and writing SLEAP's labels."""

import json

import h5py
import numpy as np
import pytest

from integral_tf.records import coco_annotations
from integral_tf.records import photographs
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import pictures
from integral_tf.records.conversion import sleap
from integral_tf.records.conversion import sleap_file
from tests.records.conversion import conversions
from tests.records.conversion import films

NODES = ["tail", "left", "nose", "right"]


def kind(number):
    name = {"py/type": "sleap.skeleton.EdgeType"}
    return {"py/reduce": [name, {"py/tuple": [number]}]}


# The order of the skeleton's nodes is nose, left, right.
SKELETON = {
    "graph": {"name": "fly"},
    "nodes": [{"id": 2}, {"id": 1}, {"id": 3}],
    "links": [
        {"source": 2, "target": 1, "type": kind(1)},
        {"source": 1, "target": 3, "type": kind(2)},
        {"source": 3, "target": 1, "type": {"py/id": 2}},
        {"source": 2, "target": 3, "type": {"py/id": 1}},
    ],
}
VIDEO = {
    "filename": "fly.mp4",
    "backend": {"filename": "films/fly.mp4", "shape": [9, 50, 60, 3]},
}
PREDICTED = (5.0, 6.0, True, True, 0.5)


@pytest.fixture
def written(tmp_path):
    conversions.picture(tmp_path / "fly" / "000004.png")

    def write(version=1.2, video=VIDEO, by_hand=True):
        path = tmp_path / "labels.slp"
        points = [
            (1, 2, True, True), (3, 4, False, True), (np.nan, np.nan, True, 0),
            (np.nan, np.nan, False, False), (0, 0, False, 0), (9, 9, False, 0),
        ]  # fmt: skip
        both = [
            (0, 0, 0, 0, -1, -1, 0, 0, 3, 0),
            (1, 0, 0, 0, -1, -1, 0, 3, 6, 0),
        ]
        predicted = (2, 1, 0, 0, -1, -1, 0.5, 0, 3, 0)
        instances = [*both, predicted] if by_hand else [predicted]
        rows = {
            "points": points,
            "pred_points": [PREDICTED] * 3,
            "instances": instances,
            "frames": [(0, 0, 4, 0, len(instances)), (1, 0, 8, 3, 3)],
        }
        nodes = [{"name": name} for name in NODES]
        metadata = {"nodes": nodes, "skeletons": [SKELETON]}
        with h5py.File(path, "w") as file:
            group = file.create_group("metadata")
            group.attrs["format_id"] = version
            group.attrs["json"] = np.bytes_(json.dumps(metadata))
            file["videos_json"] = [np.bytes_(json.dumps(video))]
            for name, values in rows.items():
                file[name] = np.array(values, sleap_file._TYPES[name])
        return path

    return write


@pytest.mark.parametrize("version, half", [(1.2, 0), (1.0, 0.5)])
def test_labels_by_hand(written, tmp_path, version, half):
    done = conversions.run(written(version), tmp_path)
    (person,) = done.people
    assert conversions.points(person) == [
        [1 - half, 2 - half, 2], [0, 0, 0], [0, 0, 0],
    ]  # fmt: skip
    (category,) = done.content["categories"]
    assert category == {
        "id": 1,
        "name": "fly",
        "keypoints": ["nose", "left", "right"],
        "skeleton": [[1, 2], [1, 3]],
        "flip_pairs": [[2, 3]],
    }
    assert done.content["images"] == [
        {"id": 1, "file_name": "fly/000004.png", "width": 60, "height": 50},
        {"id": 2, "file_name": "fly_000008.png", "width": 60, "height": 50},
    ]
    assert conversions.counts(done.found) == {
        "person without points": 1,
        "predicted instance, not by hand": 1,
        "picture without labels": 1,
    }


def test_predictions_where_nothing_is_by_hand(written, tmp_path):
    done = conversions.run(written(by_hand=False), tmp_path)
    assert conversions.points(done.people[0]) == [[5, 6, 2]] * 3
    assert done.found.people[0].scores.tolist() == [0.5] * 3


def test_lists_of_pictures_and_embedded_videos(written, tmp_path):
    names = [f"C:\\flies\\{n}.png" for n in range(9)]
    conversions.picture(tmp_path / "4.png")
    sides = {"width_": 60, "height_": 50}
    video = {"backend": {"filenames": names, **sides}}
    done = conversions.run(written(video=video), tmp_path)
    assert [image["file_name"] for image in done.content["images"]] == [
        "4.png",
        "8.png",
    ]
    video = {
        "backend": {"filename": ".", "dataset": "video0/video"},
        "source_video": {"filename": "fly.mp4"},
    }
    done = conversions.run(written(video=video), tmp_path)
    assert done.content["images"][0]["file_name"] == "fly/000004.png"


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "a.slp"
    path.write_text("none")
    message = "SLEAP's labels are an HDF5 file with metadata"
    assert conversions.refuses(path, tmp_path, message)
    path.unlink()
    h5py.File(path, "w").close()
    assert conversions.refuses(path, tmp_path, message)


def test_a_frame_of_no_video_is_refused(written, tmp_path):
    # The frames are of video 0.
    video = {"backend": {"filename": ".", "dataset": "video3/video"}}
    message = "SLEAP's labels are an HDF5 file with metadata"
    assert conversions.refuses(written(video=video), tmp_path, message)


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_is_written_is_read_again(written, tmp_path, by_hand):
    look = pictures.Pictures(tmp_path)
    found = sleap.read(written(by_hand=by_hand), look)
    again = tmp_path / "again.slp"
    sleap_file.write(found, again)
    twice = sleap.read(again, look)
    assert twice.categories == found.categories
    names = [picture.name.split("/")[-1] for picture in twice.pictures]
    assert names == ["000004.png", "fly_000008.png"]
    for one, other in zip(found.people, twice.people, strict=True):
        assert one.points.tolist() == other.points.tolist()
        assert np.array_equal(one.scores, other.scores)


@pytest.mark.parametrize(
    "name", ["fly.slp", "fly.opencv.pkg.slp", "fly.imageio.pkg.slp"]
)
def test_files_that_sleap_io_wrote(tmp_path, name):
    """Of a film, and with its frames inside, encoded as BGR and as RGB."""
    source = conversions.unpacked(name, tmp_path)
    if name == "fly.slp":
        films.film(tmp_path / "fly.avi")
    done = conversions.run(source, tmp_path)
    first, second = done.people
    assert conversions.points(first) == [[1.5, 2.25, 2], [30, 40, 2], [0] * 3]
    assert conversions.points(second) == [
        [2.5, 2.25, 2],
        [30, 40.5, 2],
        [0] * 3,
    ]
    assert done.content["categories"] == [{
        "id": 1, "name": "fly", "keypoints": ["nose", "left", "right"],
        "skeleton": [[1, 2], [1, 3]], "flip_pairs": [[2, 3]],
    }]  # fmt: skip
    names = ["fly_000004.png", "fly_000007.png"]
    assert [image["file_name"] for image in done.content["images"]] == names
    folder = tmp_path / "out-0_frames"
    if name == "fly.slp":
        assert films.numbers(folder) == dict(zip(names, (4, 7)))
        return
    # Inside, a frame's blue is 60 above its grey.
    for name, number in zip(names, (4, 7)):
        colours = photographs.read(folder / name).reshape(-1, 3).mean(axis=0)
        grey = 20 * number
        np.testing.assert_allclose(colours, [grey, grey, grey + 60], atol=4)


@pytest.mark.parametrize("place", ["video0/video", "video0/frame_numbers"])
def test_damaged_frames_inside(tmp_path, place):
    source = conversions.unpacked("fly.opencv.pkg.slp", tmp_path)
    with h5py.File(source, "r+") as file:
        file[place][...] = 99
    if "video0/video" == place:
        message = "The frames inside the .slp cannot be read. Received: "
        assert conversions.refuses(source, tmp_path, message)
        assert not (tmp_path / "out-0_frames").exists()
        return
    message = "Nobody is labelled (2 frame that its video does not have)"
    assert conversions.refuses(source, tmp_path, message)


def test_raw_frames_inside(tmp_path):
    source = conversions.unpacked("fly.opencv.pkg.slp", tmp_path)
    with h5py.File(source, "r+") as file:
        del file["video0/video"]
        file["video0/video"] = np.full((2, 48, 64, 3), [10, 20, 30], np.uint8)
    conversions.run(source, tmp_path)
    there = photographs.read(tmp_path / "out-0_frames" / "fly_000007.png")
    assert (there == [10, 20, 30]).all()


def test_labels_of_several_films_are_written(written, tmp_path):
    found = of.Annotations(
        (of.Category("fly", ("nose",)),),
        tuple(
            of.Picture(f"{n}.png", frame=frame and of.Frame(*frame))
            for n, frame in enumerate([("b.avi", 7), None, ("a.avi", 3), None])
        ),
        tuple(of.Person(f"{n}.png", "fly", np.full((1, 3), n + 1.0))
              for n in range(4)),
        coco_annotations.LeftOut(),
    )  # fmt: skip
    path = tmp_path / "made.slp"
    sleap_file.write(found, path)
    again = sleap.read(path, pictures.Pictures(tmp_path))
    assert [(p.name, p.frame) for p in again.pictures] == [
        ("b_000007.png", of.Frame("b.avi", 7)),
        ("1.png", None),
        ("a_000003.png", of.Frame("a.avi", 3)),
        ("3.png", None),
    ]
    assert [p.points[0, 0] for p in again.people] == [1, 2, 3, 4]


def test_skeletons_of_one_name(written, tmp_path):
    """The second has the first's joints in another order, the third other."""
    source = written()
    with h5py.File(source, "r+") as file:
        attributes = file["metadata"].attrs
        metadata = json.loads(attributes["json"])
        turned = {**SKELETON, "nodes": [{"id": 3}, {"id": 2}, {"id": 1}]}
        third = {"graph": {"name": "fly"}, "nodes": [{"id": 0}], "links": []}
        metadata["skeletons"] = [SKELETON, turned, third]
        attributes["json"] = np.bytes_(json.dumps(metadata))
        rows = file["instances"][()]
        rows["skeleton"] = [0, 1, 2]
        rows["instance_type"] = 0
        rows["point_id_start"], rows["point_id_end"] = [0, 0, 0], [3, 3, 2]
        file["instances"][...] = rows
        points = file["points"][()]
        points["visible"] = True
        file["points"][...] = points
    done = conversions.run(source, tmp_path, split="")
    names = [category.name for category in done.found.categories]
    assert names == ["fly", "fly 3"]
    first, second = done.found.people
    # In the file: 1, 2 and 3, 4 and nothing.
    assert first.points.tolist() == [[1, 2, 2], [3, 4, 2], [0, 0, 0]]
    assert second.points.tolist() == [[3, 4, 2], [0, 0, 0], [1, 2, 2]]
    assert conversions.counts(done.found) == {
        "instance with other points than its skeleton": 1,
        "picture without labels": 1,
    }
