"""`integral-tf export`: writes artifacts of a run, and checks them.

    OUT/saved_model/1/   OUT/onnx/1/   OUT/onnx_int8/2/   ...

An artifact is written into OUT/.partial, opened by its own runtime, and
compared with the Keras model on people of the run's records, or on drawn people
where these are not there. Then its folder is
renamed to the next version number of its format, where servers look for it. A
killed export leaves no incomplete version. One export at a time writes OUT.
"""

import dataclasses
import functools
import os
import pathlib
import shutil

import tensorflow as tf

from integral_tf import config as configs
from integral_tf import flagfiles
from integral_tf import former
from integral_tf import ownership
from integral_tf import runs
from integral_tf import settings
from integral_tf import whole
from integral_tf.export import card as cards
from integral_tf.export import frozen_network
from integral_tf.export import litert
from integral_tf.export import onnx
from integral_tf.export import openvino
from integral_tf.export import parity
from integral_tf.export import people
from integral_tf.export import saved_model
from integral_tf.export import tensorrt
from integral_tf.export import warmup
from integral_tf.export import web
from integral_tf.models import archive
from integral_tf.models import loading
from integral_tf.models import reading

_PARTIAL = ".partial"


def export(config: configs.ExportConfig) -> list[pathlib.Path]:
    """Exports a run in each format and precision of the config.

    Args:
        config: A `config.ExportConfig`.

    Returns:
        List of the published version folders.

    Raises:
        BlockingIOError: another export is writing `out`.
        FileNotFoundError: there is no such model or records.
        ValueError: a format or a precision is unknown, or the records have
            another skeleton.
        parity.Refused: an artifact was not published; the others were.
    """
    wanted = _wanted(config)
    if config.out == "":
        raise ValueError("Name a folder to publish in. Received: --out=")
    with ownership.of(config.out):
        partial = pathlib.Path(config.out) / _PARTIAL
        # A killed export may have left it.
        shutil.rmtree(partial, ignore_errors=True)
        try:
            return _export(config, wanted)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _export(config, wanted):
    if config.workdir:
        opened = runs.Run.open(config.workdir, config.weights)
    else:
        # As a finished run, whose folder is the file.
        preset = flagfiles.preset("starter")
        flags = flagfiles.read(configs.TrainConfig, preset)
        opened = runs.Run(loading.starter(), flags)
    cards.figures(opened)  # refuses a damaged file before anything is made
    run, model = opened.config, opened.model
    for layer in reading.integrals_of(model):
        # The flags may leave beta open; training then calibrated it.
        run = dataclasses.replace(run, beta=layer.beta)
    shown = people.of_run(config, opened)
    skeleton = _skeleton(opened, shown)
    reference = parity.Reference(config, model, skeleton, shown)
    freeze = functools.cache(
        functools.partial(
            frozen_network.freeze, model, skeleton, config.flip_test
        )
    )
    published, refused = [], []
    for name, precision in wanted:
        try:
            frozen = freeze(phases=name == "saved_model", maps=name == "web")
            artifact = _Artifact(config, run, frozen, name, precision)
            published.append(artifact.publish(shown, reference, opened))
        except (parity.Refused, ImportError, RuntimeError) as error:
            refused.append(f"{name} {precision}: {error}")
    if refused:
        raise parity.Refused("\n".join(refused))
    return published


