"""Tests for converting what `integral-tf predict` writes."""

import json

import h5py
import pytest

from integral_tf import skeletons
from integral_tf.records.conversion import deeplabcut
from integral_tf.records.conversion import pictures
from integral_tf.records.conversion import predictions
from integral_tf.records.conversion import sleap
from integral_tf.records.conversion import sleap_file
from tests import in_process
from tests.records.conversion import conversions
from tests.records.conversion import films

PAIR = skeletons.Skeleton("pair", ("a", "b"), (), (("a", "b"),))
READERS = {"deeplabcut": deeplabcut.read, "sleap": sleap.read}
ENDINGS = {"deeplabcut": "csv", "sleap": "slp"}
POINTS = [[[1.5, 2.25], [3, 4]], [[5, 6], [7, 8]]]
SCORES = [[0.5, 0.25], [1.0, 0.125]]


def person(number):
    rows = zip(POINTS[number], SCORES[number])
    values = [value for (x, y), score in rows for value in (x, y, score)]
    return {"category_id": 1, "bbox": [0, 0, 9, 9], "keypoints": values,
            "score": 0.5, "sure": True}  # fmt: skip


@pytest.fixture
def skeleton(tmp_path):
    path = tmp_path / "skeleton.json"
    path.write_text(json.dumps(skeletons.to_dict(PAIR)))
    return path


def photographs(folder):
    path = folder / "joints.json"
    rows = [{"file_name": "p.png", **person(number)} for number in (0, 1)]
    path.write_text(json.dumps(rows))
    conversions.picture(folder / "p.png")
    return path, ["p.png"]


def video(folder):
    (folder / "drawn").mkdir()
    (folder / "drawn" / "clip.mp4").touch()
    path = folder / "drawn" / "joints.jsonl"
    path.write_text(
        json.dumps({"frame": 0, "seconds": 0, "people": [person(0)]})
        + "\n"
        + json.dumps({"frame": 1, "seconds": 0.1, "people": [person(1)]})
        + "\n"
    )
    return path, ["clip_000000.png", "clip_000001.png"]


@pytest.mark.parametrize("to", READERS)
@pytest.mark.parametrize("made", [photographs, video])
def test_predictions_come_back_the_same(tmp_path, skeleton, made, to):
    source, names = made(tmp_path)
    out = tmp_path / f"clip.{ENDINGS[to]}"
    done = in_process.run(
        *("convert", source, f"--skeleton={skeleton}"),
        *(f"--to={to}", f"--out={out}"),
    )
    assert done.returncode == 0, done.stderr
    assert f"pictures: {len(names)}, people: 2" in done.stdout
    found = READERS[to](out, pictures.Pictures(tmp_path))
    assert [p.name.split("/")[-1] for p in found.pictures] == names
    assert found.categories[0].keypoints == ("a", "b")
    for number, each in enumerate(found.people):
        assert each.points[:, :2].tolist() == POINTS[number]
        assert each.scores.tolist() == SCORES[number]
    assert len(found.people) == 2


def test_the_film_of_predictions_is_asked_for(tmp_path, skeleton):
    """Beside the predictions is the film in which they are drawn."""
    source, _ = video(tmp_path)
    films.film(tmp_path / "x.avi").rename(source.with_name("clip.mp4"))
    done = conversions.run(source, source.parent, skeleton=str(skeleton))
    assert not (source.parent / "out-0_frames").exists()
    film = films.film(tmp_path / "films" / "mine.avi")
    done = conversions.run(
        source, source.parent, skeleton=str(skeleton), video=str(film)
    )
    names = ["mine_000000.png", "mine_000001.png"]
    assert [image["file_name"] for image in done.content["images"]] == names
    made = source.parent / "out-1_frames"
    assert films.numbers(made) == dict(zip(names, (0, 1)))


