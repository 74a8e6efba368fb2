"""Tests for predictions of photographs and videos, as files."""

import json
import pathlib
import signal
import sys

import cv2
import numpy as np
import pytest

from integral_tf import config as configs
from integral_tf import ownership
from integral_tf import skeletons
from integral_tf.inference import draw
from integral_tf.inference import encoding
from integral_tf.inference import predict as predicting
from integral_tf.inference import video
from tests.detection import graphs
from tests.inference import cases

FRAMES, RATE, HEIGHT, WIDTH = 10, 4, 48, 64


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return cases.flat_model(tmp_path_factory.mktemp("model"), skeletons.LSP)


@pytest.fixture
def clip(tmp_path):
    """Ten grey frames, each 20 brighter than the one before."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (WIDTH, HEIGHT)
    )
    for i in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), 20 * i, np.uint8))
    writer.release()
    return path


@pytest.fixture
def predict(model, tmp_path):
    """`predicting.predict` into `out`, of images and maybe of boxes."""

    def run(images, boxes=None, **settings):
        if isinstance(boxes, pathlib.Path):
            settings["boxes"] = str(boxes)
        elif boxes is not None:
            (tmp_path / "boxes.json").write_text(json.dumps(boxes))
            settings["boxes"] = str(tmp_path / "boxes.json")
        return predicting.predict(
            configs.PredictConfig(
                model=model,
                images=str(images),
                out=str(tmp_path / "out"),
                **settings,
            )
        )

    return run


def whole_frames():
    """Boxes: in each frame there is one person, who fills it."""
    box = [0, 0, WIDTH, HEIGHT]
    return [{"frame": i, "bbox": box} for i in range(FRAMES)]


def lines(folder):
    text = (folder / "joints.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_frame_is_a_line_and_a_drawn_frame(predict, clip, tmp_path):
    results = predict(clip, whole_frames())
    out = tmp_path / "out"
    assert files(out) == ["clip.mp4", "joints.jsonl"]
    assert lines(out) == results
    assert [line["frame"] for line in results] == list(range(FRAMES))
    # The box is the whole frame, and its joints are the frame's middle.
    for line in results:
        (person,) = line["people"]
        assert person["bbox"] == [0, 0, 64, 48]
        points = np.reshape(person["keypoints"], (14, 3))
        np.testing.assert_allclose(points[:, :2], [[31.5, 23.5]] * 14)
        assert person["score"] == pytest.approx(points[0, 2], abs=1e-3)
    with video.Reader(out / "clip.mp4") as frames:
        assert (frames.rate, frames.announced) == (RATE, FRAMES)
        drawn = list(frames)
    assert drawn[0].shape == (HEIGHT, WIDTH, 3)
    # As bright as they were, but for the dots in the middle.
    corners = [frame[:10, :10].mean() for frame in drawn]
    np.testing.assert_allclose(corners, 20 * np.arange(FRAMES), atol=8)
    # The network is unsure of them: faint, where a flat frame has 0.
    assert all(frame[18:30, 26:38].std() > 0.8 for frame in drawn)


def test_frames_in_which_no_joint_is_sure_are_not_drawn(
    predict, clip, tmp_path, capsys
):
    results = predict(clip)
    for line in results:
        (person,) = line["people"]
        assert person["sure"] is False
        assert person["bbox"] == [0, 0, WIDTH, HEIGHT]
    with video.Reader(tmp_path / "out" / "clip.mp4") as frames:
        assert all(frame.std() < 3 for frame in frames)  # as it was: grey
    first, *_, count, _, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("Each picture is taken for one person; ")
    assert "--detector=FILE.onnx" in first and "--boxes=FILE" in first
    assert count == (
        "10 people in 10 frames; no sure joint in 10 frames, not drawn"
    )


def test_boxes_of_a_video_have_frame_numbers(predict, clip, tmp_path, capsys):
    box = {"frame": 2, "category_id": 1, "bbox": [10, 20, 11, 9], "score": 0.9}
    boxes = [
        box,
        {**box, "bbox": [0, 0, 5, 5]},
        {**box, "frame": 9},
        {**box, "frame": 3, "score": 0.1},  # which the detector doubts
        {**box, "frame": 4, "category_id": 18},  # a dog
        {**box, "frame": 10},  # after the end
    ]
    results = predict(clip, boxes)
    counts = [len(line["people"]) for line in results]
    assert counts == [0, 0, 2, 0, 0, 0, 0, 0, 0, 1]
    first, second = results[2]["people"]
    # From 10 on, 11 pixels: 10 to 20, their middle 15; 20 to 28, 24.
    assert first["bbox"] == [10, 20, 11, 9]
    np.testing.assert_allclose(first["keypoints"][:2], [15, 24])
    np.testing.assert_allclose(second["keypoints"][:2], [2, 2])
    said = capsys.readouterr().out
    assert "3 people in 10 frames" in said
    assert (
        "left out: 1 box below --min_box_score=0.5, 1 box of another "
        "category than 1 (18), 1 box of a frame after its end (10)"
    ) in said


@pytest.mark.parametrize(
    "boxes, message",
    [
        ([{"image_id": 1, "bbox": [0, 0, 5, 5]}], "without a frame's number"),
        ([{"frame": "1", "bbox": [0, 0, 5, 5]}], "without a frame's number"),
        ([{"frame": True, "bbox": [0, 0, 5, 5]}], "without a frame's number"),
        ([{"frame": -1, "bbox": [0, 0, 5, 5]}], "before 0"),
        ([{"frame": 1, "bbox": [0, 0, 5]}], "without four numbers"),
        ([{"frame": 10, "bbox": [0, 0, 5, 5]}], "which has 10.*after its"),
        ([], "No box belongs to any frame.*first row is none"),
        ([{"frame": 1, "bbox": [0, 0, -5, 5]}], "without a positive width"),
        ({"frame": 1}, "it is a dict"),
    ],
)
def test_boxes_of_which_none_is_left_are_refused(
    predict, clip, tmp_path, boxes, message
):
    with pytest.raises(ValueError, match=message):
        predict(clip, boxes)
    assert files(tmp_path) == ["boxes.json", "clip.avi"]


def check_kept(out, count):
    """Checks that the first `count` frames of `clip` were kept whole."""
    assert files(out) == ["clip.mp4", "joints.jsonl"]
    assert [line["frame"] for line in lines(out)] == list(range(count))
    with video.Reader(out / "clip.mp4") as frames:
        assert frames.announced == count
        means = [frame[:10, :10].mean() for frame in frames]
    np.testing.assert_allclose(means, 20 * np.arange(count), atol=8)


def test_of_a_broken_video_the_whole_frames_are_kept(
    predict, clip, tmp_path, capsys
):
    whole = clip.read_bytes()
    clip.write_bytes(whole[: 85 * len(whole) // 100])
    with pytest.raises(video.BrokenOff, match="breaks off before") as caught:
        predict(clip)
    count = len(lines(tmp_path / "out"))
    assert 1 < count < FRAMES
    check_kept(tmp_path / "out", count)
    assert str(caught.value).endswith(
        f"{count + 1} of 10 frames; {count} whole frames in {tmp_path / 'out'}"
    )
    assert f"{count} people in {count} frames" in capsys.readouterr().out
    assert files(tmp_path) == ["clip.avi", "out"]


@pytest.fixture
def ctrl_c():
    """Presses Ctrl-C; whoever runs the tests may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def interrupted(monkeypatch, ctrl_c):
    """Presses Ctrl-C, once, while a drawing of that number is made."""

    def at(number):
        drawn, people = [], draw.people

        def instead(image, *rest, **how):
            drawn.append(image)
            if len(drawn) == number:
                ctrl_c()
            return people(image, *rest, **how)

        monkeypatch.setattr(draw, "people", instead)

    return at


