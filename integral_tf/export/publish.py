"""A run's model -> artifacts, each checked before anyone can load it.

    OUT/saved_model/1/   OUT/onnx/1/   OUT/onnx_int8/2/   ...

An artifact is written into OUT/.partial, opened again by its own runtime, and
compared with the Keras model on people of the run's records. Only then is it
renamed to the next version number of its format, which is what a server looks
for. Killed at any moment, an export leaves no half of a version. One export at
a time owns OUT.
"""

import dataclasses
import functools
import os
import pathlib
import shutil

import numpy as np
import tensorflow as tf

from integral_tf import coordinates
from integral_tf import layers
from integral_tf import ownership
from integral_tf import runs
from integral_tf.export import card as cards
from integral_tf.export import folding
from integral_tf.export import litert
from integral_tf.export import network
from integral_tf.export import onnx
from integral_tf.export import openvino
from integral_tf.export import saved_model
from integral_tf.export import serving
from integral_tf.export import tensorrt
from integral_tf.inference import backends
from integral_tf.inference import estimator
from integral_tf.inference import flip
from integral_tf.models import archive
from integral_tf.models import loading
from integral_tf.models import reading
from integral_tf.pipeline import batches

_PARTIAL = ".partial"
_BATCH, _PICTURES = 16, 8
# ours: pixels of the crop that a joint may move, where --max_pixel_error is 0,
# and of how many joints in a hundred that is asked. Where a map has two peaks
# of one height, any rounding tips the joint from one to the other.
LIMITS = {"float32": (0.01, 100), "float16": (0.25, 95), "int8": (4.0, 95)}


class Refused(Exception):
    """Artifacts that were not published; its text says which, and why."""


def export(config):
    """Exports a run in every format and precision asked for.

    Args:
        config: A `config.ExportConfig`.

    Returns:
        List of the published version folders.

    Raises:
        BlockingIOError: another export is writing `out`.
        FileNotFoundError: no model, or no records.
        ValueError: an unknown format, or records of another skeleton.
        Refused: some artifact was not published. The others were.
    """
    wanted = _wanted(config)
    if config.out == "":
        raise ValueError("Name a folder to publish in. Received: --out=")
    with ownership.of(config.out):
        partial = pathlib.Path(config.out) / _PARTIAL
        # Left there by an export that was killed.
        shutil.rmtree(partial, ignore_errors=True)
        try:
            return _export(config, wanted)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _export(config, wanted):
    opened = runs.Run.open(config.workdir)
    run, model = opened.config, opened.model
    for layer in reading.integrals_of(model):
        # Calibrated after training, where the flags left it open.
        run = dataclasses.replace(run, beta=layer.beta)
    records = (
        opened.records(config.data) if config.data else opened.own_records()
    )
    skeleton = _skeleton(opened, records)
    crops = people(
        records, config.split, config.people, model.input_shape[1:3], skeleton
    )
    predict = folding.in_float32(model)
    if config.flip_test:
        predict = flip.flipped(predict, skeleton)
    truth = _in_batches(lambda some: _numpy(predict(some)), crops)
    freeze = functools.cache(
        functools.partial(network.freeze, model, skeleton, config.flip_test)
    )
    published, refused = [], []
    for name, precision in wanted:
        try:
            frozen = freeze(phases=name == "saved_model")
            made = _Artifact(config, run, frozen, name, precision, crops, truth)
            published.append(made.publish(records))
        except (Refused, ImportError, RuntimeError) as error:
            refused.append(f"{name} {precision}: {error}")
    if refused:
        raise Refused("\n".join(refused))
    return published


def _skeleton(run, records):
    """The run's joints, which are those of the records, too."""
    of_records = records.skeleton
    # A run of long ago has none.
    skeleton = run.skeleton or of_records
    loading.check_skeleton(run.model, skeleton)
    for what in ("joints", "sides"):
        ours, theirs = getattr(skeleton, what), getattr(of_records, what)
        if ours != theirs:
            raise ValueError(
                f"The records have other {what} than the run, whose artifacts "
                f"are compared on them; name records of {skeleton.name}. "
                f"Received: --data={records.folder}, records of "
                f"{of_records.name}"
            )
    return skeleton


