"""Readers of what other tools and this package write, in formats of their own.

Each has an undamaged example. `convert` reads most of them.
"""

import contextlib
import csv
import io
import json
import os
from unittest import mock

import h5py
import numpy as np

from integral_tf import config
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.commands import convert as convert_command
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import comparison
from integral_tf.inference import boxes
from integral_tf.inference import left_out
from integral_tf.inference import placement
from integral_tf.records import coco
from integral_tf.records.conversion import convert
from integral_tf.training import logs
from integral_tf.training import strategy
from tests.fuzz import damage
from tests.fuzz import labels
from tests.records.conversion import conversions

LABELME = {
    "imagePath": "1.png",
    "imageWidth": 64,
    "imageHeight": 48,
    "shapes": [
        {"label": "nose", "shape_type": "point", "points": [[1, 2]]},
        {"label": "cat", "shape_type": "rectangle", "points": [[0, 0], [9, 9]]},
    ],
}
_POINTS = [f"{20 + k % 9}.25 {20 + k // 9}.5" for k in range(98)]
WFLW = f"{' '.join(_POINTS)} 10 10 40 40 0 0 0 0 1 0 1.png\n"
MTFL = "1.png 20.5 40.25 30 22 39 20 20.5 30 40 40.25 1 2 2 3\n"
PTS = "\n".join(["version: 1", "n_points: 68", "{", *_POINTS[:68], "}", ""])
_SIDES = {"original_width": 64, "original_height": 48, "image_rotation": 0}
_NOSE = {"x": 10, "y": 20, "width": 1, "keypointlabels": ["nose"]}
LABEL_STUDIO = [
    {
        "id": 7,
        "data": {"img": "/data/upload/1/0123abcd-1.png"},
        "annotations": [
            {
                "was_cancelled": False,
                "result": [
                    {"type": "keypointlabels", **_SIDES, "value": _NOSE}
                ],
            }
        ],
    }
]
CVAT = (
    '<annotations><image id="0" name="1.png" width="64" height="48">'
    '<points label="nose" points="1.5,2"></points></image></annotations>'
)
CVAT_SKELETON = CVAT.replace(
    "<image",
    "<meta><task><labels><label><name>cat</name><type>skeleton</type>"
    '<svg>&lt;line data-type="edge" data-node-from="1" data-node-to="2"/&gt;'
    '&lt;circle data-node-id="1" data-label-name="nose"/&gt;'
    '&lt;circle data-node-id="2" data-label-name="tail"/&gt;</svg></label>'
    "<label><name>nose</name><type>points</type><parent>cat</parent></label>"
    "<label><name>tail</name><type>points</type><parent>cat</parent></label>"
    "</labels></task></meta><image",
).replace(
    "</image>",
    '<skeleton label="cat"><points label="nose" outside="0" points="3,4"/>'
    '<points label="tail" occluded="1" points="5.5,6"/></skeleton></image>',
)
YOLO = """train: images
kpt_shape: [3, 3]
flip_idx: [0, 2, 1]
names: [cat, dog]
kpt_names:
  0: [nose, left_paw, right_paw]
  1: [nose, left_paw, right_paw]
"""
YOLO_TEXT = "1 0.5 0.5 0.25 0.25 0.5 0.5 2 0.25 0.5 1 0 0 0\n"
DEEPLABCUT = """scorer,me,me,me,me,me,me
individuals,one,one,two,two,single,single
bodyparts,nose,nose,nose,nose,ball,ball
coords,x,y,x,y,x,y
images/1.png,1,2,3,4,5,6
images/2.png,,,7,8,,
"""
_PERSON = {
    "category_id": 1,
    "bbox": [1, 2, 30, 40],
    "score": 0.5,
    "keypoints": [value for k in range(16) for value in (k, 2.5, 0.9)],
}
JOINTS = [{"file_name": "1.png", **_PERSON}, {"file_name": "1.png", **_PERSON}]
LINES = "".join(
    json.dumps({"frame": number, "seconds": number / 25, "people": [_PERSON]})
    + "\n"
    for number in (0, 1)
)


def converted(name, content, source=None, **settings):
    """`write` and `read` of a file that `convert` reads.

    Args:
        name: Path of the file, from the example's folder.
        content: Its text, or a function that writes it.
        source: Path of what is converted, if that is not the file.
        **settings: Of `commands.convert.ConvertConfig`.
    """
    is_coco = settings.get("to", "coco") == "coco"

    def write(folder):
        labels.picture(folder / "images" / "1.png")
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_text(content)

    def read(folder):
        out = folder / "out" / ("out.json" if is_coco else "out.csv")
        asked = convert_command.ConvertConfig(
            source=str(folder / (name if source is None else source)),
            out=str(out),
            images=str(folder / "images"),
            **settings,
        )
        # As a command prints what is no text.
        printed = io.TextIOWrapper(io.BytesIO(), errors="backslashreplace")
        with contextlib.redirect_stdout(printed):
            convert.convert(asked)
        if is_coco:
            coco.read(out, say=lambda line: None)
        out.unlink()
        return []

    return write, read


