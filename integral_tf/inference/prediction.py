"""A model on photographs or a video: drawings and JSON."""

import collections
import contextlib
import json
import math
import pathlib

import numpy as np
import tqdm

from integral_tf import whole
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import draw
from integral_tf.inference import estimator
from integral_tf.inference import left_out
from integral_tf.inference import video
from integral_tf.records import photographs
from integral_tf.records import schema

# What a prediction consists of, of photographs and of a video.
_JOINTS, _LINES = "joints.json", "joints.jsonl"
_UNREAD = "of an image that is not read"
_UNKNOWN = "of an ending that is not read"
_FRAME = "any frame of the video, which has {}"
_ENDINGS = {
    ".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp",
}  # fmt: skip


def predict(config):
    """Estimates, draws and writes the people of photographs or of a video.

    What cannot be read, and boxes that belong nowhere, are left out, counted
    in the last line with their reasons. All of the output appears at once:
    interrupted, nothing has changed.

    Args:
        config: A `config.PredictConfig`.

    Returns:
        The list written to `joints.json`, or to `joints.jsonl`, a frame each.

    Raises:
        FileNotFoundError: no model, no image, or no boxes file.
        FileExistsError: `out` exists and is not an earlier prediction.
        BlockingIOError: another process is writing it.
        ValueError: the boxes are not a list, or none is left; no image is
            readable; or the video is not, to its end.
    """
    out = _claimable(config.out)
    path = pathlib.Path(config.images)
    if path.is_file() and path.suffix.lower() in video.ENDINGS:
        return _predict_video(config, path, out)
    return _predict_photographs(config, out)


def _predict_photographs(config, out):
    left = left_out.LeftOut()
    paths = _image_paths(config.images, left)
    rows = None
    if config.boxes:
        rows = boxes_of.read(config.boxes, "file_name or image_id")
    model = _estimator(config)
    people = None
    if rows is not None:
        people = _people_of_photographs(config, rows, paths, model, left)
    results = []
    with whole.folder(out) as partial:
        read = 0
        for path, name in zip(
            tqdm.tqdm(paths, unit=" images", desc="predict"),
            _drawn_names(paths),
        ):
            some = None if people is None else people.get(path.name, [])
            try:
                image, notes = photographs.read_labelled(path)
            except schema.Dropped as reason:
                left.name("image", f"not read: {reason}", path)
                left.count("box", _UNREAD, path.name, number=len(some or []))
                continue
            if photographs.FIRST in notes:
                thing, _, reason = photographs.FIRST.partition(" ")
                left.count(thing, reason, path.name)
            read += 1
            picture, found = _answer(config, model, image, some)
            draw.save(picture, partial / name)
            results += [
                {**_image(path, image_id), **person}
                for image_id, person in found
            ]
        if not read:
            raise ValueError(
                f"No image could be read, such as {paths[0]}{left.ending()}. "
                f"Received: --images={config.images!r}"
            )
        if rows is not None and not results:
            raise _nobody(config, rows, left, "any image that could be read")
        (partial / _JOINTS).write_text(json.dumps(results) + "\n")
    _say(left, f"{len(results)} people in {read} images")
    print(f"pictures: {out}/*.png")
    print(f"joints: {out / _JOINTS}")
    return results


def _predict_video(config, path, out):
    left = left_out.LeftOut()
    with contextlib.ExitStack() as stack:
        frames = stack.enter_context(video.Reader(path))
        rows = boxes_of.read(config.boxes, "frame") if config.boxes else None
        model = _estimator(config)
        people = None
        if rows is not None:
            people = _people_of_video(config, rows, frames, model, left)
        partial = stack.enter_context(whole.folder(out))
        lines = stack.enter_context(open(partial / _LINES, "w"))
        results, drawn = [], None
        for image in tqdm.tqdm(
            frames,
            total=frames.announced or None,
            unit=" frames",
            desc="predict",
        ):
            number = len(results)
            some = None if people is None else people.pop(number, [])
            picture, found = _answer(config, model, image, some)
            drawn = drawn or video.Writer(
                partial / path.name, frames.rate, *image.shape[:2]
            )
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
        total = sum(len(line["people"]) for line in results)
        if rows is not None and not total:
            _count_late(people, left)
            raise _nobody(config, rows, left, _FRAME.format(len(results)))
    if 0 < frames.announced != len(results):
        print(f"the video announces {frames.announced} frames")
    _count_late(people or {}, left)
    _say(left, f"{total} people in {len(results)} frames")
    print(f"video: {out / drawn.path.name}")
    print(f"joints: {out / _LINES}")
    return results


def _say(left, done):
    for line in left.lines:
        print(line)
    print(done + left.ending())


def _answer(config, model, image, people):
    """A picture with its people drawn, and `(image_id, result)` of each.

    Args:
        config: A `config.PredictConfig`.
        model: The `estimator.PoseEstimator`.
        image: `(H, W, 3)` uint8 RGB.
        people: List of `boxes.Person`; None for the whole image.
    """
    boxes = None if people is None else [person.box for person in people]
    poses = model(image, boxes)
    if people is None:
        category = model.skeleton.categories[0]
        people = [boxes_of.Person(pose.box, category) for pose in poses]
    found = []
    for person, pose in zip(people, poses):
        shown = pose.scores >= config.min_score
        image = draw.pose(image, pose.joints, shown, model.skeleton)
        found.append((person.image_id, _result(pose, person.category)))
    return image, found