def test_an_interrupt_keeps_the_whole_frames(
    predict, clip, tmp_path, interrupted, capsys
):
    interrupted(4)
    # Nobody is in those frames; that is no reason to lose them.
    with pytest.raises(KeyboardInterrupt, match="^3 whole frames in .*out$"):
        predict(clip, [{"frame": 8, "bbox": [0, 0, 5, 5]}])
    check_kept(tmp_path / "out", 3)
    assert "1 box of a frame after its end (8)" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["H264", "OpenCV"])
def test_an_interrupt_does_not_cut_a_frame_in_two(
    predict, clip, tmp_path, monkeypatch, ctrl_c, kind
):
    if kind == "OpenCV":
        monkeypatch.setitem(sys.modules, "av", None)
    else:
        pytest.importorskip("av", reason="the extra `video` is not installed")
    written = getattr(encoding, kind)
    write, done = written.write, []

    def interrupted(*frame):
        done.append(write(*frame))
        if len(done) == 4:
            ctrl_c()

    monkeypatch.setattr(written, "write", interrupted)
    with pytest.raises(KeyboardInterrupt, match="4 whole frames"):
        predict(clip)
    check_kept(tmp_path / "out", 4)


def test_without_a_whole_frame_everything_stays(
    predict, clip, photos, tmp_path, interrupted
):
    predict(photos)
    before = files(tmp_path / "out")
    interrupted(1)
    with pytest.raises(KeyboardInterrupt) as caught:
        predict(clip)
    assert str(caught.value) == ""
    assert files(tmp_path / "out") == before
    interrupted(2)  # photographs are all, or none
    with pytest.raises(KeyboardInterrupt):
        predict(photos)
    assert files(tmp_path / "out") == before
    assert files(tmp_path) == ["clip.avi", "out", "photos"]