def yolo(name):
    """`write` and `read` of a folder of YOLO-pose, of which a file is damaged.

    Args:
        name: The file.
    """

    def write(folder):
        labels.picture(folder / "images" / "1.png")
        (folder / "labels").mkdir()
        (folder / "data.yaml").write_text(YOLO)
        (folder / "labels" / "1.txt").write_text(YOLO_TEXT)
        assert (folder / name).is_file()

    return write, converted(name, "", "data.yaml")[1]


def unpacked(name):
    """A function that writes a file of `tests/records/conversion/files`."""
    return lambda path: conversions.unpacked(name, path.parent)


def of_sleap(data: bytes, random: damage.Random) -> bytes:
    """What is in the HDF5 file is damaged; or its bytes are."""
    if random.randrange(3) == 0:
        return damage.of_bytes(data, random)
    out = io.BytesIO(data)
    with h5py.File(out, "r+") as file:
        kind = random.randrange(3)
        if kind == 0:
            text = file["metadata"].attrs["json"]
            text = damage.of_json(bytes(text), random)[:60_000]
            file["metadata"].attrs["json"] = np.bytes_(text)
        elif kind == 1:
            text = damage.of_json(file["videos_json"][0], random)
            del file["videos_json"]
            file["videos_json"] = [np.bytes_(text)]
        else:
            name = random.choice(["frames", "instances", "points"])
            table = file[name][()]
            field = random.choice(table.dtype.names)
            bits = table[field].dtype.itemsize
            number = np.frombuffer(random.randbytes(bits), table[field].dtype)
            table[field][random.randrange(len(table))] = number[0]
            file[name][...] = table
    return out.getvalue()


def write_frames(folder):
    """Boxes of a video."""
    rows = [{"frame": i, "bbox": [1, 2, 30, 40], "score": 1} for i in (0, 2)]
    (folder / "boxes.json").write_text(json.dumps(rows))


def read_frames(folder):
    path = str(folder / "boxes.json")
    left = left_out.LeftOut()
    frames = placement.Frames(
        config.PredictConfig(boxes=path),
        boxes.read(path, "frame"),
        3,
        (1,),
        left,
    )
    people = [person.box for i in range(3) for person in frames.pop(i)]
    frames.end()
    left.ending()
    return labels.not_finite(boxes=people)


def write_log(folder):
    with open(folder / "log.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "loss", "val_pckh"])
        writer.writerows([[1, 0.5, 0.25], [2, 0.4, ""], [3, 0.3, 0.5]])


def read_log(folder):
    logs.read_rows(folder / "log.csv")
    return []


def write_tf_config(folder):
    task = {"type": "worker", "index": 1}
    content = {"cluster": {"worker": ["a:2222", "b:2222"]}, "task": task}
    (folder / "TF_CONFIG").write_text(json.dumps(content))


def read_tf_config(folder):
    """As a variable of the environment, which ends at a zero."""
    text = os.fsdecode((folder / "TF_CONFIG").read_bytes().partition(b"\0")[0])
    with mock.patch.dict(os.environ, {"TF_CONFIG": text}):
        index, count = strategy.place()
    return [] if 0 <= index < count else [f"worker {index} of {count}"]


METRICS = {
    "method": "I1",
    "metric": "PCKh",
    "split": "val",
    "people": 2,
    "figures": {"PCKh@0.5": 50.0},
}
PREDICTED = [
    {"source_id": name, "image_id": 1, "score": 1.0, "keypoints": [1.5] * 48}
    for name in "ab"
]


def write_evaluation(folder):
    (folder / runs.METRICS).write_text(json.dumps(METRICS))
    rows = json.dumps(PREDICTED)
    (folder / coco_results.PREDICTIONS).write_text(rows)
    head = ",".join(("person", "image", *skeletons.MPII.joints))
    cells = ",".join(["0.5"] * 15 + [""])
    text = f"{head}\na,1,{cells}\nb,2,{cells}\n"
    (folder / comparison.ERRORS).write_text(text)


def read_predicted(folder):
    found = coco_results.read(folder, 16)
    return labels.not_finite(joints=list(found.people.values()))


def read_compared(folder):
    comparison.read(folder)
    return []
