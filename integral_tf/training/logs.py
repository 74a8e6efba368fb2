"""A run's logs: CSV files, moved aside where damaged, and TensorBoard's."""

import csv
import importlib.util
import pathlib

import tensorflow as tf

from integral_tf import runs
from integral_tf import whole


def append_log(workdir, row):
    """Adds one epoch's figures to `log.csv`.

    A row of the same epoch, or of a later one, is replaced, so that a run
    taken up again has each epoch once.
    """
    _replace_from(pathlib.Path(workdir) / runs.LOG, [row])


def append_betas(workdir, state, betas, aucs):
    """Adds the curve of one calibration to `beta.csv`."""
    rows = [
        {"epoch": state.epoch, "beta": float(beta), "auc": auc}
        for beta, auc in zip(betas, aucs)
    ]
    _replace_from(pathlib.Path(workdir) / runs.BETAS, rows)


def tensorboard(workdir, wanted):
    """A writer of TensorBoard's logs; None where there is nothing to write."""
    if wanted and importlib.util.find_spec("tensorboard"):
        return tf.summary.create_file_writer(
            str(pathlib.Path(workdir) / "tensorboard")
        )
    if wanted:
        print(
            "TensorBoard logs are not written: they need "
            "`pip install integral_tf[tensorboard]`."
        )
    return None


def summarise(writer, row):
    """Writes one epoch's figures by a writer of `tensorboard`, or None."""
    if writer is None:
        return  # `tf.summary` itself would want TensorBoard
    with writer.as_default(step=row["epoch"]):
        for name, value in row.items():
            if isinstance(value, float):
                tf.summary.scalar(name, value)
    writer.flush()


def read_rows(path):
    """The rows of a CSV file as dicts of text; none where there is no file.

    Raises:
        ValueError: these are not rows of epochs.
    """
    if not path.exists():
        return []
    is_whole = path.stat().st_size > 0
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        for row in rows:
            int(row["epoch"])
            # Cells that a cut row lacks, and those that no column has.
            is_whole = is_whole and None not in row and None not in row.values()
    except (ValueError, KeyError, TypeError, csv.Error):
        is_whole = False
    if not is_whole:
        raise ValueError(f"These are not rows of epochs. Received: {path}")
    return rows


def _replace_from(path, rows):
    """Puts rows after the earlier epochs of a CSV file, whole or not at all."""
    try:
        kept = read_rows(path)
    except ValueError:
        kept = []
        aside = _free_name(path)
        path.rename(aside)
        print(f"{path} is damaged: it is now {aside.name}, and begun anew")
    kept = [row for row in kept if int(row["epoch"]) < rows[0]["epoch"]]
    # Phases differ in their losses, and so in their columns.
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
