"""A run's logs, CSV files.

A damaged CSV file is renamed, and a new one begun.
"""

import csv
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from integral_tf import config as configs
from integral_tf import runs
from integral_tf import whole
from integral_tf.training import schedule


def row(
    config: configs.TrainConfig,
    state: schedule.State,
    means: dict[str, float],
    figures: dict[str, float],
) -> dict[str, Any]:
    """One epoch's row of `log.csv`.

    Args:
        config: A `config.TrainConfig`.
        state: The state in which the epoch was trained.
        means: The mean losses of the training.
        figures: Those of the validation split; empty without one.
    """
    return {
        "epoch": state.epoch + 1,
        "phase": state.phase,
        "learning_rate": schedule.learning_rate(config, state),
        **{f"train_{name}": means[name] for name in means},
        **{f"val_{name}": figures[name] for name in figures},
    }


def line(row: dict[str, Any]) -> str:
    """An epoch's row of `log.csv` in words."""
    figures = "  ".join(
        f"{name} {value:.4g}"
        for name, value in row.items()
        if isinstance(value, float) and name != "learning_rate"
    )
    return f"epoch {row['epoch']:3d} {row['phase']:7s} {figures}"


def append_log(workdir: str | os.PathLike, row: dict[str, Any]) -> None:
    """Adds one epoch's figures to `log.csv`.

    Rows of this epoch and of later ones are removed first, so that the log of a
    resumed run has each epoch once.
    """
    _replace_from(pathlib.Path(workdir) / runs.LOG, [row])


def append_betas(
    workdir: str | os.PathLike,
    state: schedule.State,
    betas: Iterable[float],
    aucs: Iterable[float],
) -> None:
    """Adds the curve of one calibration to `beta.csv`."""
    rows = [
        {"epoch": state.epoch, "beta": float(beta), "auc": auc}
        for beta, auc in zip(betas, aucs)
    ]
    _replace_from(pathlib.Path(workdir) / runs.BETAS, rows)


def read_rows(path: pathlib.Path) -> list[dict[str, str]]:
    """Reads the rows of a CSV file with a column `epoch`.

    Args:
        path: A `pathlib.Path`.

    Returns:
        List of dicts of text; empty if there is no file.

    Raises:
        ValueError: the file is damaged.
    """
    if not path.exists():
        return []
    is_whole = path.stat().st_size > 0
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        for row in rows:
            int(row["epoch"])
            # A row with too few cells has a value None; with too many, a key.
            is_whole = is_whole and None not in row and None not in row.values()
    except (ValueError, KeyError, TypeError, csv.Error):
        is_whole = False
    if not is_whole:
        raise ValueError(f"These are not rows of epochs. Received: {path}")
    return rows


def _replace_from(path, rows):
    """Replaces all rows of a CSV file from an epoch on, whole or not at all."""
    try:
        kept = read_rows(path)
    except ValueError:
        kept = []
        aside = _free_name(path)
        path.rename(aside)
        print(f"{path} is damaged: it is now {aside.name}, and begun anew")
    kept = [row for row in kept if int(row["epoch"]) < rows[0]["epoch"]]
    # Phases have different losses, and so different columns.
    names = dict.fromkeys(name for row in kept + rows for name in row)
    with whole.file(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(kept + rows)


def _free_name(path):
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return aside
