"""Every reader of a file or an answer, with an undamaged example of each.

A `Reader` writes its example into an empty folder, and reads whatever lies
there afterwards. It returns complaints: values that it took, and that cannot be
right. `refused` says whether an exception is an answer to bad input.
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable

import cv2
import keras
import numpy as np
from PIL import Image

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import skeletons
from integral_tf.inference import published
from integral_tf.inference import video
from integral_tf.models import archive
from integral_tf.models import loading
from integral_tf.models import tensor_files
from integral_tf.records import photographs
from integral_tf.records import schema
from integral_tf.records.folder import Records
from integral_tf.serving import connections
from integral_tf.training import checkpoint
from tests.fuzz import damage
from tests.fuzz import labels
from tests.models import torch_files

SAVED = pathlib.Path(__file__).parents[1] / "saved"
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


def _write_skeleton(folder):
    text = json.dumps(skeletons.to_dict(skeletons.COCO))
    (folder / "skeleton.json").write_text(text)


def _read_skeleton(folder):
    skeleton = loading.named_skeleton(folder / "skeleton.json")
    is_mirror = sorted(skeleton.mirrored_order) == list(range(len(skeleton)))
    return [] if is_mirror else ["left and right do not trade places"]


def _write_records(folder):
    for path in (SAVED / "records").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def _read_records(folder):
    records = Records.open(folder)
    return [
        f"{path} is outside"
        for split in ("train", "val")
        if records.people(split)
        for path in records.paths(split)
        if not photographs.is_within(path, folder)
    ]


def _write_card(folder):
    (folder / "model.onnx").write_bytes(b"")
    digest = published.digest(folder / "model.onnx")
    card = {"format": "onnx", "sha256": {"model.onnx": digest}}
    (folder / "card.json").write_text(json.dumps(card))


def _read_card(folder):
    published.check(folder, published.read_card(folder))
    return []


def _write_flags(folder):
    flagfiles.write(config.TrainConfig(data="d"), folder / "flags.cfg")


def _read_flags(folder):
    flagfiles.read(config.TrainConfig, folder / "flags.cfg")
    return []


def _write_picture(ending, **options):
    def write(folder):
        image = Image.fromarray(np.arange(96, dtype=np.uint8).reshape(4, 8, 3))
        image.save(folder / f"i.{ending}", **options)

    return write


def _picture_of(name):
    def read(folder):
        image = photographs.read(folder / name)
        is_rgb = image.dtype == np.uint8 and image.shape[2:] == (3,)
        return [] if is_rgb else [f"{image.shape} of {image.dtype}"]

    return read


def _write_checkpoint(folder):
    for path in (SAVED / "interrupted" / "checkpoints").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def _read_checkpoint(folder):
    weights, _ = checkpoint.read(str(folder / "ckpt-2"), 3)
    return labels.not_finite(
        **{str(i): array for i, array in enumerate(weights)}
    )


def _tensors():
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=(2, 3)).astype("f4"), "b": np.arange(4)}


def _write_torch(folder):
    torch_files.save_zip({"state_dict": _tensors()}, folder / "m.pth")


def _write_legacy(folder):
    torch_files.save_legacy(_tensors(), folder / "m.pth.tar")


def _write_safetensors(folder):
    array = _tensors()["a"]
    fields = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    header = json.dumps({"a": fields}).encode()
    text = len(header).to_bytes(8, "little") + header + array.tobytes()
    (folder / "m.safetensors").write_bytes(text)


def _tensors_of(name):
    def read(folder):
        held = tensor_files.read(folder / name)
        tensor_files.arrays(held.get("state_dict") or held, folder / name)
        return []

    return read


def _write_keras(folder):
    images = keras.Input((4, 4, 3), name="images")
    joints = keras.layers.Reshape((8, 6), name="joints")(images)
    model = keras.Model(images, {"joints": joints})
    model.save(folder / "model.keras")
    archive.write_skeleton(folder / "model.keras", skeletons.MPII)


def _read_keras(folder):
    loading.load_with_skeleton(folder / "model.keras")
    return []


ANSWER = {"outputs": {"joints": [[[1.0, 2], [3, 4]]], "scores": [[0.5, 0.25]]}}


def _write_answer(folder):
    (folder / "answer.json").write_text(json.dumps(ANSWER))


def _read_answer(folder):
    try:
        answer = json.loads((folder / "answer.json").read_bytes())
    except (ValueError, RecursionError):
        raise connections.Stop("no TensorFlow Serving answers there") from None
    outputs = answer.get("outputs") if isinstance(answer, dict) else None
    return labels.not_finite(
        joints=[p for _, p, _ in connections.poses(outputs, 1)]
    )


def _write_video(folder):
    code = cv2.VideoWriter_fourcc(*"mp4v")
    size = (64, 48)
    writer = cv2.VideoWriter(
        str(folder / "a.mp4"), cv2.CAP_FFMPEG, code, 25, size
    )
    for number in range(6):
        writer.write(np.full((48, 64, 3), 40 * number, np.uint8))
    writer.release()


def _read_video(folder):
    with video.Reader(folder / "a.mp4") as reader:
        count = sum(1 for _ in reader)
    return [f"{count} frames of 6"] if count > 60 else []


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
    "csv": Reader(
        "boxes.csv",
        labels.write_csv,
        labels.boxes_of("boxes.csv"),
        damage.of_text,
    ),
    "skeleton": Reader(
        "skeleton.json", _write_skeleton, _read_skeleton, damage.of_json
    ),
    "manifest": Reader(
        "manifest.json", _write_records, _read_records, damage.of_json, 10
    ),
    "card": Reader("card.json", _write_card, _read_card, damage.of_json),
    "answer": Reader(
        "answer.json", _write_answer, _read_answer, damage.of_json
    ),
    "flags": Reader("flags.cfg", _write_flags, _read_flags, damage.of_text, 40),
    "jpeg": Reader("i.jpg", _write_picture("jpg"), _picture_of("i.jpg")),
    "png": Reader(
        "i.png", _write_picture("png"), _picture_of("i.png"), damage.of_png
    ),
    "webp": Reader("i.webp", _write_picture("webp"), _picture_of("i.webp")),
    "gif": Reader("i.gif", _write_picture("gif"), _picture_of("i.gif")),
    "tiff": Reader(
        "i.tif",
        _write_picture("tif", compression="tiff_lzw"),
        _picture_of("i.tif"),
    ),
    "torch": Reader(
        "m.pth", _write_torch, _tensors_of("m.pth"), damage.of_zip
    ),
    "legacy": Reader("m.pth.tar", _write_legacy, _tensors_of("m.pth.tar")),
    "safetensors": Reader(
        "m.safetensors",
        _write_safetensors,
        _tensors_of("m.safetensors"),
        damage.of_safetensors,
    ),
    "checkpoint": Reader(
        "ckpt-2.index", _write_checkpoint, _read_checkpoint, weight=50
    ),
    "shard": Reader(
        "val-00000-of-00001.tfrecord", _write_records, _read_records, weight=5
    ),
    "keras": Reader(
        "model.keras", _write_keras, _read_keras, damage.of_zip, 10
    ),
    "video": Reader("a.mp4", _write_video, _read_video, weight=10),
    "release": Reader(
        "release.mat", labels.write_release, labels.read_release, weight=1
    ),
    "lsp": Reader("joints.mat", labels.write_lsp, labels.read_lsp, weight=1),
    "labelme": Reader(
        "a.json",
        *labels.converted("a.json", json.dumps(labels.LABELME)),
        damage.of_json,
    ),
    "label_studio": Reader(
        "a.json",
        *labels.converted("a.json", json.dumps(labels.LABEL_STUDIO)),
        damage.of_json,
    ),
    "cvat": Reader(
        "a.xml", *labels.converted("a.xml", labels.CVAT), damage.of_text
    ),
}
