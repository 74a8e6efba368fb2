"""Names of versions before 0.2, and their new places.

A module that lost names ends with `__getattr__ = former.names(__name__)`. An
old name then gives the object of its new place, with a DeprecationWarning.
"""

import functools
import importlib
import importlib.abc
import importlib.machinery
import os
import types
import warnings
from collections.abc import Callable
from typing import Any
from typing import cast
from typing import TypeVar

Function = TypeVar("Function", bound=Callable)

_ROOT = "integral_tf."
_RUNS = (
    "FLAGS MODEL RECORDS SKELETON STOPPED check_flags check_new check_there "
    "claim finished may_change_rates save_model save_run save_skeleton"
).split()
_LOGS = "append_betas append_log read_rows".split()
_FITS = {
    "cross_fitted": "metrics.fitting:cross_fitted",
    "distances": "metrics.fitting:mahalanobis",
    "halves": "metrics.fitting:halves",
    "platt": "metrics.fitting:fit_platt",
    "student_t": "metrics.fitting:fit_student_t",
}
_COMPLEXITY = "JOINTS TABLES report table".split()
_QUESTIONS = "integrals_of score_layers scored set_beta".split()
# From a module and its old names to the new module, or module:name.
_NOW = {
    "config": {
        "define_flags": "flagfiles:define",
        "from_flags": "flagfiles:made",
        "read_flagfile": "flagfiles:read",
        "setting": "settings:setting",
        "write_flagfile": "flagfiles:write",
    },
    "evaluation.calibrate": {
        name: f"models.reading:{name}" for name in _QUESTIONS
    },
    "evaluation.coco_results": {
        "of_predictions": "evaluation.coco_results:Results"
    },
    "evaluation.predictions": {"for_device": "pipeline.batches:for_device"},
    "evaluation.reliability": {"ways": "evaluation.reliability:variants"},
    "export": {
        "crops": "export.pillow_crop",
        "network": "export.frozen_network",
        "serving": "export.warmup",
    },
    "export.publish": {
        "LIMITS": "export.parity:LIMITS",
        "Refused": "export.parity:Refused",
    },
    "inference": {
        "browse": "evaluation.browse",
        "calibrate": "evaluation.calibrate",
        "coco_results": "evaluation.coco_results",
        "evaluation": "evaluation.evaluate",
        "loading": "models.loading",
        "mean_pose": "evaluation.mean_pose",
        "prediction": "inference.predict",
        "predictions": "evaluation.predictions",
        "preflight": "evaluation.preflight",
        "reliability": "evaluation.reliability",
        "report": "evaluation.report",
        "submission": "evaluation.submission",
    },
    "inference.estimator": {
        "check_skeleton": "models.loading:check_skeleton",
        "load": "models.loading:load",
        "saved_skeleton": "models.loading:saved_skeleton",
    },
    "inference.video": {"Writer": "inference.encoding:OpenCV"},
    "layers": {
        "ImageNetCentering": "layers:ImageNetNormalization",
        "RandomCrop": "layers:PersonCrop",
        "preprocessing": "layers.imagenet_normalization",
        "random_crop": "layers.person_crop",
    },
    "layers.imagenet_normalization": {
        "ImageNetCentering": "layers:ImageNetNormalization"
    },
    "layers.person_crop": {"RandomCrop": "layers:PersonCrop"},
    "losses.heatmap": {"BinaryCrossEntropy": "losses:BinaryCrossEntropy"},
    # Both gave the same figures.
    "metrics": {**_FITS, "pycocotools_ap": "metrics:coco_keypoint_ap"},
    "metrics.calibration": _FITS,
    "models.complexity": {
        name: f"experiments.complexity:{name}" for name in _COMPLEXITY
    },
    "models.methods": {"network": "models.methods:fingerprint"},
    "models.multi_stage": {"heatmaps": "models.multi_stage:build"},
    "ops.integral": {
        "compensate": "ops.background:compensate",
        "flatten_maps": "ops.layout:flatten_maps",
        "product": "ops.layout:product",
    },
    "records.mpii": {
        "by_list": "records.mpii_split:by_list",
        "by_share": "records.mpii_split:by_share",
    },
    "records.shards": {
        "read_annotations": "former:read_annotations",
        "read_manifest": "former:read_manifest",
        "read_skeleton": "former:read_skeleton",
        "shard_paths": "former:shard_paths",
    },
    "skeletons": {"from_coco": "records.coco_skeleton:from_category"},
    "training": {
        "calibration": "training.after_training",
        "resuming": "training.checkpoint",
    },
    "training.checkpoint": {
        **{name: f"runs:{name}" for name in _RUNS},
        **{name: f"training.logs:{name}" for name in _LOGS},
    },
}


_MODULES = {_ROOT + "generation": _ROOT + "keras_version"} | {
    f"{_ROOT}{package}.{old}": _ROOT + now
    for package, renamed in _NOW.items()
    for old, now in renamed.items()
    if ":" not in now
}


class Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a module that is asked for by its former name."""

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in _MODULES:
            return None
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(
        self, spec: importlib.machinery.ModuleSpec
    ) -> types.ModuleType:
        now = _MODULES[spec.name]
        _warn(f"{spec.name} is {now} now")
        module = importlib.import_module(now)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self._spec  # Python has put the former name there


def names(module: str) -> Callable[[str], Any]:
    """Makes a `__getattr__` that finds a module's former names.

    Args:
        module: The module's `__name__`.
    """
    now = _NOW[module.removeprefix(_ROOT)]

    def find(name):
        if name not in now:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        place, _, attribute = now[name].partition(":")
        found = importlib.import_module(_ROOT + place)
        _warn(f"{module}.{name} is {_ROOT}{now[name].replace(':', '.')} now")
        return getattr(found, attribute) if attribute else found

    return find


def arguments(**now: str) -> Callable[[Function], Function]:
    """Decorates a function whose arguments had other names before 0.2.

    Args:
        **now: From an argument's former name to its name of today.
    """

    def decorate(function):
        @functools.wraps(function)
        def renamed(*args, **kwargs):
            for old in now.keys() & kwargs.keys():
                _warn(f"`{old}` is `{now[old]}` now")
                kwargs[now[old]] = kwargs.pop(old)
            return function(*args, **kwargs)

        return cast(Function, renamed)

    return decorate


def _warn(text):
    warnings.warn(text, DeprecationWarning, stacklevel=3)


def _records(folder, *skeleton):
    module = importlib.import_module(_ROOT + "records.folder")
    return module.Records.open(folder, *skeleton)


def read_manifest(
    folder: str | os.PathLike, skeleton: str | None = None
) -> dict:
    """`Records.open(folder).manifest` now."""
    return _records(folder, skeleton).manifest


def read_skeleton(folder: str | os.PathLike) -> Any:
    """`Records.open(folder).skeleton` now."""
    return _records(folder).skeleton


def read_annotations(folder: str | os.PathLike) -> dict | None:
    """`Records.open(folder).annotations()` now."""
    return _records(folder).annotations()


def shard_paths(folder: str | os.PathLike, split: str) -> list[str]:
    """`Records.open(folder).paths(split)` now."""
    return _records(folder).paths(split)