class _Artifact:
    """One format in one precision, on its way to being published."""

    def __init__(self, config, run, frozen, name, precision, crops, truth):
        self.config = config
        self.run = run
        self.frozen = frozen
        self.format = name
        self.precision = precision
        self.crops = crops
        self.truth = truth
        plain = precision == "float32"
        self.name = name if plain else f"{name}_{precision}"
        self.out = pathlib.Path(config.out)
        self.partial = self.out / _PARTIAL / self.name

    def publish(self, records):
        """Writes, checks and renames; returns the version's folder."""
        self.partial.mkdir(parents=True)
        try:
            card = self._made(records)
            folder = self._rename()
        except (OSError, tf.errors.OpError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise Refused(
                f"not published: {reason} (while {self.partial} was written)"
            ) from error
        finally:
            shutil.rmtree(self.partial, ignore_errors=True)
        parity = card["parity"]
        print(
            f"published {folder}: {sum(card['files'].values()) / 1e6:.2f} MB; "
            f"joints move by {parity['typical_px']:.2g} px of the crop, 95 of "
            f"100 by at most {parity['within_px']:.2g}, all by "
            f"{parity['largest_px']:.2g}"
        )
        return folder

    def _made(self, records):
        """Writes and checks everything; returns the card."""
        versions = self._write(records)
        parity = self._compare()
        if self.format == "saved_model":
            parity["picture_px"] = self._compare_pictures(records, parity)
        text = archive.to_json(self.frozen.skeleton)
        (self.partial / archive.SKELETON).write_text(text)
        card = cards.describe(
            self.config, self.run, self.frozen, parity, versions, self.partial
        )
        card = {"format": self.format, "precision": self.precision, **card}
        cards.write(card, self.partial)
        return card

    def _write(self, records):
        if self.format == "saved_model":
            saved_model.write(self.frozen, self.partial, self.config.oks_nms)
            return serving.write(self.frozen, self.partial)
        crops = None
        if self.precision == "int8":
            count = self.config.calibration_people
            # Records for evaluation alone have nobody to train on.
            split = "train" if records.people("train") else self.config.split
            size = self.frozen.height, self.frozen.width
            crops = people(records, split, count, size, self.frozen.skeleton)
        if self.format == "tensorrt":
            return self._build_engine(crops)
        writer = _WRITERS[self.format]
        return writer(self.frozen, self.partial, self.precision, crops)

    def _build_engine(self, crops):
        """An engine in `partial`; Triton's configuration beside the versions.

        Without TensorRT or a GPU its network stays there, and the error says
        what to run where they are.
        """
        root, most = self.out / self.name, self.config.max_batch
        root.mkdir(parents=True, exist_ok=True)
        network = self.partial / tensorrt.NETWORK
        versions = tensorrt.write_network(
            self.frozen, network, self.precision, crops
        )
        self._compare()  # by ONNX Runtime: an engine takes minutes to build
        text = tensorrt.triton_config(self.name, self.frozen, most)
        (root / "config.pbtxt").write_text(text)
        shape = (self.frozen.height, self.frozen.width, 3)
        network = network.rename(root / tensorrt.NETWORK)
        engine, cache = self.partial / tensorrt.ENGINE, root / tensorrt.CACHE
        try:
            made = tensorrt.build(network, engine, shape, most, cache)
        except (ImportError, RuntimeError) as error:
            engine = root / "1" / tensorrt.ENGINE
            line = tensorrt.trtexec(network, engine, shape, most)
            raise Refused(
                f"{error} Its network is there; on a machine with both: "
                f"mkdir -p {engine.parent} && {line}"
            ) from error
        return {**versions, **made}

    def _compare(self):
        """Opens what was written; returns how far it is from Keras."""
        backend = backends.load(backends.find(self.partial))
        crops, truth = self.crops, self.truth
        got = _in_batches(backend, crops)
        # Of another size of batch, too: it is free.
        for name, value in backend(crops[:1]).items():
            got[name] = np.concatenate([got[name], value])
            truth = {
                **truth,
                name: np.concatenate([truth[name], truth[name][:1]]),
            }
        distance = np.linalg.norm(got["joints"] - truth["joints"], axis=-1)
        limit, percent = LIMITS[self.precision]
        if self.config.max_pixel_error:
            limit, percent = self.config.max_pixel_error, 100
        parity = {
            "people": len(crops),
            "split": self.config.split,
            "typical_px": float(np.median(distance)),
            "within_px": float(np.percentile(distance, 95)),
            "largest_px": float(distance.max()),
            "largest_score": float(
                np.abs(got["scores"] - truth["scores"]).max()
            ),
            "limit_px": limit,
            "limit_percent": percent,
        }
        if not np.percentile(distance, percent) <= limit:  # NaN fails, too
            raise Refused(
                f"not published: joints moved by up to "
                f"{parity['largest_px']:.3g} px of the crop compared with "
                f"Keras (95 of 100 by at most {parity['within_px']:.3g}, "
                f"typically by {parity['typical_px']:.3g}), and {percent} of "
                f"100 may move by {limit:g}"
            )
        return parity

    def _compare_pictures(self, records, parity):
        """How far `predict_bytes` is from Python's own crop, in crop pixels.

        The windows of a few records are the photographs.
        """
        estimate = estimator.PoseEstimator(
            self.partial, self.frozen.skeleton, batch_size=1
        )
        served = backends.load(self.partial).loaded.signatures["predict_bytes"]
        split, apart = self.config.split, []
        for some in batches.eval_batches(records, split, 1, _PICTURES):
            window, box = some["windows"][0], some["boxes"][:1]
            got = served(image_bytes=tf.io.encode_png(window), boxes=box)
            (want,) = estimate(window.numpy(), box.numpy())
            side = coordinates.crop_side(
                *box.numpy()[0, 2:],
                self.frozen.width / self.frozen.height,
                max,
            )
            distance = np.linalg.norm(got["joints"][0] - want.joints, axis=-1)
            apart.append(distance * self.frozen.height / side)
        # A grey level here and there is rounded the other way: half of the
        # joints must not notice.
        typical = float(np.median(apart))
        if not typical <= parity["limit_px"]:
            raise Refused(
                f"not published: from a picture's bytes, joints move by "
                f"{typical:.3g} px of the crop, and {parity['limit_px']:g} "
                "are allowed"
            )
        return typical

    def _rename(self):
        folder = self.out / self.name
        folder.mkdir(parents=True, exist_ok=True)
        taken = [int(p.name) for p in folder.iterdir() if p.name.isdigit()]
        version = folder / str(max(taken, default=0) + 1)
        os.rename(self.partial, version)
        return version


def people(records, split, count, size, skeleton):
    """Crops of the first people of a split, as training sees them unaugmented.

    Args:
        records: The `Records`.
        split: Name of the split.
        count: How many people.
        size: (height, width) of the network's input.
        skeleton: The `skeletons.Skeleton` of the joints.

    Returns:
        `(N, height, width, 3)` float32.
    """
    crop = layers.PersonCrop(*size, skeleton.mirrored_order)
    return np.concatenate(
        [
            crop(batches.for_device(batch))["images"]
            for batch in batches.eval_batches(records, split, _BATCH, count)
        ]
    )


def _in_batches(predict, crops):
    parts = [
        predict(crops[start : start + _BATCH])
        for start in range(0, len(crops), _BATCH)
    ]
    return {
        name: np.concatenate([part[name] for part in parts])
        for name in backends.OUTPUTS
    }


def _numpy(outputs):
    return {name: np.asarray(outputs[name]) for name in backends.OUTPUTS}


_WRITERS = {
    "onnx": onnx.write,
    "litert": litert.write,
    "openvino": openvino.write,
}
FORMATS = ("saved_model", "tensorrt", *_WRITERS)


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