def test_photographs_may_follow_a_video(predict, clip, tmp_path):
    predict(clip)
    photo = tmp_path / "000000000042.png"
    draw.save(np.zeros((40, 30, 3), np.uint8), photo)
    results = predict(photo, [{"image_id": 42, "bbox": [0, 0, 21, 31]}])
    out = tmp_path / "out"
    assert files(out) == ["000000000042.png", "joints.json"]
    assert json.loads((out / "joints.json").read_text()) == results
    (person,) = results
    assert person["file_name"] == photo.name
    np.testing.assert_allclose(person["keypoints"][:2], [10, 15])


@pytest.fixture
def photos(tmp_path):
    """Two photographs, of 128 x 64 and of 64 x 128."""
    (tmp_path / "photos").mkdir()
    for name, shape in (("a.png", (64, 128, 3)), ("b.png", (128, 64, 3))):
        draw.save(np.zeros(shape, np.uint8), tmp_path / "photos" / name)
    return tmp_path / "photos"


def test_a_detector_finds_the_people(predict, photos, tmp_path, capsys):
    shares = [[0.25, 0.5, 0.5, 1], [0, 0, 0.5, 0.5]]
    graphs.detr(tmp_path / "dfine.onnx", shares, [0, 16])
    results = predict(
        photos, detector=str(tmp_path / "dfine.onnx"), min_box_score=0.0
    )
    # A quarter to a half of the width, the lower half; the other is a dog.
    assert [(row["file_name"], row["bbox"]) for row in results] == [
        ("a.png", [32, 32, 32, 32]),
        ("b.png", [16, 64, 16, 64]),
    ]
    np.testing.assert_allclose(results[0]["keypoints"][:2], [47.5, 47.5])
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("detector: dfine.onnx, recognised as D-FINE, ")
    assert rest[0] == "2 people in 2 images"


def test_pictures_of_nobody_are_counted(
    predict, photos, clip, tmp_path, capsys
):
    graphs.detr(tmp_path / "dfine.onnx", [[0, 0, 1, 1]] * 2, [16, 16])
    detector = str(tmp_path / "dfine.onnx")
    assert predict(photos, detector=detector) == []
    said = capsys.readouterr().out
    assert "0 people in 2 images; nobody found in 2 images" in said
    assert files(tmp_path / "out") == ["a.png", "b.png", "joints.json"]
    frames = predict(clip, detector=detector)
    assert [line["people"] for line in frames] == [[]] * FRAMES
    assert "nobody found in 10 frames" in capsys.readouterr().out


def test_boxes_and_a_detector_are_one_too_many(predict, photos, tmp_path):
    with pytest.raises(ValueError, match="give one of the two.*--detector='o"):
        predict(photos, [{"bbox": [0, 0, 1, 1]}], detector="opencv")
    assert not (tmp_path / "out").exists()


def test_boxes_alone_are_of_the_one_photograph(predict, photos, tmp_path):
    boxes = [[0, 0, 21, 31], [10, 20, 11, 9, 0.9]]
    results = predict(photos / "a.png", boxes)
    assert [row["bbox"] for row in results] == [boxes[0], boxes[1][:4]]
    with pytest.raises(ValueError, match="2 boxes without a file_name"):
        predict(photos, boxes)


def test_a_csv_names_photographs(predict, photos, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("file_name,x,y,width,height\nb.png,0,0,21,31\n")
    (row,) = predict(photos, path)
    assert (row["file_name"], row["bbox"]) == ("b.png", [0, 0, 21, 31])


def test_other_folders_are_not_replaced(predict, clip, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds other things"):
        predict(clip)


def test_a_folder_that_another_writes_is_refused(predict, clip, tmp_path):
    with ownership.of(tmp_path / "out", beside=True):
        with pytest.raises(BlockingIOError, match="Another process is writing"):
            predict(clip)
    predict(clip)
    assert files(tmp_path) == ["clip.avi", "out"]


def test_a_folder_that_holds_more_is_not_replaced(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    out.mkdir()
    (photos / "1.png").write_bytes(b"mine")
    (photos / "joints.json").write_text("[]")
    (out / "joints.json").write_text("[]")
    (out / "notes.txt").write_text("mine")
    for folder, said in (
        (photos, "the pictures that are read"),
        (out, "notes.txt"),
    ):
        asked = configs.PredictConfig(images=str(photos), out=str(folder))
        with pytest.raises(FileExistsError, match=said):
            predicting.predict(asked)
    assert (photos / "1.png").read_bytes() == b"mine"
    assert (out / "notes.txt").read_text() == "mine"
