"""A run's folder: its files, opening, claiming and saving.

flags.cfg     the resolved flags; `--flagfile` takes it back
records.json  a digest of the records that it trains on
checkpoints/  weights, optimizer and schedule, while training
log.csv       a line per epoch
beta.csv      AUC over beta, each time that beta was calibrated
tensorboard/  the same figures for TensorBoard
skeleton.json what the model's joints are
stopped.txt   why training stopped, where a loss was not finite
model.keras   the trained model; written whole, at the end
evaluation/   what `integral-tf evaluate` found
.lock         who trains in this folder, meanwhile
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pathlib
import re

import keras

from integral_tf import config as configs
from integral_tf import flagfiles
from integral_tf import skeletons
from integral_tf import whole
from integral_tf.models import archive
from integral_tf.models import loading
from integral_tf.records import folder
from integral_tf.records.folder import Records

FLAGS, SKELETON, MODEL = "flags.cfg", archive.SKELETON, loading.MODEL
RECORDS, STOPPED = "records.json", "stopped.txt"
LOG, BETAS, CHECKPOINTS = "log.csv", "beta.csv", "checkpoints"
# Of an evaluation: its folder, and the file that every such folder has.
EVALUATION, METRICS = "evaluation", "metrics.json"
CHECKPOINT_FILE = re.compile(r"ckpt-(\d+)\.(?:index|data-\d+-of-\d+)")
_TAKEN = "A run is not overwritten; name another folder."
# ours: what may differ between a run and its continuation. Epochs may become
# more, and after a loss that was not finite the rates may be others.
_FREE = {
    "workdir", "data", "tensorboard", "keep_checkpoints", "checkpoint_steps",
}  # fmt: skip
_RATES = {"learning_rate", "final_learning_rate"}


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A run that was trained, or is; `Run.open` makes one.

    Attributes:
        folder: Its path.
        config: The `config.TrainConfig` of its flags.
    """

    folder: pathlib.Path
    config: configs.TrainConfig

    @classmethod
    def open(cls, workdir: str | os.PathLike) -> Run:
        """Opens a run's folder.

        Raises:
            FileNotFoundError: there are no flags of a run.
            ValueError: they are damaged, or of another version.
        """
        path = pathlib.Path(workdir)
        if not (path / FLAGS).is_file():
            raise FileNotFoundError(
                f"A run is a folder that `integral-tf train` wrote: it has a "
                f"{FLAGS} and, once it has finished, a {MODEL}. "
                f"Received: --workdir={str(workdir)!r}"
            )
        return cls(path, flagfiles.read(configs.TrainConfig, path / FLAGS))

    @functools.cached_property
    def model(self) -> keras.Model:
        """The trained model; raises as `loading.load` does."""
        return loading.load(self.folder)

    @functools.cached_property
    def skeleton(self) -> skeletons.Skeleton | None:
        """What its joints are; None of a run of long ago."""
        return loading.saved_skeleton(self.folder)

    def own_records(self) -> Records:
        """The records that it was trained on, where its flags have them.

        Raises:
            FileNotFoundError: there are no records.
            ValueError: they are others.
        """
        records = Records.open(self.config.data)
        own = dataclasses.replace(self.config, workdir=str(self.folder))
        check_records(own, records)
        return records

    def records(self, data: str = "") -> Records:
        """The records in a folder; its own, unchecked, where none is named."""
        return Records.open(data or self.config.data)


def checkpoints(workdir: str | os.PathLike) -> list[str]:
    """Paths of a run's checkpoints by their names, the newest last."""
    path = pathlib.Path(workdir) / CHECKPOINTS
    found = [
        CHECKPOINT_FILE.fullmatch(each.name) for each in path.glob("ckpt-*")
    ]
    numbers = sorted({int(match.group(1)) for match in found if match})
    return [str(path / f"ckpt-{number}") for number in numbers]


def finished(config):
    """The `model.keras` of a run that has finished, or None.

    Raises:
        ValueError: the folder holds a run with other flags, or one that has
            lost its flags or its checkpoints, or one on other records than
            those that are given; or its model is damaged.
    """
    check_flags(config)
    path = pathlib.Path(config.workdir) / MODEL
    if not path.is_file():
        return None
    # Records that are gone are not needed any more.
    if (pathlib.Path(config.data) / folder.MANIFEST).is_file():
        check_records(config, Records.open(config.data))
    if not archive.is_whole(path):
        raise ValueError(
            "The model of this finished run is damaged; copy it again, or "
            "delete it, and the same command writes it from the last "
            f"checkpoint. Received: {path}"
        )
    print(f"finished; to train on, start another run with --init_from={path}")
    print(f"model: {path}")
    return path


