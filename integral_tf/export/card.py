"""`card.json` beside an artifact: its network, inputs, outputs and parity."""

import dataclasses
import json
import os
import pathlib
import platform

import keras
import numpy as np
import tensorflow as tf

import integral_tf
from integral_tf import config as configs
from integral_tf import coordinates
from integral_tf import runs
from integral_tf.export import provenance
from integral_tf.export.frozen_network import Frozen
from integral_tf.inference import published
from integral_tf.models import archive
from integral_tf.models import reading
from integral_tf.records import file_digest

_OUTPUTS = {
    "joints": "(batch, joints, 2): x, y in pixels of the crop; the centre of "
    "the first pixel is (0, 0)",
    "scores": "(batch, joints): 0 to 1",
    "covariance": "(batch, joints, 2, 2): in square pixels of the crop",
    "heatmaps": "(batch, height, width, joints): unnormalised",
}


def describe(
    config: configs.ExportConfig,
    run: configs.TrainConfig,
    frozen: Frozen,
    parity: dict,
    versions: dict[str, str],
    folder: str | os.PathLike,
    *,
    format: str,
    precision: str,
    opened: runs.Run,
) -> dict:
    """Makes the content of `card.json`, in its order.

    Args:
        config: The `config.ExportConfig`.
        run: The `config.TrainConfig` of the run.
        frozen: The `frozen_network.Frozen` that the artifact was made from.
        parity: Dict of the artifact's distances from the Keras model.
        versions: Dict of the versions of the packages that made the artifact.
        folder: Folder of the artifact's files.
        format: One of `publish.FORMATS`.
        precision: One of `parity.LIMITS`.
        opened: The `runs.Run`.
    """
    files = {
        str(path.relative_to(folder)): path
        for path in sorted(pathlib.Path(folder).rglob("*"))
        if path.is_file()
    }
    fields = dataclasses.fields(configs.ModelConfig)
    source, metrics = opened.file, figures(opened)
    return {
        "format": format,
        "precision": precision,
        "model": source.name,
        "epoch": archive.read_epoch(source),
        "method": run.method,
        "backbone": run.backbone,
        "network": {field.name: getattr(run, field.name) for field in fields},
        "skeleton": frozen.skeleton.name,
        "skeleton_from": "the run" if opened.skeleton else "its records",
        "joints": list(frozen.skeleton.joints),
        "flip_test": config.flip_test,
        "input": {
            "name": "images",
            "shape": [None, frozen.height, frozen.width, 3],
            "colour": "RGB, 0 to 255; the network centres it itself",
            "crop": f"the box, widened to {frozen.width}:{frozen.height}, "
            f"times {coordinates.BOX_MARGIN}, resampled as by Pillow's "
            "antialiased bicubic, black outside of the image",
        },
        "outputs": {name: _OUTPUTS[name] for name in frozen.outputs},
        "covariance_calibration": _calibration(opened.model),
        **provenance.of(opened, config.licence, metrics),
        "parity": parity,
        "metrics": metrics,
        "files": {name: file.stat().st_size for name, file in files.items()},
        "sha256": {name: file_digest.of(file) for name, file in files.items()},
        "versions": {
            "integral_tf": integral_tf.__version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
            **versions,
        },
    }


def write(card: dict, folder: str | os.PathLike) -> None:
    """Writes `card.json`."""
    text = json.dumps(card, indent=1) + "\n"
    (pathlib.Path(folder) / published.CARD).write_text(text)


def figures(run: runs.Run) -> dict | None:
    """The figures of the run's evaluation of this model, or None.

    Raises:
        ValueError: their file is damaged.
    """
    path = run.folder / runs.EVALUATION / runs.METRICS
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_bytes())
        reason = "it is no dict"
    except (ValueError, RecursionError) as error:
        found, reason = None, error
    if not isinstance(found, dict):
        raise ValueError(
            "The figures of the run's evaluation are damaged; evaluate the run "
            f"again: {reason}. Received: {str(path)!r}"
        )
    if found.get("model", runs.MODEL) != run.file.name:
        return None
    return {
        name: value
        for name, value in found.items()
        if name in provenance.WORDS
        or name.startswith(("@", "AUC", "NME", "FR@"))
    }


def _calibration(model):
    """The numbers of the model's `CovarianceCalibration`, or None."""
    layer = reading.covariance_layer(model)
    if layer is None:
        return None
    return {name: getattr(layer, name) for name in layer.NUMBERS}