def _skeleton(run, shown):
    """The run's skeleton; requires that records of people have the same."""
    if isinstance(shown, people.Drawn):
        if run.skeleton is None:
            raise ValueError(
                "Neither this run nor its model says what the joints are, and "
                "its records are not there; name records by --data. "
                f"Received: --workdir={run.folder}"
            )
        loading.check_skeleton(run.model, run.skeleton)
        return run.skeleton
    records = shown.records
    of_records = records.skeleton
    # Files of an old run may have no skeleton.
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
    """One format in one precision, to be written, checked and published."""

    def __init__(self, config, run, frozen, name, precision):
        self.config = config
        self.run = run
        self.frozen = frozen
        self.format = name
        self.precision = precision
        plain = precision == "float32"
        self.name = name if plain else f"{name}_{precision}"
        self.out = pathlib.Path(config.out)
        self.partial = self.out / _PARTIAL / self.name

    def publish(self, shown, reference, opened):
        """Writes, checks and renames; returns the version's folder.

        Args:
            shown: The people of `people.of_run`.
            reference: The `parity.Reference` on them.
            opened: The `runs.Run`, for the card.
        """
        try:
            with whole.naming(self.out / self.name):
                self.partial.mkdir(parents=True)
                card = self._made(shown, reference, opened)
                folder = self._rename()
        except whole.DiskFull as error:
            raise parity.Refused(f"not published: {error}") from error
        except (OSError, tf.errors.OpError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise parity.Refused(
                f"not published: {reason} (while {self.partial} was written)"
            ) from error
        finally:
            shutil.rmtree(self.partial, ignore_errors=True)
        moved = card["parity"]
        print(
            f"published {folder}: {sum(card['files'].values()) / 1e6:.2f} MB; "
            f"joints move by {moved['typical_px']:.2g} px of the crop, 95 of "
            f"100 by at most {moved['within_px']:.2g}, all by "
            f"{moved['largest_px']:.2g}"
        )
        return folder

    def _made(self, shown, reference, opened):
        """Writes and checks everything; returns the card."""
        versions = self._write(shown, reference)
        moved = reference.compare(self.partial, self.precision)
        if self.format == "saved_model":
            moved["picture_px"] = reference.compare_pictures(
                self.partial, self.frozen, moved["limit_px"]
            )
        text = archive.to_json(self.frozen.skeleton)
        (self.partial / archive.SKELETON).write_text(text)
        card = cards.describe(
            self.config,
            self.run,
            self.frozen,
            moved,
            versions,
            self.partial,
            format=self.format,
            precision=self.precision,
            opened=opened,
        )
        cards.write(card, self.partial)
        return card

    def _write(self, shown, reference):
        if self.format == "saved_model":
            saved_model.write(
                self.frozen, self.partial, self.config.oks_threshold
            )
            return warmup.write(self.frozen, self.partial)
        crops = None
        if self.precision == "int8":
            count = self.config.calibration_people
            size = self.frozen.height, self.frozen.width
            crops = shown.calibration_crops(count, size)
        if self.format == "tensorrt":
            return self._build_engine(crops, reference)
        writer = _WRITERS[self.format]
        return writer(self.frozen, self.partial, self.precision, crops)

    def _build_engine(self, crops, reference):
        """Writes an engine, and Triton's configuration beside the versions.

        Without TensorRT or a GPU the ONNX network stays beside the versions,
        and the error says which command builds the engine from it elsewhere.
        """
        root, max_batch = self.out / self.name, self.config.max_batch
        root.mkdir(parents=True, exist_ok=True)
        network = self.partial / tensorrt.NETWORK
        versions = tensorrt.write_network(
            self.frozen, network, self.precision, crops
        )
        # By ONNX Runtime: an engine takes minutes to build.
        reference.compare(self.partial, self.precision)
        text = tensorrt.triton_config(self.name, self.frozen, max_batch)
        (root / "config.pbtxt").write_text(text)
        shape = (self.frozen.height, self.frozen.width, 3)
        network = network.rename(root / tensorrt.NETWORK)
        engine, cache = self.partial / tensorrt.ENGINE, root / tensorrt.CACHE
        try:
            made = tensorrt.build(network, engine, shape, max_batch, cache)
        except (ImportError, RuntimeError) as error:
            engine = root / "1" / tensorrt.ENGINE
            line = tensorrt.trtexec(network, engine, shape, max_batch)
            raise parity.Refused(
                f"{error} Its network is there; on a machine with both: "
                f"mkdir -p {engine.parent} && {line}"
            ) from error
        return {**versions, **made}

    def _rename(self):
        folder = self.out / self.name
        folder.mkdir(parents=True, exist_ok=True)
        taken = [int(p.name) for p in folder.iterdir() if p.name.isdigit()]
        version = folder / str(max(taken, default=0) + 1)
        os.rename(self.partial, version)
        return version


_WRITERS = {
    "onnx": onnx.write,
    "litert": litert.write,
    "openvino": openvino.write,
    "web": web.write,
}
FORMATS = ("saved_model", "tensorrt", *_WRITERS)


def _wanted(config):
    """Pairs of format and precision; a SavedModel is float32."""
    formats = settings.listed(config.formats)
    precisions = settings.listed(config.precisions)
    if not formats or not set(formats) <= set(FORMATS):
        raise ValueError(
            f"`--formats` is a list of {', '.join(FORMATS)}, with commas. "
            f"Received: --formats={config.formats}"
        )
    if not precisions or not set(precisions) <= set(parity.LIMITS):
        raise ValueError(
            f"`--precisions` is a list of {', '.join(parity.LIMITS)}, with "
            "commas. "
            f"Received: --precisions={config.precisions}"
        )
    wanted = [(name, p) for name in formats for p in precisions]
    return dict.fromkeys(
        (name, "float32" if name == "saved_model" else p) for name, p in wanted
    )


__getattr__ = former.names(__name__)
