"""A run's folder: its files, opening, claiming and saving.

flags.cfg     the resolved flags; `--flagfile` reads it
records.json  a digest of the records that the run trains on
checkpoints/  weights, optimizer and schedule, during training
log.csv       a line per epoch
beta.csv      AUC over beta, for each calibration of beta
tensorboard/  figures and people for TensorBoard (training/board.py)
skeleton.json the model's skeleton
stopped.txt   why training stopped, if a loss was not finite
last.keras    the model of the last epoch, calibrated; until the run finishes
best.keras    that of the epoch with the highest score on the validation split
model.keras   the trained model; written whole, at the end
evaluation/   results of `integral-tf evaluate`
.lock         the process that trains in this folder, during training
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

FLAGS, SKELETON = "flags.cfg", archive.SKELETON
MODEL, BEST, LAST = loading.MODEL, loading.BEST, loading.LAST
RECORDS, STOPPED = "records.json", "stopped.txt"
LOG, BETAS, CHECKPOINTS = "log.csv", "beta.csv", "checkpoints"
TENSORBOARD = "tensorboard"
# Folder of an evaluation, and the file that every such folder has.
EVALUATION, METRICS = "evaluation", "metrics.json"
CHECKPOINT_FILE = re.compile(r"ckpt-(\d+)\.(?:index|data-\d+-of-\d+)")
_TAKEN = "A run is not overwritten; name another folder."
# ours: flags that may change when a run is continued. `epochs` may also grow,
# of a finished run, too, and after a loss that was not finite the learning
# rates may change.
_FREE = {
    "workdir", "data", "tensorboard", "keep_checkpoints", "checkpoint_steps",
    "skip_damaged", "devices",
}  # fmt: skip
_RATES = {"learning_rate", "final_learning_rate"}


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A run, finished or not; `Run.open` makes one.

    Attributes:
        folder: Path of the run's folder, or of the starter model's file.
        config: The `config.TrainConfig` of its flags.
        weights: Which of its models is taken, as in `loading.of_run`.
    """

    folder: pathlib.Path
    config: configs.TrainConfig
    weights: str = "auto"

    @classmethod
    def open(cls, workdir: str | os.PathLike, weights: str = "auto") -> Run:
        """Opens a run's folder.

        Args:
            workdir: The folder.
            weights: Which of its models to take, as in `loading.of_run`.

        Raises:
            FileNotFoundError: the folder has no flags of a run.
            ValueError: the flags are damaged, or of another version.
        """
        path = pathlib.Path(workdir)
        if not (path / FLAGS).is_file():
            raise FileNotFoundError(
                f"A run is a folder that `integral-tf train` wrote: it has a "
                f"{FLAGS} and, once it has finished, a {MODEL}. "
                f"Received: --workdir={str(workdir)!r}"
            )
        config = flagfiles.read(configs.TrainConfig, path / FLAGS)
        return cls(path, config, weights)

    @functools.cached_property
    def model(self) -> keras.Model:
        """The model of `weights`; raises as `loading.load` and `file` do."""
        auto = self.weights == "auto"
        return loading.load(self.folder if auto else self.file)

    @functools.cached_property
    def file(self) -> pathlib.Path:
        """Path of the file of `model`; raises as `loading.of_run` does."""
        folder, weights = self.folder, self.weights
        return folder if folder.is_file() else loading.of_run(folder, weights)

    @functools.cached_property
    def skeleton(self) -> skeletons.Skeleton | None:
        """The model's skeleton; None if the run's files do not have it."""
        return loading.saved_skeleton(self.folder)

    def own_records(self) -> Records:
        """Opens the folder of records in the run's flags, and checks it.

        Raises:
            FileNotFoundError: there are no records in that folder.
            ValueError: the run was trained on other records.
        """
        records = Records.open(self.config.data)
        own = dataclasses.replace(self.config, workdir=str(self.folder))
        check_records(own, records)
        return records

    def records(self, data: str = "") -> Records:
        """Opens a folder of records; by default the run's own, unchecked."""
        return Records.open(data or self.config.data)


