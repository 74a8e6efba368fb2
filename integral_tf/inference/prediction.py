"""A model on photographs or a video: drawings and JSON."""

import contextlib
import json
import math
import operator
import pathlib

import numpy as np
import tqdm

from integral_tf import whole
from integral_tf.inference import draw
from integral_tf.inference import estimator
from integral_tf.inference import video
from integral_tf.records import photographs
from integral_tf.records import schema

_ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
# What a prediction consists of, of photographs and of a video.
_JOINTS, _LINES = "joints.json", "joints.jsonl"


def predict(config):
    """Estimates, draws and writes the people of photographs or of a video.

    All of the output appears at once: interrupted, nothing has changed.

    Args:
        config: A `config.PredictConfig`.

    Returns:
        The list written to `joints.json`, or to `joints.jsonl`, a frame each.

    Raises:
        FileNotFoundError: no model, no image, or no boxes file.
        FileExistsError: `out` exists and is not an earlier prediction.
        BlockingIOError: another process is writing it.
        ValueError: the boxes are not in COCO's form, or no image is readable,
            or the video is not, to its end.
    """
    out = _claimable(config.out)
    path = pathlib.Path(config.images)
    if path.is_file() and path.suffix.lower() in video.ENDINGS:
        return _predict_video(config, path, out)
    return _predict_photographs(config, out)


def _predict_photographs(config, out):
    paths = _image_paths(config.images)
    boxes = _boxes_of_photographs(config, paths)
    model = _estimator(config)
    results, unread = [], []
    with whole.folder(out) as partial:
        for path in tqdm.tqdm(paths, unit=" images", desc="predict"):
            try:
                image = photographs.read(path)
            except schema.Dropped as reason:
                unread.append(f"{path}: {reason}")
                continue
            poses = model(image, boxes[path.name] if boxes else None)
            picture = _drawn(image, poses, model.skeleton, config.min_score)
            draw.save(picture, partial / f"{path.stem}.png")
            results += [
                {"file_name": path.name, **_result(pose)} for pose in poses
            ]
        if len(unread) == len(paths):
            raise ValueError(f"No image could be read. Received: {unread[0]}")
        (partial / _JOINTS).write_text(json.dumps(results) + "\n")
    for line in unread:
        print(f"skipped {line}")
    print(f"{len(results)} people in {len(paths) - len(unread)} images")
    print(f"pictures: {out}/*.png")
    print(f"joints: {out / _JOINTS}")
    return results


def _predict_video(config, path, out):
    with contextlib.ExitStack() as stack:
        frames = stack.enter_context(video.Reader(path))
        boxes = _boxes_of_video(config, frames.announced)
        model = _estimator(config)
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
            some = None if boxes is None else boxes.pop(number, [])
            poses = model(image, some)
            drawn = drawn or video.Writer(
                partial / path.name, frames.rate, *image.shape[:2]
            )
            picture = _drawn(image, poses, model.skeleton, config.min_score)
            drawn.write(picture)
            people = [_result(pose) for pose in poses]
            results.append({"frame": number, "people": people})
            lines.write(json.dumps(results[-1]) + "\n")
        drawn.close()
    if 0 < frames.announced != len(results):
        print(f"the video announces {frames.announced} frames")
    if boxes:
        print(f"skipped the boxes of {len(boxes)} frames after its end")
    people = sum(len(line["people"]) for line in results)
    print(f"{people} people in {len(results)} frames")
    print(f"video: {out / drawn.path.name}")
    print(f"joints: {out / _LINES}")
    return results


def _estimator(config):
    return estimator.PoseEstimator(
        config.model,
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


def _image_paths(images):
    path = pathlib.Path(images)
    if path.is_dir():
        paths = sorted(
            p for p in path.iterdir() if p.suffix.lower() in _ENDINGS
        )
        if paths:
            return paths
    elif path.is_file():
        return [path]
    raise FileNotFoundError(
        "`--images` is a photograph, a folder of them "
        f"({', '.join(sorted(_ENDINGS))}), or a video "
        f"({', '.join(sorted(video.ENDINGS))}). Received: --images={images!r}"
    )


def _boxes_of_photographs(config, paths):
    """Boxes by file name, or None where the whole image is the person."""
    # COCO names its files by the image's number, in twelve digits.
    by_number = {
        int(path.stem): path.name for path in paths if path.stem.isdigit()
    }
    boxes = _read_boxes(
        config,
        lambda row: row.get("file_name") or by_number.get(row.get("image_id")),
        "file_name or image_id",
    )
    if boxes is None:
        return None
    found = {path.name: boxes.get(path.name, []) for path in paths}
    if not any(map(len, found.values())):
        raise ValueError(
            "No box belongs to any of the images: their file_name or "
            "image_id does not meet, or all scores are below "
            f"--min_box_score. Received: --boxes={config.boxes!r}"
        )
    return found


def _boxes_of_video(config, frames):
    """Boxes by frame, or None where the whole frame is the person.

    Args:
        config: A `config.PredictConfig`.
        frames: How many there are; 0 where nobody knows.
    """
    boxes = _read_boxes(
        config, lambda row: operator.index(row["frame"]), "frame"
    )
    if boxes is None:
        return None
    if not any(0 <= frame < (frames or math.inf) for frame in boxes):
        raise ValueError(
            "No box belongs to any frame of the video; they count from 0, and "
            "a box below --min_box_score is left out. "
            f"Received: --boxes={config.boxes!r}, a video of {frames} frames"
        )
    return boxes


def _read_boxes(config, key, names):
    """Boxes `(N, 4)` by key, or None where there is no file of them.

    Args:
        config: A `config.PredictConfig`.
        key: A function of a row.
        names: What a row has for it.
    """
    if not config.boxes:
        return None
    by_key = {}
    try:
        for row in json.loads(pathlib.Path(config.boxes).read_text()):
            person = row.get("category_id", 1) == 1
            if person and row.get("score", 1.0) >= config.min_box_score:
                x, y, width, height = map(float, row["bbox"])
                by_key.setdefault(key(row), []).append([x, y, width, height])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"`--boxes` is a JSON list of {{{names}, bbox: [x, y, width, "
            f"height]}}; {error!r}. Received: --boxes={config.boxes!r}"
        ) from None
    return {name: np.array(values) for name, values in by_key.items()}


def _drawn(image, poses, skeleton, min_score):
    for pose in poses:
        shown = pose.scores >= min_score
        image = draw.pose(image, pose.joints, shown, skeleton)
    return image


def _result(pose):
    keypoints = np.concatenate([pose.joints, pose.scores[:, None]], axis=1)
    return {
        "category_id": 1,
        "bbox": [round(float(v), 2) for v in pose.box],
        "keypoints": [round(float(v), 3) for v in keypoints.ravel()],
        "score": round(pose.score, 5),
    }
