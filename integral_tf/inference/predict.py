"""A model on photographs or a video: drawings and JSON."""

import contextlib
import json
import pathlib

from integral_tf import detection
from integral_tf import progress
from integral_tf import whole
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import draw
from integral_tf.inference import estimator
from integral_tf.inference import left_out
from integral_tf.inference import placement
from integral_tf.inference import video
from integral_tf.records import photographs
from integral_tf.records import schema

# What a prediction consists of, of photographs and of a video.
_JOINTS, _LINES = "joints.json", "joints.jsonl"
_UNREAD = "of an image that is not read"
_ENDINGS = {
    ".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp",
}  # fmt: skip
_WANTED = (
    f"a photograph, a folder of them ({', '.join(sorted(_ENDINGS))}), or a "
    f"video ({', '.join(sorted(video.ENDINGS))})"
)


def predict(config):
    """Estimates, draws and writes the people of photographs or of a video.

    What cannot be read, and boxes that belong nowhere, are left out, counted
    in the last line with their reasons, and so are pictures in which nobody
    was found, or no joint is sure. All of the output appears at once:
    interrupted, nothing has changed.

    Args:
        config: A `config.PredictConfig`.

    Returns:
        The list written to `joints.json`, or to `joints.jsonl`, a frame each.

    Raises:
        FileNotFoundError: no model, no detector, no image, or no boxes file.
        FileExistsError: `out` exists and is not an earlier prediction.
        BlockingIOError: another process is writing it.
        ImportError: what the model or the detector needs is not installed.
        ValueError: the boxes are of no known form, or none is left; or there
            is a detector too; no image is readable; or the video is not, to
            its end.
    """
    if config.boxes and config.detector:
        raise ValueError(
            "Boxes say where the people are, so no detector looks for them: "
            f"give one of the two. Received: --boxes={config.boxes!r}, "
            f"--detector={config.detector!r}"
        )
    out = _claimable(config.out, config.images)
    path = pathlib.Path(config.images)
    if path.is_file() and path.suffix.lower() in video.ENDINGS:
        return _predict_video(config, path, out)
    return _predict_photographs(config, out)


def _predict_photographs(config, out):
    left = left_out.LeftOut()
    paths = placement.photographs(config.images, _ENDINGS, left, wanted=_WANTED)
    rows = _rows(config, "file_name or image_id")
    answers, people = _Answers(config), None
    if rows is not None:
        people = placement.of_photographs(
            config, rows, paths, answers.skeleton.categories, left
        )
    results = []
    with whole.folder(out) as partial:
        for path, name in zip(
            progress.over(paths, "predict", unit="images"),
            draw.names_for(paths),
        ):
            some = None if people is None else people.get(path.name, [])
            try:
                image, notes = photographs.read_labelled(path)
            except schema.Dropped as reason:
                left.name("image", f"not read: {reason}", path)
                left.count("box", _UNREAD, path.name, number=len(some or []))
                continue
            if photographs.FIRST in notes:
                left.count("file", photographs.OF_SEVERAL, path.name)
            picture, found = answers(image, some)
            draw.save(picture, partial / name)
            results += [
                {**placement.described(path, image_id), **person}
                for image_id, person in found
            ]
        if not answers.pictures:
            raise ValueError(
                f"No image could be read, such as {paths[0]}{left.ending()}. "
                f"Received: --images={config.images!r}"
            )
        if rows is not None and not results:
            raise placement.nobody(
                config, rows, left, "any image that could be read"
            )
        (partial / _JOINTS).write_text(json.dumps(results) + "\n")
    _say(left, answers.summary("image"))
    print(f"pictures: {out}")
    print(f"joints: {out / _JOINTS}")
    return results


def _predict_video(config, path, out):
    left = left_out.LeftOut()
    with contextlib.ExitStack() as stack:
        frames = stack.enter_context(video.Reader(path))
        rows = _rows(config, "frame")
        answers, people = _Answers(config), None
        if rows is not None:
            people = placement.Frames(
                config,
                rows,
                frames.announced,
                answers.skeleton.categories,
                left,
            )
        partial = stack.enter_context(whole.folder(out))
        drawn, results = _answer_frames(
            answers, frames, people, partial / path.name
        )
        if people and not answers.people:
            raise people.nobody(len(results))
    if people:
        people.end()
    if 0 < frames.announced != len(results):
        print(f"the video announces {frames.announced} frames")
    _say(left, answers.summary("frame"))
    print(f"video: {out / drawn}")
    print(f"joints: {out / _LINES}")
    return results