def checkpoints(workdir: str | os.PathLike) -> list[str]:
    """Paths of a run's checkpoints, sorted by their numbers."""
    path = pathlib.Path(workdir) / CHECKPOINTS
    found = [
        CHECKPOINT_FILE.fullmatch(each.name) for each in path.glob("ckpt-*")
    ]
    numbers = sorted({int(match.group(1)) for match in found if match})
    return [str(path / f"ckpt-{number}") for number in numbers]


def finished(config: configs.TrainConfig) -> pathlib.Path | None:
    """Path of the `model.keras` of a finished run, else None.

    A finished run whose `epochs` have grown is not finished.

    Raises:
        ValueError: as in `check_flags`; or the run is on other records; or its
            model is damaged.
    """
    check_flags(config)
    path = pathlib.Path(config.workdir) / MODEL
    if not path.is_file() or grown(config):
        return None
    # A finished run does not need its records any more.
    if (pathlib.Path(config.data) / folder.MANIFEST).is_file():
        check_records(config, Records.open(config.data))
    if not archive.is_whole(path):
        raise ValueError(
            "The model of this finished run is damaged; copy it again, or "
            "delete it, and the same command writes it from the last "
            f"checkpoint. Received: {path}"
        )
    then = "the same command with larger --epochs trains on"
    if not checkpoints(config.workdir):
        then = f"to train on, start another run with --init_from={path}"
    print(f"finished; {then}")
    print(f"model: {path}")
    return path


def grown(config: configs.TrainConfig) -> int:
    """The `epochs` of a run's flags if `config` has more; else 0."""
    path = pathlib.Path(config.workdir) / FLAGS
    if not path.exists():
        return 0
    before = flagfiles.read(type(config), path).epochs
    return before if before < config.epochs else 0


