"""Reads what `integral-tf predict` writes: joints.json, or joints.jsonl.

joints.json is a list in COCO's result form with a `file_name`; joints.jsonl has
a line for each frame of a video. Neither has the joints' names.
"""

import json
import os
import pathlib

import numpy as np

from integral_tf import skeletons
from integral_tf.records import coco_annotations
from integral_tf.records import coco_numbers
from integral_tf.records import json_file
from integral_tf.records import photographs
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import frames


def read(source, pictures, skeleton, video=""):
    """Reads a file.

    Args:
        source: `pathlib.Path` of the file.
        pictures: The `pictures.Pictures` of the source.
        skeleton: Name of a known skeleton, or path of a skeleton.json or of
            the run that has one.
        video: Path of the film that was predicted; of joints.jsonl an empty
            one, or a folder, means the drawn film.

    Returns:
        The `annotations.Annotations`; pictures of joints.jsonl are frames.

    Raises:
        ValueError: the file has another form, or other joints.
    """
    joints = _skeleton(skeleton)
    left_out = coco_annotations.LeftOut()
    found, people = {}, []
    if source.suffix == ".jsonl":
        if not pathlib.Path(video).is_file():
            video = _video(source)
            print(f"film: {video}, the drawn one; --video=FILE names its own")
        films = frames.Videos(pictures, [video])
        rows = [
            (films.picture(of.Frame(video, line["frame"])), line["people"])
            for line in _lines(source)
        ]
    else:
        content = json_file.read(source, "source")
        _check(is_of(content), source)
        rows = [
            (of.Picture(pictures.find(name) or name), [row])
            for row in content
            for name in [row["file_name"]]
        ]
    for picture, answers in rows:
        name = picture.name
        found.setdefault(name, picture)
        for row in answers:
            try:
                people.append(_person(row, name, joints))
            except schema.Dropped as reason:
                left_out.add(reason)
    numbers = {joint: n for n, joint in enumerate(joints.joints, 1)}
    limbs, sides = (
        tuple((numbers[a], numbers[b]) for a, b in pairs)
        for pairs in (joints.limbs, joints.sides)
    )
    category = of.Category(of.PERSON, joints.joints, limbs, sides)
    return of.Annotations(
        (category,), tuple(found.values()), tuple(people), left_out
    )


def is_of(content):
    """Whether a JSON's content is that of a joints.json."""
    return (
        isinstance(content, list)
        and len(content) > 0
        and all(
            isinstance(row, dict)
            and isinstance(row.get("file_name"), str)
            and isinstance(row.get("keypoints"), list)
            for row in content
        )
    )


def _lines(source):
    try:
        texts = source.read_text().splitlines()
        lines = [json.loads(line) for line in texts if line.strip()]
    except (RecursionError, ValueError):
        lines = []
    _check(
        lines
        and all(
            isinstance(line, dict)
            and isinstance(line.get("frame"), int)
            and isinstance(line.get("people"), list)
            for line in lines
        ),
        source,
    )
    return lines


def _check(is_right, source):
    if not is_right:
        raise ValueError(
            "Predictions are the joints.json or joints.jsonl of `integral-tf "
            f"predict`. Received: source={str(source)!r}"
        )


def _video(source):
    """Name of the drawn video beside the lines, or of their folder."""
    beside = [
        path.name
        for path in source.parent.iterdir()
        if path.suffix.lower() in photographs.VIDEO_ENDINGS
    ]
    return beside[0] if len(beside) == 1 else f"{source.parent.name}.mp4"


def _skeleton(name):
    path = pathlib.Path(name)
    path = path / "skeleton.json" if path.is_dir() else path
    if name and os.path.isfile(path):
        return skeletons.from_dict(json_file.read(path, "skeleton"))
    if name not in skeletons.KNOWN:
        raise ValueError(
            "Predictions have no names of their joints: --skeleton is one of "
            f"{', '.join(sorted(skeletons.KNOWN))}, a skeleton.json, or the "
            f"run that has one. Received: --skeleton={name}"
        )
    return skeletons.get(name)


def _person(row, name, joints):
    values = row.get("keypoints") if isinstance(row, dict) else None
    if not isinstance(values, list) or not of.is_finite(*values):
        raise schema.Dropped("keypoints that are no numbers", f"in {name}")
    if len(values) != 3 * len(joints):
        raise ValueError(
            f"The predictions have the {len(joints)} joints of the skeleton "
            f"{joints.name}, x, y and score each. Received: {len(values)} "
            f"numbers in {coco_annotations.shown(name)}"
        )
    points = np.array(values, float).reshape(-1, 3)
    scores = points[:, 2].copy()
    points[:, 2] = 2
    box = coco_numbers.usable_box(row.get("bbox"))
    track = row.get("track")
    track = track if isinstance(track, int) else None
    return of.Person(name, of.PERSON, points, box, scores, track)