def check_flags(config):
    """Requires that the run folder is new, or this run's.

    Raises:
        ValueError: the folder holds a run with other flags, or one that has
            lost its flags or its checkpoints.
    """
    workdir = pathlib.Path(config.workdir)
    saved = checkpoints(workdir)
    has_model = (workdir / MODEL).exists()
    if not (workdir / FLAGS).exists():
        if saved or has_model:
            raise ValueError(
                f"{workdir} holds a run without the {FLAGS} that it was "
                "started with; put that file back, or name another --workdir. "
                f"Received: --workdir={workdir}"
            )
        return
    if not (saved or has_model or may_change_rates(workdir)) and (
        (workdir / LOG).exists()
        or (workdir / CHECKPOINTS / "checkpoint").exists()
    ):
        raise ValueError(
            f"{workdir} holds a run that has lost its checkpoints, and would "
            "begin anew; put them back, or name another --workdir. "
            f"Received: --workdir={workdir}"
        )
    before = flagfiles.read(type(config), workdir / FLAGS)
    for name, value in dataclasses.asdict(config).items():
        old = getattr(before, name)
        if old == value or name in _FREE:
            continue
        if name in _RATES and may_change_rates(workdir):
            continue
        if name == "epochs" and value > old and not has_model:
            continue
        raise ValueError(
            f"{workdir} holds a run with --{name}={old}; resume it "
            "with the same flags, or name another --workdir. "
            f"Received: --{name}={value}"
        )


def may_change_rates(workdir):
    """Whether a run stopped because a loss was not finite."""
    return (pathlib.Path(workdir) / STOPPED).exists()


def claim(config):
    """Makes the run folder and its flags, or checks that it is this run's.

    Raises:
        ValueError: as of `check_flags`.
    """
    check_flags(config)
    workdir = pathlib.Path(config.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    path = workdir / FLAGS
    if path.exists() and flagfiles.read(type(config), path) == config:
        return
    with whole.file(path) as partial:
        flagfiles.write(config, partial)


def check_records(config, records):
    """Requires that these are the records that the run was started with.

    Wherever they lie. A run of before 0.2 tells of its joints only.

    Args:
        config: A `config.TrainConfig`.
        records: The `Records`.

    Raises:
        ValueError: they are others.
    """
    workdir = pathlib.Path(config.workdir)
    now, before = _described(records), None
    if (workdir / RECORDS).exists():
        try:
            before = json.loads((workdir / RECORDS).read_text())
            same = before["digest"] == now["digest"]
            before = _told(before)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{workdir / RECORDS} is damaged: {error!r}; delete this file "
                "if the records are the run's own. "
                f"Received: --data={config.data}"
            ) from None
    elif (workdir / SKELETON).exists() and checkpoints(workdir):
        before = loading.saved_skeleton(workdir)
        same = before.joints == records.skeleton.joints
        before = f"the skeleton {before.name}"
        if same:
            print(
                f"{workdir} does not tell its records, as runs of before 0.2: "
                f"those of {config.data} are taken for its own"
            )
    if before is not None and not same:
        raise ValueError(
            f"{workdir} holds a run on other records, of {before}; give it "
            "these, or name another --workdir. "
            f"Received: --data={config.data}, of {_told(now)}"
        )


def check_there(config):
    """Requires that a run's folder is still where it was.

    Raises:
        FileNotFoundError: it is not.
    """
    if not (pathlib.Path(config.workdir) / FLAGS).exists():
        raise FileNotFoundError(
            "The run's folder was moved or deleted while the run trained in "
            "it; with its new place as --workdir the run goes on from its "
            f"last checkpoint. Received: --workdir={config.workdir}"
        )


def claim_records(config, records):
    """Writes what the run's records are; see `check_records`."""
    path = pathlib.Path(config.workdir) / RECORDS
    if not path.exists():
        with whole.file(path) as partial:
            text = json.dumps(_described(records), indent=1)
            partial.write_text(text + "\n")


def _described(records):
    """What a run remembers of its records."""
    splits = records.manifest["splits"]
    return {
        "digest": records.digest,
        "skeleton": records.skeleton.name,
        "people": {name: records.people(name) for name in splits},
        "source": records.manifest.get("source", ""),
    }


def _told(records):
    """A run's records in words."""
    people = [f"{count} to {name}" for name, count in records["people"].items()]
    told = f"the skeleton {records['skeleton']}, people: {', '.join(people)}"
    return f"{told}, {records['source']}" if records["source"] else told


def save_skeleton(skeleton, workdir):
    """Writes `skeleton.json`, whole or not at all."""
    with whole.file(pathlib.Path(workdir) / SKELETON) as partial:
        partial.write_text(archive.to_json(skeleton))


def save_run(model, config, skeleton, out):
    """Writes a new run's folder, as a finished training leaves it.

    It appears whole or not at all.

    Args:
        model: The pose model.
        config: Its `config.TrainConfig`.
        skeleton: Its `skeletons.Skeleton`.
        out: Folder to write.

    Raises:
        FileExistsError: there is one.
    """
    with whole.folder(out, taken=_TAKEN) as partial:
        flagfiles.write(config, partial / FLAGS)
        save_skeleton(skeleton, partial)
        save_model(model, partial, skeleton)


def check_new(out):
    """Requires that a run's folder is not there yet.

    Raises:
        FileExistsError: it is.
    """
    if pathlib.Path(out).exists():
        raise FileExistsError(f"{_TAKEN} Received: {str(out)!r}")


def save_model(model, workdir, skeleton):
    """Writes `model.keras`, whole or not at all; returns its path.

    The file holds the skeleton, too, so that a copy knows its joints.
    """
    path = pathlib.Path(workdir) / MODEL
    with whole.file(path) as partial:
        model.save(partial)
        archive.write_skeleton(partial, skeleton)
    return path
