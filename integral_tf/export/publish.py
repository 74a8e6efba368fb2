"""A run's model -> artifacts, each checked before anyone can load it.

    OUT/saved_model/1/   OUT/onnx/1/   OUT/onnx_int8/2/   ...

An artifact is written into OUT/.partial, opened again by its own runtime, and
compared with the Keras model on people of the run's records. Only then is it
renamed to the next version number of its format, which is what a server looks
for. Killed at any moment, an export leaves no half of a version.
"""

import json
import os
import pathlib
import shutil

import numpy as np

from integral_tf import config as configs
from integral_tf import layers
from integral_tf import skeletons
from integral_tf.export import card as cards
from integral_tf.export import litert
from integral_tf.export import network
from integral_tf.export import onnx
from integral_tf.export import openvino
from integral_tf.export import saved_model
from integral_tf.inference import backends
from integral_tf.inference import estimator
from integral_tf.inference import flip
from integral_tf.pipeline import batches
from integral_tf.records import shards

_BATCH = 16
# Pixels of the crop that a joint may move, where --max_pixel_error is 0.
LIMITS = {"float32": 0.01, "float16": 0.5, "int8": 4.0}


class Refused(Exception):
    """Artifacts that were not published; its text says which, and why."""


def export(config):
    """Exports a run in every format and precision asked for.

    Args:
        config: A `config.ExportConfig`.

    Returns:
        List of the published version folders.

    Raises:
        FileNotFoundError: no model, or no records.
        ValueError: an unknown format, or records of another skeleton.
        Refused: some artifact was not published. The others were.
    """
    wanted = _wanted(config)
    workdir = pathlib.Path(config.workdir)
    model = estimator.load(workdir)
    run = configs.read_flagfile(configs.TrainConfig, workdir / "flags.cfg")
    data = config.data or run.data
    skeleton = shards.read_skeleton(data)
    estimator.check_skeleton(model, skeleton)
    if config.out == "":
        raise ValueError("Name a folder to publish in. Received: --out=")
    crops = people(data, config.split, config.people, model, skeleton)
    predict = flip.flipped(model, skeleton) if config.flip_test else model
    truth = _in_batches(lambda some: _numpy(predict(some)), crops)
    frozen = network.freeze(model, skeleton, config.flip_test)
    published, refused = [], []
    for name, precision in wanted:
        try:
            made = _Artifact(config, run, frozen, name, precision)
            published.append(made.publish(data, crops, truth))
        except (Refused, ImportError) as error:
            refused.append(f"{name} {precision}: {error}")
            print(f"refused   {refused[-1]}")
    if refused:
        raise Refused("; ".join(refused))
    return published


