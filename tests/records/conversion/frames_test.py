"""Tests for names of frames, and for the pictures made of them."""

import pathlib
import shutil

import numpy as np
import pytest

from integral_tf.records import coco_annotations
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import frames
from integral_tf.records.conversion import pictures
from tests.records.conversion import conversions
from tests.records.conversion import films


def labels(look, places, videos=("clip.avi",), more=()):
    """Labels of frames, pairs of a video's place and a number, and pictures."""
    named = frames.Videos(look, videos)
    found = [
        named.picture(of.Frame(videos[place], number))
        for place, number in places
    ]
    found += [of.Picture(name) for name in more]
    people = [of.Person(p.name, "cat", np.ones((1, 3))) for p in found]
    category = of.Category("cat", ("nose",))
    return of.Annotations(
        (category,), tuple(found), tuple(people), coco_annotations.LeftOut()
    )


def take(folder, found, look, video=""):
    """Names of the labelled pictures, and dict from those there to numbers."""
    out = folder / "out"
    with frames.taken(found, look, folder, out, video) as (kept, there):
        assert not out.exists()
        names = [picture.name for picture in kept.pictures]
        assert [person.picture for person in kept.people] == names
        there = films.numbers(there.folder)
    assert out.is_dir() == (there != films.numbers(folder))
    return names, there


@pytest.mark.parametrize(
    "videos, stems",
    [
        (["clip.mp4"], ["clip"]),
        (["C:\\a\\my clip.v2.mp4", "noend"], ["my clip.v2", "noend"]),
        (["/a/cam.mp4", "/b/cam.mp4"], ["a_cam", "b_cam"]),
        (["a/x/c.avi", "a/y/c.avi", "b/y/c.avi"], ["a_x_c", "a_y_c", "b_y_c"]),
        (["a_c.avi", "a/c.avi", "c.avi"], ["0_a_c", "1_a_c", "2_c"]),
        (["c.avi", "c.mp4"], ["0_c", "1_c"]),
        (["", "."], ["video", "."]),
    ],
)
def test_each_video_has_its_own_name(tmp_path, videos, stems):
    named = frames.Videos(pictures.Pictures(tmp_path), videos)
    found = [named.picture(of.Frame(video, 7)).name for video in videos]
    assert found == [f"{stem}_000007.png" for stem in stems]


@pytest.mark.parametrize(
    "name", ["clip_000007.png", "clip/000007.png", "a/frame_000007.PNG"]
)
def test_a_frame_that_is_a_picture_is_found(tmp_path, name):
    conversions.picture(tmp_path / "x.png")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / "x.png").rename(tmp_path / name)
    named = frames.Videos(pictures.Pictures(tmp_path), ["clip.avi"])
    picture = named.picture(of.Frame("clip.avi", 7), ["frame_000007"])
    assert picture.name == name


def test_the_labelled_frames_are_written(tmp_path):
    films.film(tmp_path / "films" / "clip.avi")
    look = pictures.Pictures(tmp_path, videos=[tmp_path])
    found = labels(look, [(0, 7), (0, 0), (0, 3), (0, 9), (0, 10**12)])
    names = ["clip_000007.png", "clip_000000.png", "clip_000003.png"]
    assert take(tmp_path, found, look) == (
        names,
        dict(zip(sorted(names), [0, 3, 7])),
    )
    reason = "frame that its video does not have"
    assert found.left_out.rows == {reason: (2, "9 of clip.avi")}


def test_two_films_of_one_name(tmp_path):
    films.film(tmp_path / "a" / "cam.avi")
    films.film(tmp_path / "b" / "cam.avi", 2)
    look = pictures.Pictures(tmp_path, videos=[tmp_path])
    videos = ["/elsewhere/a/cam.avi", "/elsewhere/b/cam.avi"]
    found = labels(look, [(0, 5), (1, 1)], videos)
    names, there = take(tmp_path, found, look)
    assert there == {"a_cam_000005.png": 5, "b_cam_000001.png": 1}
    assert names == list(there)


def test_pictures_that_are_there_are_copied_beside(tmp_path):
    films.film(tmp_path / "clip.avi")
    for name in ("photos/a.png", "clip_000002.png"):
        conversions.picture(tmp_path / name)
    look = pictures.Pictures(tmp_path, videos=[tmp_path])
    found = labels(look, [(0, 1), (0, 2)], more=["photos/a.png", "gone.png"])
    with frames.taken(found, look, tmp_path, tmp_path / "out") as (kept, _):
        pass
    assert kept.pictures == found.pictures
    there = pictures.Pictures(tmp_path / "out").names
    assert there == ["clip_000001.png", "clip_000002.png", "photos/a.png"]


def test_without_the_video_nothing_is_written(tmp_path):
    look = pictures.Pictures(tmp_path, videos=[tmp_path])
    found = labels(look, [(0, 1)])
    assert take(tmp_path, found, look) == (["clip_000001.png"], {})


def test_another_video_on_request(tmp_path):
    film = films.film(tmp_path / "far" / "other.avi")
    (tmp_path / "near").mkdir()
    near = tmp_path / "near"
    look = pictures.Pictures(near, videos=[film])
    found = labels(look, [(0, 4)])
    there = {"clip_000004.png": 4}
    assert take(near, found, look, str(film))[1] == there
    shutil.rmtree(near / "out")
    film.rename(film.with_name("clip.avi"))
    look = pictures.Pictures(near, videos=[film.parent])
    assert take(near, found, look, str(film.parent))[1] == there


@pytest.mark.parametrize(
    "video, videos, message",
    [
        ("films", ["clip.avi"], "--video is a folder with clip.avi. Received"),
        ("films/x.avi", ["a.avi", "b.avi"], "--video is a folder where labels"),
        ("films/x.avi", [], "--video is for labels of frames that are no pict"),
        ("films/bad.avi", ["a.avi"], "OpenCV cannot decode the video"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, video, videos, message):
    films.film(tmp_path / "films" / "x.avi", 1)
    (tmp_path / "films" / "bad.avi").write_bytes(b"none")
    path = str(tmp_path / video)
    look = pictures.Pictures(tmp_path, videos=[path])
    found = labels(look, [(n, 0) for n in range(len(videos))], videos)
    with pytest.raises((OSError, ValueError), match=message) as error:
        take(tmp_path, found, look, path)
    assert "Received: " in str(error.value)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_an_older_folder_of_frames_stays(tmp_path):
    films.film(tmp_path / "clip.avi", 1)
    (tmp_path / "out").mkdir()
    look = pictures.Pictures(tmp_path, videos=[tmp_path])
    message = "The frames of a video become pictures in a new folder. Received"
    with pytest.raises(FileExistsError, match=message):
        take(tmp_path, labels(look, [(0, 0)]), look)
    assert list(pathlib.Path(tmp_path / "out").iterdir()) == []