def _estimator(config):
    return estimator.PoseEstimator(
        config.model or None,
        config.skeleton or None,
        flip_test=config.flip_test,
        batch_size=config.batch_size,
    )


def _claimable(out):
    """The output folder: a new one, or one of an earlier prediction."""
    if not out:
        raise ValueError("Name a folder to write. Received: --out=")
    out = pathlib.Path(out)
    ours = any((out / name).is_file() for name in (_JOINTS, _LINES))
    if out.exists() and not ours and (out.is_file() or any(out.iterdir())):
        raise FileExistsError(
            "`out` holds other things, and would be replaced; name a new "
            f"folder. Received: --out={out}"
        )
    return out


def _image_paths(images, left):
    """The photographs that `--images` names; a folder's others are counted."""
    path = pathlib.Path(images)
    if path.is_file():
        return [path]
    paths = []
    for entry in sorted(path.iterdir()) if path.is_dir() else []:
        ending = entry.suffix.lower()
        if entry.is_dir():
            left.count("folder", "in the folder", entry.name)
        elif ending not in _ENDINGS:
            left.count("file", _UNKNOWN, ending or entry.name)
        elif not entry.is_file():
            left.name("file", "not read: a pipe, or a broken link", entry)
        else:
            paths.append(entry)
    if not paths:
        raise FileNotFoundError(
            "`--images` is a photograph, a folder of them "
            f"({', '.join(sorted(_ENDINGS))}), or a video "
            f"({', '.join(sorted(video.ENDINGS))}). Received: "
            f"--images={images!r}{left.ending()}"
        )
    return paths


def _drawn_names(paths):
    """File names of the drawings, different wherever the photographs' are."""
    stems = {path.stem for path in paths}
    if len(stems) == len(paths):
        return [f"{path.stem}.png" for path in paths]
    # ours: dog.jpg and dog.png, and then all keep their endings.
    return [f"{path.name}.png" for path in paths]


def _number(path):
    """COCO names its files by the image's number, in twelve digits."""
    return int(path.stem) if path.stem.isdecimal() else None


def _image(path, image_id):
    """What a result says of its image, in the form of COCO's."""
    if image_id is None:
        image_id = _number(path)
    known = {} if image_id is None else {"image_id": image_id}
    return {**known, "file_name": path.name}


def _people_of_photographs(config, rows, paths, model, left):
    """Lists of `boxes.Person` by file name."""
    names = {path.name for path in paths}
    by_number = collections.defaultdict(list)
    for path in paths:
        by_number[_number(path)].append(path.name)

    def place(row):
        name, number = row.get("file_name"), row.get("image_id")
        if not name and boxes_of.id_number(number) is not None:
            name, *others = by_number.get(boxes_of.id_number(number), [""])
            if others:
                raise boxes_of.Unfit(
                    f"whose image_id several images have: {name}, {others[0]}"
                )
        elif not isinstance(name, str):
            raise boxes_of.Unfit("without a file_name or an image_id")
        if name not in names:
            raise boxes_of.Elsewhere("of another image", name or number)
        return name

    people = boxes_of.sort(
        rows, place, model.skeleton, config.min_box_score, left
    )
    if not people:
        raise _nobody(
            config, rows, left, f"any of the images, such as {paths[0].name}"
        )
    return people


def _people_of_video(config, rows, frames, model, left):
    """Lists of `boxes.Person` by the number of their frame."""
    end = frames.announced or math.inf

    def place(row):
        frame = boxes_of.whole_number(row.get("frame"))
        if frame is None:
            raise boxes_of.Unfit("without a frame's number")
        if frame < 0:
            raise boxes_of.Unfit("whose frame is before 0, the first")
        return frame

    people = boxes_of.sort(
        rows, place, model.skeleton, config.min_box_score, left
    )
    if not any(frame < end for frame in people):
        _count_late(people, left)
        raise _nobody(config, rows, left, _FRAME.format(frames.announced))
    return people


def _count_late(people, left):
    for frame, some in people.items():
        left.count("box", "of a frame after its end", frame, number=len(some))


def _nobody(config, rows, left, of):
    """What to raise where no box is left."""
    first = boxes_of.SHORT.repr(rows[0]) if rows else "none"
    return ValueError(
        f"No box belongs to {of}{left.ending()}. Received: "
        f"--boxes={config.boxes!r}, whose first row is {first}"
    )


def _result(pose, category):
    keypoints = np.concatenate([pose.joints, pose.scores[:, None]], axis=1)
    return {
        "category_id": category,
        "bbox": [round(float(v), 2) for v in pose.box],
        "keypoints": [round(float(v), 3) for v in keypoints.ravel()],
        "score": round(pose.score, 5),
    }