class _Artifact:
    """One format in one precision, on its way to being published."""

    def __init__(self, config, run, frozen, name, precision):
        self.config = config
        self.run = run
        self.frozen = frozen
        self.format = name
        self.precision = precision
        plain = precision == "float32"
        self.name = name if plain else f"{name}_{precision}"
        self.out = pathlib.Path(config.out)
        self.partial = self.out / ".partial" / self.name

    def publish(self, data, crops, truth):
        """Writes, checks and renames; returns the version's folder."""
        shutil.rmtree(self.partial, ignore_errors=True)
        self.partial.mkdir(parents=True)
        try:
            versions = self._write(data)
            error, parity = self._compare(crops, truth)
            files = {
                str(path.relative_to(self.partial)): path.stat().st_size
                for path in sorted(self.partial.rglob("*"))
                if path.is_file()
            }
            card = cards.describe(
                self.config, self.run, self.frozen, parity, versions, files
            )
            card = {"format": self.format, "precision": self.precision, **card}
            cards.write(card, self.partial)
            stored = skeletons.to_dict(self.frozen.skeleton)
            path = self.partial / "skeleton.json"
            path.write_text(json.dumps(stored, indent=1) + "\n")
            folder = self._rename()
        finally:
            shutil.rmtree(self.partial, ignore_errors=True)
        print(
            f"published {folder}: {sum(files.values()) / 1e6:.2f} MB, joints "
            f"within {error:.2g} px of Keras's, typically "
            f"{parity['typical_px']:.2g}"
        )
        return folder

    def _write(self, data):
        if self.format == "saved_model":
            saved_model.write(self.frozen, self.partial, self.config.oks_nms)
            return {}
        crops = None
        if self.precision == "int8":
            count = self.config.calibration_people
            splits = shards.read_manifest(data)["splits"]
            # Records for evaluation alone have nobody to train on.
            split = "train" if splits["train"]["people"] else self.config.split
            crops = people(data, split, count, self.frozen)
        writer = _WRITERS[self.format]
        return writer(self.frozen, self.partial, self.precision, crops)

    def _compare(self, crops, truth):
        """Opens what was written; returns its largest error, and the card's."""
        backend = backends.load(backends.find(self.partial))
        got = _in_batches(backend, crops)
        got_alone = backend(crops[:1])  # the batch is free
        distance = np.linalg.norm(got["joints"] - truth["joints"], axis=-1)
        alone = np.linalg.norm(
            got_alone["joints"] - truth["joints"][:1], axis=-1
        )
        largest = float(max(distance.max(), alone.max()))
        limit = self.config.max_pixel_error or LIMITS[self.precision]
        if not largest <= limit:  # so written that NaN fails, too
            raise Refused(
                f"a joint moved by {largest:.3g} px of the crop (typically "
                f"{np.median(distance):.3g}) compared with Keras, and "
                f"--max_pixel_error is {limit:g}. It was not published"
            )
        scores = np.abs(got["scores"] - truth["scores"])
        return largest, {
            "people": len(crops),
            "split": self.config.split,
            "largest_px": largest,
            "typical_px": float(np.median(distance)),
            "largest_score": float(scores.max()),
            "limit_px": limit,
        }

    def _rename(self):
        folder = self.out / self.name
        folder.mkdir(parents=True, exist_ok=True)
        taken = [int(p.name) for p in folder.iterdir() if p.name.isdigit()]
        version = max(taken, default=0) + 1
        while True:
            try:
                os.rename(self.partial, folder / str(version))
                return folder / str(version)
            except OSError:
                if not (folder / str(version)).exists():
                    raise
                version += 1  # another export was quicker


def people(data, split, count, network, skeleton=None):
    """Crops of the first people of a split, as training sees them unaugmented.

    Args:
        data: Folder of records.
        split: Name of the split.
        count: How many people.
        network: The Keras model, or a `network.Frozen`.
        skeleton: The `skeletons.Skeleton`; by default the frozen network's.

    Returns:
        `(N, height, width, 3)` float32.
    """
    if skeleton is None:
        skeleton, size = network.skeleton, (network.height, network.width)
    else:
        size = network.input_shape[1:3]
    crop = layers.RandomCrop(*size, skeleton.mirrored_order)
    wanted = ("windows", "boxes", "joints", "visible")
    return np.concatenate(
        [
            crop({name: batch[name] for name in wanted})["images"]
            for batch in batches.eval_batches(data, split, _BATCH, count)
        ]
    )


def _in_batches(predict, crops):
    parts = [
        predict(crops[start : start + _BATCH])
        for start in range(0, len(crops), _BATCH)
    ]
    return {
        name: np.concatenate([part[name] for part in parts])
        for name in network.OUTPUTS
    }


def _numpy(outputs):
    return {name: np.asarray(outputs[name]) for name in network.OUTPUTS}


_WRITERS = {
    "onnx": onnx.write,
    "litert": litert.write,
    "openvino": openvino.write,
}
FORMATS = ("saved_model", *_WRITERS)


def _wanted(config):
    """Pairs of format and precision; a SavedModel is float32."""
    formats, precisions = _names(config.formats), _names(config.precisions)
    if not formats or not set(formats) <= set(FORMATS):
        raise ValueError(
            f"`--formats` is a list of {', '.join(FORMATS)}, with commas. "
            f"Received: --formats={config.formats}"
        )
    if not precisions or not set(precisions) <= set(LIMITS):
        raise ValueError(
            f"`--precisions` is a list of {', '.join(LIMITS)}, with commas. "
            f"Received: --precisions={config.precisions}"
        )
    wanted = [(name, p) for name in formats for p in precisions]
    return dict.fromkeys(
        (name, "float32" if name == "saved_model" else p) for name, p in wanted
    )


def _names(text):
    return [name.strip() for name in text.split(",") if name.strip()]
