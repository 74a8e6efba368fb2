"""`integral-tf predict`: photographs or a video in, drawings and JSON out."""

import contextlib
import json
import pathlib

from integral_tf import config as configs
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

# Files with the joints of photographs, and of a video.
_JOINTS, _LINES = "joints.json", "joints.jsonl"
_UNREAD = "of an image that is not read"
_WANTED = (
    "a photograph, a folder of them "
    f"({', '.join(sorted(photographs.ENDINGS))}), or a video "
    f"({', '.join(sorted(video.ENDINGS))})"
)


def predict(config: configs.PredictConfig) -> list[dict]:
    """Estimates, draws and writes the people of photographs or of a video.

    Unreadable images, and boxes of no image, are left out. The last line
    printed counts them with the reasons, and counts pictures in which nobody
    was found or no joint is sure. The output folder appears as a whole at the
    end; an interrupted prediction changes nothing.

    Args:
        config: A `config.PredictConfig`.

    Returns:
        The list written to `joints.json`; for a video the list of the lines of
        `joints.jsonl`, one per frame.

    Raises:
        FileNotFoundError: there is no such model, detector, image, or file of
            boxes.
        FileExistsError: `out` exists and is not an earlier prediction.
        BlockingIOError: another process is writing `out`.
        ImportError: a package that the model or the detector needs is not
            installed.
        ValueError: the file of boxes has an unknown form or no box of an
            image; `boxes` and `detector` are both given; no image is readable;
            or the video cannot be decoded to its end.
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
    paths = placement.photographs(
        config.images, photographs.ENDINGS, left, wanted=_WANTED
    )
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
            boxed = None if people is None else people.get(path.name, [])
            try:
                image, notes = photographs.read_labelled(path)
            except schema.Dropped as reason:
                left.name("image", f"not read: {reason}", path)
                left.count("box", _UNREAD, path.name, number=len(boxed or []))
                continue
            if photographs.FIRST in notes:
                left.count("file", photographs.OF_SEVERAL, path.name)
            picture, found = answers(image, boxed)
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
        path: Path of the drawn video; the lines are written beside it.

    Returns:
        Name of the drawn video, whose ending may differ from `path`'s; and the
        list of the lines.
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
    """The rows of the file of boxes; None without `--boxes`."""
    return boxes_of.read(config.boxes, names) if config.boxes else None


def _say(left, done):
    for line in left.lines:
        print(line)
    print(done + left.ending())


class _Answers:
    """Estimates and draws the people of pictures, one by one, and counts them.

    Prints first how people are found.

    Args:
        config: A `config.PredictConfig`.

    Attributes:
        skeleton: The model's `skeletons.Skeleton`.
        pictures, people: Counts of the pictures and the people so far.
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
        """Estimates the poses in one picture.

        Args:
            image: `(H, W, 3)` uint8 RGB.
            people: List of `boxes.Person`; None without `--boxes`.

        Returns:
            The picture with its people drawn, and a list with a pair
            `(image_id, result)` per person.
        """
        boxes = None if people is None else [person.box for person in people]
        poses = self._model(image, boxes)
        if people is None:
            category = self.skeleton.categories[0]
            people = [boxes_of.Person(pose.box, category) for pose in poses]
        self.pictures += 1
        self.people += len(poses)
        self._empty += boxes is None and not poses
        # A whole picture may show nobody; then the pose is not drawn.
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
        """The counts in words; `noun` is "image" or "frame"."""
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
    """Path of the output folder: a new one, or an earlier prediction's."""
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
    """Name of a file in a folder that no prediction wrote; may be empty."""
    if out.is_file():
        return out.name
    names = sorted(out.iterdir())
    if not any(path.name in (_JOINTS, _LINES) for path in names):
        return names[0].name if names else ""
    ours = photographs.ENDINGS | video.ENDINGS | {".json", ".jsonl"}
    for path in names:
        if path.is_dir() or path.suffix.lower() not in ours:
            return path.name
    return ""