def _answer_frames(answers, frames, people, path):
    """Writes the drawn video and the lines of its frames.

    Args:
        answers: The `_Answers`.
        frames: The `video.Reader`.
        people: The `placement.Frames`, or None without boxes.
        path: Where the drawn video goes, and the lines beside it.

    Returns:
        Name of the drawn video, which may have another ending, and the list
        of the lines.
    """
    results, drawn = [], None
    with open(path.with_name(_LINES), "w") as lines:
        total = frames.announced or None
        for image in progress.over(frames, "predict", total, unit="frames"):
            number = len(results)
            picture, found = answers(image, people and people.pop(number))
            drawn = drawn or video.Writer(path, frames.rate, *image.shape[:2])
            drawn.write(picture)
            results.append(
                {
                    "frame": number,
                    "seconds": round(frames.seconds, 4),
                    "people": [person for _, person in found],
                }
            )
            lines.write(json.dumps(results[-1]) + "\n")
    drawn.close()
    return drawn.path.name, results


def _rows(config, names):
    """The rows of the file of boxes, or None where there is none."""
    return boxes_of.read(config.boxes, names) if config.boxes else None


def _say(left, done):
    for line in left.lines:
        print(line)
    print(done + left.ending())


class _Answers:
    """The people of one picture after another, drawn, and counted.

    Says first what finds them.

    Args:
        config: A `config.PredictConfig`.

    Attributes:
        skeleton: The model's.
        pictures, people: How many there were so far.
    """

    def __init__(self, config):
        detector = None
        if config.detector:
            detector = detection.get(
                config.detector,
                least=config.min_box_score,
                person=None if config.person_class < 0 else config.person_class,
            )
            print(f"detector: {detector}")
        elif not config.boxes:
            print(
                "Each picture is taken for one person; where it shows several, "
                "name what finds them, --detector=FILE.onnx, or where they "
                "are, --boxes=FILE (docs/detectors.md)."
            )
        self._model = estimator.PoseEstimator(
            config.model or None,
            config.skeleton or None,
            flip_test=config.flip_test,
            batch_size=config.batch_size,
            detector=detector,
        )
        self._least = config.min_score
        self._ellipses = config.ellipses
        self._is_whole = not (config.detector or config.boxes)
        self.skeleton = self._model.skeleton
        self.pictures = self.people = self._empty = self._unsure = 0

    def __call__(self, image, people):
        """A picture with its people drawn, and `(image_id, result)` of each.

        Args:
            image: `(H, W, 3)` uint8 RGB.
            people: List of `boxes.Person`; None where there are no boxes.
        """
        boxes = None if people is None else [person.box for person in people]
        poses = self._model(image, boxes)
        if people is None:
            category = self.skeleton.categories[0]
            people = [boxes_of.Person(pose.box, category) for pose in poses]
        self.pictures += 1
        self.people += len(poses)
        self._empty += boxes is None and not poses
        # A whole picture may show nobody, and a pose would be no answer.
        unsure = self._is_whole and not any(pose.sure for pose in poses)
        self._unsure += unsure
        found = [
            (
                person.image_id,
                {**pose.to_coco(person.category), "sure": pose.sure},
            )
            for person, pose in zip(people, poses)
        ]
        picture = draw.people(
            image,
            [] if unsure else poses,
            least=self._least,
            ellipses=self._ellipses,
        )
        return picture, found

    def summary(self, noun):
        """What became of all pictures, each called such a noun."""
        people = "1 person" if self.people == 1 else f"{self.people} people"
        parts = [f"{people} in {_counted(self.pictures, noun)}"]
        if self._empty:
            parts.append(f"nobody found in {_counted(self._empty, noun)}")
        if self._unsure:
            parts.append(
                f"no sure joint in {_counted(self._unsure, noun)}, not drawn"
            )
        return "; ".join(parts)


def _counted(count, noun):
    return f"{count} {noun}{'s' * (count != 1)}"


def _claimable(out, images):
    """The output folder: a new one, or one of an earlier prediction."""
    if not out:
        raise ValueError("Name a folder to write. Received: --out=")
    out, source = pathlib.Path(out), pathlib.Path(images).resolve()
    if out.resolve() in (source, *source.parents):
        raise FileExistsError(
            "`out` holds the pictures that are read, and would be replaced; "
            f"name a new folder. Received: --out={out}"
        )
    if out.exists() and (other := _other(out)):
        raise FileExistsError(
            f"`out` holds other things, such as {other}, and would be "
            f"replaced; name a new folder. Received: --out={out}"
        )
    return out


def _other(out):
    """What a folder holds that no prediction wrote, or an empty text."""
    if out.is_file():
        return out.name
    names = sorted(out.iterdir())
    if not any(path.name in (_JOINTS, _LINES) for path in names):
        return names[0].name if names else ""
    ours = _ENDINGS | video.ENDINGS | {".json", ".jsonl"}
    for path in names:
        if path.is_dir() or path.suffix.lower() not in ours:
            return path.name
    return ""
