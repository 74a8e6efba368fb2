"""A model on a folder of photographs: drawings and one JSON."""

import json
import pathlib
import shutil

import numpy as np
import tqdm

from integral_tf.inference import draw
from integral_tf.inference import estimator
from integral_tf.records import photographs
from integral_tf.records import schema

_ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


def predict(config):
    """Estimates, draws and writes the people of one or many photographs.

    Args:
        config: A `config.PredictConfig`.

    Returns:
        The list written to `joints.json`.

    Raises:
        FileNotFoundError: no model, no image, or no boxes file.
        FileExistsError: `out` exists and is not an earlier prediction.
        ValueError: the boxes are not in COCO's form, or no image is readable.
    """
    out = _claimable(config.out)
    paths = _image_paths(config.images)
    boxes = _read_boxes(config.boxes, paths, config.min_box_score)
    model = estimator.PoseEstimator(
        config.model,
        flip_test=config.flip_test,
        batch_size=config.batch_size,
    )
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    results, unread = [], []
    for path in tqdm.tqdm(paths, unit=" images", desc="predict"):
        try:
            image = photographs.read(path)
        except schema.Dropped as reason:
            unread.append(f"{path}: {reason}")
            continue
        poses = model(image, boxes[path.name] if boxes else None)
        picture = image
        for pose in poses:
            shown = pose.scores >= config.min_score
            picture = draw.pose(picture, pose.joints, shown, model.skeleton)
            results.append(_result(path.name, pose))
        draw.save(picture, partial / f"{path.stem}.png")
    if len(unread) == len(paths):
        shutil.rmtree(partial)
        raise ValueError(f"No image could be read. Received: {unread[0]}")
    (partial / "joints.json").write_text(json.dumps(results) + "\n")
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    for line in unread:
        print(f"skipped {line}")
    print(f"{len(results)} people in {len(paths) - len(unread)} images")
    print(f"pictures: {out}/*.png")
    print(f"joints: {out / 'joints.json'}")
    return results


def _claimable(out):
    """The output folder: a new one, or one of an earlier prediction."""
    if not out:
        raise ValueError("Name a folder to write. Received: --out=")
    out = pathlib.Path(out)
    ours = (out / "joints.json").is_file()
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
        "`--images` is a photograph or a folder of them "
        f"({', '.join(sorted(_ENDINGS))}). Received: --images={images!r}"
    )


def _read_boxes(boxes, paths, min_score):
    """Boxes by file name, or None where the whole image is the person."""
    if not boxes:
        return None
    try:
        rows = json.loads(pathlib.Path(boxes).read_text())
        by_name = {path.name: [] for path in paths}
        # COCO names its files by the image's number, in twelve digits.
        by_number = {
            int(path.stem): path.name for path in paths if path.stem.isdigit()
        }
        for row in rows:
            name = row.get("file_name") or by_number.get(row.get("image_id"))
            person = row.get("category_id", 1) == 1
            sure = row.get("score", 1.0) >= min_score
            if name in by_name and person and sure:
                x, y, width, height = row["bbox"]
                by_name[name].append([x, y, width, height])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            "`--boxes` is a JSON list of {file_name or image_id, bbox: [x, y, "
            f"width, height]}}; {error!r}. Received: --boxes={boxes!r}"
        ) from None
    if not any(by_name.values()):
        raise ValueError(
            "No box belongs to any of the images: their file_name or "
            "image_id does not meet, or all scores are below "
            f"--min_box_score. Received: --boxes={boxes!r}"
        )
    return {
        name: np.array(values, np.float64).reshape(-1, 4)
        for name, values in by_name.items()
    }


def _result(file_name, pose):
    keypoints = np.concatenate([pose.joints, pose.scores[:, None]], axis=1)
    return {
        "file_name": file_name,
        "category_id": 1,
        "bbox": [round(float(v), 2) for v in pose.box],
        "keypoints": [round(float(v), 3) for v in keypoints.ravel()],
        "score": round(pose.score, 5),
    }