def check_flags(config: configs.TrainConfig) -> None:
    """Requires that the run folder is new, or this run's.

    Raises:
        ValueError: the folder holds a run with other flags, or a run that has
            lost its flags or its checkpoints; or a finished run without
            checkpoints has been given more epochs.
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
    # Shares of the epochs may stand for the numbers that the run began with.
    asked = dataclasses.replace(config, epochs=before.epochs).phased()
    asked = {**dataclasses.asdict(asked), "epochs": config.epochs}
    for name, value in asked.items():
        old = getattr(before.phased(), name)
        if old == value or name in _FREE:
            continue
        if name in _RATES and may_change_rates(workdir):
            continue
        if name == "epochs" and value > old:
            if saved or not has_model:
                continue
            raise ValueError(
                "A finished run trains on from its last checkpoint, and this "
                "one has none; start a new run with "
                f"--init_from={workdir / MODEL}. Received: --epochs={value}, "
                f"after {old}"
            )
        value = getattr(config, name)
        raise ValueError(
            f"{workdir} holds a run with --{name}={old}; resume it "
            "with the same flags, or name another --workdir. "
            f"Received: --{name}={value}"
        )


def may_change_rates(workdir: str | os.PathLike) -> bool:
    """Whether a run stopped because a loss was not finite."""
    return (pathlib.Path(workdir) / STOPPED).exists()


def claim(config: configs.TrainConfig) -> None:
    """Makes the run's folder and writes its flags, or checks them.

    Raises:
        ValueError: as in `check_flags`.
    """
    check_flags(config)
    workdir = pathlib.Path(config.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    path = workdir / FLAGS
    if path.exists():
        before = flagfiles.read(type(config), path)
        if before == config:
            return
        print(f"changed flags: {flagfiles.changes(before, config)}")
    with whole.file(path) as partial:
        flagfiles.write(config, partial)


def check_records(config: configs.TrainConfig, records: Records) -> None:
    """Requires that these are the records that the run was started with.

    The records may have moved. Of a run from before version 0.2 only the joints
    are compared.

    Args:
        config: A `config.TrainConfig`.
        records: The `Records`.

    Raises:
        ValueError: the run was started with other records.
    """
    workdir = pathlib.Path(config.workdir)
    now, before = _described(records), None
    if (workdir / RECORDS).exists():
        try:
            before = json.loads((workdir / RECORDS).read_text())
            same = before["digest"] == now["digest"]
            before = _in_words(before)
        except Exception as error:  # JSON of any form
            raise ValueError(
                f"{workdir / RECORDS} is damaged: {error!r:.200}; delete this "
                "file if the records are the run's own. "
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
            f"Received: --data={config.data}, of {_in_words(now)}"
        )


def check_there(config: configs.TrainConfig) -> None:
    """Requires that a run's folder was not moved or deleted.

    Raises:
        FileNotFoundError: the folder is gone.
    """
    if not (pathlib.Path(config.workdir) / FLAGS).exists():
        raise FileNotFoundError(
            "The run's folder was moved or deleted while the run trained in "
            "it; with its new place as --workdir the run goes on from its "
            f"last checkpoint. Received: --workdir={config.workdir}"
        )


def claim_records(config: configs.TrainConfig, records: Records) -> None:
    """Writes `records.json`, which `check_records` reads."""
    path = pathlib.Path(config.workdir) / RECORDS
    if not path.exists():
        with whole.file(path) as partial:
            text = json.dumps(_described(records), indent=1)
            partial.write_text(text + "\n")


def _described(records):
    """The content of `records.json`."""
    splits = records.manifest["splits"]
    return {
        "digest": records.digest,
        "skeleton": records.skeleton.name,
        "people": {name: split["people"] for name, split in splits.items()},
        "source": records.manifest.get("source", ""),
    }


def _in_words(records):
    """The content of `records.json` as a text."""
    people = [f"{count} to {name}" for name, count in records["people"].items()]
    text = f"the skeleton {records['skeleton']}, people: {', '.join(people)}"
    text = f"{text}, {records['source']}" if records["source"] else text
    return " ".join(text.split())[:300]


def save_skeleton(
    skeleton: skeletons.Skeleton, workdir: str | os.PathLike
) -> None:
    """Writes `skeleton.json`, whole or not at all."""
    with whole.file(pathlib.Path(workdir) / SKELETON) as partial:
        partial.write_text(archive.to_json(skeleton))


def save_run(
    model: keras.Model,
    config: configs.TrainConfig,
    skeleton: skeletons.Skeleton,
    out: str | os.PathLike,
) -> None:
    """Writes the folder of a finished run, whole or not at all.

    Args:
        model: The pose model.
        config: Its `config.TrainConfig`.
        skeleton: Its `skeletons.Skeleton`.
        out: Folder to write.

    Raises:
        FileExistsError: the folder exists.
    """
    with whole.folder(out, taken=_TAKEN) as partial:
        flagfiles.write(config, partial / FLAGS)
        save_skeleton(skeleton, partial)
        save_model(model, partial, skeleton)


def check_new(out: str | os.PathLike) -> None:
    """Requires that a run's folder does not exist.

    Raises:
        FileExistsError: the folder exists.
    """
    if pathlib.Path(out).exists():
        raise FileExistsError(f"{_TAKEN} Received: {str(out)!r}")


def save_model(
    model: keras.Model,
    workdir: str | os.PathLike,
    skeleton: skeletons.Skeleton,
    name: str = MODEL,
    *,
    epoch: int = 0,
) -> pathlib.Path:
    """Writes a model's file, whole or not at all; returns its path.

    The file also holds the skeleton, so that a copy of it knows its joints,
    and, if it is not 0, the number of epochs trained.
    """
    path = pathlib.Path(workdir) / name
    with whole.file(path) as partial:
        model.save(partial)
        archive.write_skeleton(partial, skeleton)
        if epoch:
            archive.write_epoch(partial, epoch)
    return path