def test_sleap_opens_the_film_that_was_predicted(tmp_path, skeleton):
    """In the drawn film, joints would be on drawn joints."""
    source, _ = video(tmp_path)
    film = films.film(tmp_path / "films" / "mine.avi")
    for given, name in (([], "clip.mp4"), ([f"--video={film}"], str(film))):
        out = tmp_path / f"{len(given)}.slp"
        done = in_process.run(
            *("convert", source, f"--skeleton={skeleton}", "--to=sleap"),
            *(f"--out={out}", *given),
        )
        assert done.returncode == 0, done.stderr
        drawn = "film: clip.mp4, the drawn one; --video=FILE names its own"
        assert (drawn in done.stdout) == (not given)
        with h5py.File(out) as file:
            made = json.loads(file["videos_json"][0])
        assert made["backend"]["filename"] == name


def test_frames_without_people_keep_their_places(tmp_path, skeleton):
    source = tmp_path / "joints.jsonl"
    lines = [{"frame": 3, "people": []}, {"frame": 5, "people": [person(0)]}]
    source.write_text("\n".join(map(json.dumps, lines)))
    found = predictions.read(source, pictures.Pictures(tmp_path), str(skeleton))
    deeplabcut.write(found, tmp_path / "a.csv")
    rows = (tmp_path / "a.csv").read_text().splitlines()
    assert rows[3:] == ["3,,,,,,", "5,1.5,2.25,0.5,3.0,4.0,0.25"]
    sleap_file.write(found, tmp_path / "a.slp")
    again = sleap.read(tmp_path / "a.slp", pictures.Pictures(tmp_path))
    assert [p.frame.number for p in again.pictures] == [3, 5]


def test_tracks_stay_tracks(tmp_path, skeleton):
    """Person 7 is alone in the first frame, and second in the next."""
    source = tmp_path / "joints.jsonl"
    lines = [
        {"frame": 0, "people": [{**person(1), "track": 7}]},
        {"frame": 1, "people": [{**person(0), "track": 2},
                                {**person(1), "track": 7}]},
    ]  # fmt: skip
    source.write_text("\n".join(map(json.dumps, lines)))
    found = predictions.read(source, pictures.Pictures(tmp_path), str(skeleton))
    deeplabcut.write(found, tmp_path / "a.csv")
    rows = (tmp_path / "a.csv").read_text().splitlines()
    assert rows[1].split(",")[1::6] == ["individual2", "individual7"]
    assert rows[4:] == [
        "0,,,,,,,5.0,6.0,1.0,7.0,8.0,0.125",
        "1,1.5,2.25,0.5,3.0,4.0,0.25,5.0,6.0,1.0,7.0,8.0,0.125",
    ]
    sleap_file.write(found, tmp_path / "a.slp")
    with h5py.File(tmp_path / "a.slp") as file:
        names = [json.loads(row)[1] for row in file["tracks_json"][()]]
        tracks = [names[row] for row in file["instances"]["track"]]
    assert tracks == ["track_7", "track_2", "track_7"]


def test_predictions_as_labels(tmp_path, skeleton):
    source, _ = photographs(tmp_path)
    run = conversions.run(source, tmp_path, skeleton=str(tmp_path))
    first, second = run.people
    assert conversions.points(first) == [[1.5, 2.25, 2], [3, 4, 2]]
    assert second.box.tolist() == [0, 0, 9, 9]
    assert run.content["categories"][0]["skeleton"] == [[1, 2]]


def test_faults_of_predictions(tmp_path, skeleton):
    source, _ = photographs(tmp_path)
    message = "Predictions have no names of their joints"
    assert conversions.refuses(source, tmp_path, message)
    message = "The predictions have the 17 joints of the skeleton coco"
    assert conversions.refuses(source, tmp_path, message, skeleton="coco")
    for name, text in (("a.json", "[1]"), ("a.jsonl", '{"frame": "x"}')):
        path = tmp_path / name
        path.write_text(text)
        message = "Predictions are the joints.json or joints.jsonl"
        assert conversions.refuses(
            *(path, tmp_path, message), format="predictions", skeleton="coco"
        )
    rows = [
        {"file_name": "p.png", **person(0)},
        {"file_name": "p.png", **person(0), "keypoints": [None] * 6},
    ]
    source.write_text(json.dumps(rows))
    run = conversions.run(source, tmp_path, skeleton=str(skeleton))
    assert conversions.counts(run.found) == {"keypoints that are no numbers": 1}
