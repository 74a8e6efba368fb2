"""Readers of labels and of boxes, with an undamaged example of each."""

import json
import pathlib

import numpy as np
import scipy.io
from PIL import Image

from integral_tf import config
from integral_tf.inference import boxes
from integral_tf.inference import left_out
from integral_tf.inference import placement
from integral_tf.metrics import average_precision
from integral_tf.records import coco
from integral_tf.records import coco_skeleton
from integral_tf.records import json_rows
from integral_tf.records import lsp
from integral_tf.records import mpii
from integral_tf.records import mpii_split
from integral_tf.records import photographs
from integral_tf.records import schema
from integral_tf.records import stored_truth
from tests.records import mpii_files


def not_finite(**arrays):
    return [
        f"{name} is not finite"
        for name, values in arrays.items()
        if not np.isfinite(np.asarray(values, np.float64)).all()
    ]


def picture(path):
    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(pixels).save(path)


COCO = {
    "categories": [
        {
            "id": 1,
            "name": "fish",
            "keypoints": ["mouth", "left_fin", "right_fin"],
            "skeleton": [[1, 2], [1, 3]],
        }
    ],
    "images": [
        {"id": i, "file_name": f"{i}.jpg", "width": 64, "height": 48}
        for i in (1, 2)
    ],
    "annotations": [
        {
            "id": number,
            "image_id": 1 + number % 2,
            "category_id": 1,
            "bbox": [5, 5, 40 + number, 30],
            "area": 900.5,
            "iscrowd": 0,
            "num_keypoints": 2,
            "keypoints": [10, 11, 2, 20.5, 21, 1, 0, 0, 0],
        }
        for number in (1, 2, 3)
    ],
}


def write_coco(folder):
    (folder / "a.json").write_text(json.dumps(COCO))
    for number in (1, 2):
        picture(folder / "images" / f"{number}.jpg")


def _people(listed, make, folder):
    """Complaints about everyone who is kept."""
    found = []
    for _, key in listed:
        try:
            person = make(key)
        except schema.Dropped:
            continue
        found += not_finite(
            joints=np.float32(person.joints),
            box=np.float32(person.box),
            area=np.float32(person.area),
            score=np.float32(person.score),
            head_size=np.float32(person.head_size),
        )
        if not (np.asarray(person.box)[2:] > 0).all():
            found.append("a box without a size")
        if not 0 <= person.score <= 1:
            found.append(f"the score {person.score}")
        if not photographs.is_within(key.path, folder / "images"):
            found.append(f"{key.path} is outside")
    return found


def read_coco(folder):
    truth = coco.read(folder / "a.json", "fish", say=lambda line: None)
    assert coco_skeleton.of_truth(truth).mirrored_order
    listed = coco.people(truth, folder / "images", "train")
    return _people(listed, coco.person, folder)


def write_detections(folder):
    write_coco(folder)
    rows = [
        {"image_id": i, "category_id": 1, "bbox": [3.5, 4, 30, 20], "score": s}
        for i, s in ((1, 0.9), (2, 0.5))
    ]
    (folder / "b.json").write_text(json.dumps(rows))


def read_detections(folder):
    truth = coco.read(folder / "a.json", "fish", say=lambda line: None)
    found = coco.detections(
        truth, folder / "images", folder / "b.json", "val", 0.1
    )
    return _people(found, coco.person, folder)


def write_truth(folder):
    write_coco(folder)
    truth = coco.read(folder / "a.json", say=lambda line: None)
    del truth["left_out"]
    json_rows.write(truth, folder / "annotations-val.json")


def read_truth(folder):
    truth = stored_truth.read(folder / "annotations-val.json", None)
    return not_finite(
        **{
            name: [row[name] for row in truth.get("annotations", [])]
            for name in ("keypoints", "bbox", "area")
        }
    )


def write_mpii(folder):
    picture(folder / "images" / "1.jpg")
    row = {
        "image": "1.jpg",
        "joints": [[10.0 + k, 5 + 2 * k] for k in range(16)],
        "joints_vis": [1] * 16,
        "center": [30, 24],
        "scale": 0.2,
    }
    (folder / "m.json").write_text(json.dumps([row, row]))


def read_mpii(folder):
    listed = mpii.people(folder / "m.json", folder / "images")
    return _people(listed, mpii.person, folder)


def write_lsp(folder):
    rng = np.random.default_rng(0)
    joints = rng.uniform(10, 40, (14, 3, 2))
    scipy.io.savemat(folder / "joints.mat", {"joints": joints})
    for number in (1, 2):
        picture(folder / "images" / f"im0000{number}.jpg")


def read_lsp(folder):
    return _people(lsp.people(folder), lsp.person, folder)


def write_release(folder):
    picture(folder / "images" / "1.jpg")
    points = [
        {"x": 9.0 + k, "y": 5.0, "id": k, "is_visible": 1} for k in (0, 1)
    ]
    person = mpii_files.person(points, (1, 2, 9, 12), (30, 24), 0.2)
    images = [("1.jpg", 1, [1], [person]), ("2.jpg", 0, [], [])]
    mpii_files.write_release(folder / "release.mat", images)


def read_release(folder):
    listed = mpii.people(folder / "release.mat", folder / "images")
    return _people(listed, mpii.person, folder)


BOXES = [
    {"file_name": "a.jpg", "category_id": 1, "bbox": [3, 4, 9, 9], "score": 1},
    {"image_id": 12, "bbox": [1, 2, 3, 4]},
]
PATHS = [pathlib.Path("a.jpg"), pathlib.Path("000000000012.jpg")]


def write_boxes(folder):
    (folder / "boxes.json").write_text(json.dumps(BOXES))


def write_csv(folder):
    rows = "file_name,x,y,width,height,score\na.jpg,1,2,30,40,0.9\n"
    (folder / "boxes.csv").write_text(rows)


def boxes_of(name):
    def read(folder):
        asked = config.PredictConfig(boxes=str(folder / name))
        left = left_out.LeftOut()
        rows = boxes.read(asked.boxes, "file_name")
        found = placement.of_photographs(asked, rows, PATHS, (1,), left)
        left.ending()
        every = [person.box for some in found.values() for person in some]
        return not_finite(boxes=every)

    return read


def write_boxes_of_coco(folder):
    images = [{"id": 1, "file_name": "x/a.jpg"}, {"id": 12}]
    rows = [{"image_id": 1, **BOXES[0]}, BOXES[1]]
    content = {"images": images, "annotations": rows}
    (folder / "boxes.json").write_text(json.dumps(content))


def write_split(folder):
    write_mpii(folder)
    entries = [{"image": "1.jpg", "center": [30, 24]}]
    (folder / "valid.json").write_text(json.dumps(entries))


def read_split(folder):
    listed = mpii.people(folder / "m.json", folder / "images")
    listed, split, _ = mpii_split.by_list(listed, folder / "valid.json")
    names = {split(name) for name, _ in listed}
    return [] if "val" in names else ["nobody is in the validation split"]


def write_results(folder):
    write_coco(folder)
    row = {"category_id": 1, "score": 0.5, "keypoints": [9.5] * 9}
    rows = [{"image_id": number, **row} for number in (1, 2)]
    (folder / "results.json").write_text(json.dumps(rows))


def read_results(folder):
    paths = folder / "a.json", folder / "results.json"
    found = average_precision.coco_keypoint_ap(*paths, sigmas=[0.1] * 3)
    return not_finite(**found)
