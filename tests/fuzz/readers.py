"""Every reader of a file or an answer, with an undamaged example of each.

A `Reader` writes its example into an empty folder, and reads whatever lies
there afterwards. It returns complaints: values that it took, and that cannot be
right. `refused` says whether an exception is an answer to bad input.
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable

from integral_tf import runs
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import comparison
from integral_tf.records import schema
from integral_tf.serving import connections
from tests.fuzz import damage
from tests.fuzz import files
from tests.fuzz import folders
from tests.fuzz import labels
from tests.fuzz import networks

# What a command prints as one sentence.
CLEAN = (
    ValueError,
    OSError,
    schema.Dropped,
    connections.Refused,
    connections.Stop,
)


@dataclasses.dataclass(frozen=True)
class Reader:
    """A reader of one kind of file.

    Attributes:
        file: Name of the file that is damaged.
        write: Writes the example and what belongs to it into a folder.
        read: Reads the folder; returns a list of complaints.
        damaged: Damages the file's content.
        weight: How many of `count`'s files are this reader's, in parts.
    """

    file: str
    write: Callable[[pathlib.Path], None]
    read: Callable[[pathlib.Path], list]
    damaged: damage.Damage = damage.of_bytes
    weight: int = 100


def refused(error: BaseException, folder: pathlib.Path) -> str:
    """What is wrong with an exception as an answer; empty if nothing is."""
    text = str(error)
    if not isinstance(error, CLEAN):
        return f"a {type(error).__name__}"
    if not text.strip() or "\n" in text or len(text) > 900:
        return "not one sentence"
    # The others are counted, and the command names their file.
    is_named = "Received" in text or str(folder) in text
    counted = (schema.Dropped, connections.Refused, connections.Stop)
    return "" if is_named or isinstance(error, counted) else "no file is named"


READERS = {
    "coco": Reader(
        "a.json", labels.write_coco, labels.read_coco, damage.of_json, 80
    ),
    "detections": Reader(
        "b.json",
        labels.write_detections,
        labels.read_detections,
        damage.of_json,
        80,
    ),
    "truth": Reader(
        "annotations-val.json",
        labels.write_truth,
        labels.read_truth,
        damage.of_json,
    ),
    "mpii": Reader(
        "m.json", labels.write_mpii, labels.read_mpii, damage.of_json, 80
    ),
    "boxes": Reader(
        "boxes.json",
        labels.write_boxes,
        labels.boxes_of("boxes.json"),
        damage.of_json,
    ),
    "boxes_of_coco": Reader(
        "boxes.json",
        labels.write_boxes_of_coco,
        labels.boxes_of("boxes.json"),
        damage.of_json,
        60,
    ),
    "split": Reader(
        "valid.json", labels.write_split, labels.read_split, damage.of_json, 60
    ),
    "results": Reader(
        "results.json",
        labels.write_results,
        labels.read_results,
        damage.of_json,
        40,
    ),
    "csv": Reader(
        "boxes.csv",
        labels.write_csv,
        labels.boxes_of("boxes.csv"),
        damage.of_text,
    ),
    "skeleton": Reader(
        "skeleton.json",
        files.write_skeleton,
        files.read_skeleton,
        damage.of_json,
    ),
    "manifest": Reader(
        "manifest.json",
        files.write_records,
        files.read_records,
        damage.of_json,
        10,
    ),
    "card": Reader(
        "card.json", files.write_card, files.read_card, damage.of_json
    ),
    "answer": Reader(
        "answer.json", files.write_answer, files.read_answer, damage.of_json
    ),
    "flags": Reader(
        "flags.cfg", files.write_flags, files.read_flags, damage.of_text, 40
    ),
    "jpeg": Reader(
        "i.jpg", files.write_picture("jpg"), files.picture_of("i.jpg")
    ),
    "png": Reader(
        "i.png",
        files.write_picture("png"),
        files.picture_of("i.png"),
        damage.of_png,
    ),
    "bmp": Reader(
        "i.bmp", files.write_picture("bmp"), files.picture_of("i.bmp")
    ),
    "webp": Reader(
        "i.webp", files.write_picture("webp"), files.picture_of("i.webp")
    ),
    "gif": Reader(
        "i.gif", files.write_picture("gif"), files.picture_of("i.gif")
    ),
    "tiff": Reader(
        "i.tif",
        files.write_picture("tif", compression="tiff_lzw"),
        files.picture_of("i.tif"),
    ),
    "torch": Reader(
        "m.pth", files.write_torch, files.tensors_of("m.pth"), damage.of_zip
    ),
    "legacy": Reader(
        "m.pth.tar", files.write_legacy, files.tensors_of("m.pth.tar")
    ),
    "safetensors": Reader(
        "m.safetensors",
        files.write_safetensors,
        files.tensors_of("m.safetensors"),
        damage.of_safetensors,
    ),
    "wheel": Reader(
        "a.whl", files.write_wheel, files.read_wheel, damage.of_zip, 60
    ),
    "checkpoint": Reader(
        "ckpt-2.index", files.write_checkpoint, files.read_checkpoint, weight=50
    ),
    "shard": Reader(
        "val-00000-of-00001.tfrecord",
        files.write_records,
        files.read_records,
        weight=5,
    ),
    "keras": Reader(
        "model.keras", files.write_keras, files.read_keras, damage.of_zip, 10
    ),
    "checkpoint_data": Reader(
        "ckpt-2.data-00000-of-00001",
        files.write_checkpoint,
        files.read_checkpoint,
        weight=10,
    ),
    "run": Reader(
        runs.RECORDS, files.write_run, files.read_run, damage.of_json, 10
    ),
    "backbone": Reader(
        "mine.keras",
        networks.write_backbone,
        networks.read_backbone,
        damage.of_zip,
        10,
    ),
    "video": Reader("a.mp4", *files.video_of("a.mp4", "mp4v"), weight=10),
    "avi": Reader("a.avi", *files.video_of("a.avi", "MJPG"), weight=10),
    "matroska": Reader("a.mkv", *files.video_of("a.mkv", "mp4v"), weight=10),
    "release": Reader(
        "release.mat", labels.write_release, labels.read_release, weight=1
    ),
    "lsp": Reader("joints.mat", labels.write_lsp, labels.read_lsp, weight=1),
    "labelme": Reader(
        "a.json",
        *folders.converted("a.json", json.dumps(folders.LABELME)),
        damage.of_json,
    ),
    "label_studio": Reader(
        "a.json",
        *folders.converted("a.json", json.dumps(folders.LABEL_STUDIO)),
        damage.of_json,
    ),
    "cvat": Reader(
        "a.xml", *folders.converted("a.xml", folders.CVAT), damage.of_text
    ),
    "cvat_skeleton": Reader(
        "a.xml",
        *folders.converted("a.xml", folders.CVAT_SKELETON),
        damage.of_text,
        60,
    ),
    "wflw": Reader(
        "a.txt", *folders.converted("a.txt", folders.WFLW), damage.of_text
    ),
    "mtfl": Reader(
        "a.txt", *folders.converted("a.txt", folders.MTFL), damage.of_text
    ),
    "pts": Reader(
        "1.pts", *folders.converted("1.pts", folders.PTS), damage.of_text
    ),
    "yolo": Reader("data.yaml", *folders.yolo("data.yaml"), damage.of_text, 40),
    "yolo_text": Reader(
        "labels/1.txt", *folders.yolo("labels/1.txt"), damage.of_text, 40
    ),
    "deeplabcut": Reader(
        "a.csv",
        *folders.converted("a.csv", folders.DEEPLABCUT),
        damage.of_text,
    ),
    "deeplabcut_h5": Reader(
        "CollectedData_me.h5",
        *folders.converted(
            "CollectedData_me.h5", folders.unpacked("CollectedData_me.h5")
        ),
        weight=30,
    ),
    "sleap": Reader(
        "fly.slp",
        *folders.converted(
            "fly.slp", folders.unpacked("fly.slp"), to="deeplabcut"
        ),
        folders.of_sleap,
        30,
    ),
    "sleap_package": Reader(
        "fly.opencv.pkg.slp",
        *folders.converted(
            "fly.opencv.pkg.slp", folders.unpacked("fly.opencv.pkg.slp")
        ),
        folders.of_sleap,
        10,
    ),
    "joints": Reader(
        "joints.json",
        *folders.converted(
            "joints.json", json.dumps(folders.JOINTS), skeleton="mpii"
        ),
        damage.of_json,
        60,
    ),
    "lines": Reader(
        "joints.jsonl",
        *folders.converted(
            "joints.jsonl", folders.LINES, skeleton="mpii", to="deeplabcut"
        ),
        damage.of_json_lines,
        60,
    ),
    "frames": Reader(
        "boxes.json", folders.write_frames, folders.read_frames, damage.of_json
    ),
    "log": Reader(
        "log.csv", folders.write_log, folders.read_log, damage.of_text
    ),
    "tf_config": Reader(
        "TF_CONFIG",
        folders.write_tf_config,
        folders.read_tf_config,
        damage.of_json,
        60,
    ),
    "predicted": Reader(
        coco_results.PREDICTIONS,
        folders.write_evaluation,
        folders.read_predicted,
        damage.of_json,
        60,
    ),
    "compared": Reader(
        comparison.ERRORS,
        folders.write_evaluation,
        folders.read_compared,
        damage.of_text,
        60,
    ),
    "metrics": Reader(
        runs.METRICS,
        folders.write_evaluation,
        folders.read_compared,
        damage.of_json,
        60,
    ),
    "detector": Reader(
        "people.onnx",
        networks.write_detector,
        networks.read_detector,
        weight=40,
    ),
    "error": Reader(
        "error.json", networks.write_error, networks.read_error, damage.of_json
    ),
    "request": Reader(
        "i.jpg", networks.write_request, networks.read_request, weight=40
    ),
    "onnx": Reader("model.onnx", *networks.artifact("onnx"), weight=10),
    "litert": Reader("model.tflite", *networks.artifact("litert"), weight=20),
    "openvino": Reader(
        "model.xml", *networks.artifact("openvino"), damage.of_text, 3
    ),
    "saved_model": Reader(
        "saved_model.pb", *networks.artifact("saved_model"), weight=2
    ),
}
