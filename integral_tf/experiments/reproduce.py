"""`integral-tf reproduce`: trains and scores runs, then writes a page."""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

import numpy as np

from integral_tf import config as configs
from integral_tf import flagfiles
from integral_tf import runs
from integral_tf import units
from integral_tf.evaluation import comparison
from integral_tf.evaluation import report
from integral_tf.experiments import figure2
from integral_tf.experiments import pages
from integral_tf.experiments import tables
from integral_tf.models import loading
from integral_tf.records.folder import Records

# In a run's folder: minutes of training, as this command saw them.
_MINUTES = "minutes.txt"


class Runs:
    """The runs of one budget on one set of records.

    Args:
        flagfile: Path of the budget, a flag file that every run has.
        data: Folder of records.
        out: Folder for the runs and the pages.
        heatmap_epochs: Epochs of heat-map loss alone, for I1 to I3; 0 takes
            the budget's.
        normalise_by, alpha: Flags of the evaluations.
    """

    def __init__(
        self,
        flagfile: str | os.PathLike,
        data: str | os.PathLike,
        out: str | os.PathLike,
        heatmap_epochs: int = 0,
        *,
        normalise_by: str = "",
        alpha: str = "",
    ) -> None:
        self.flagfile = pathlib.Path(flagfile)
        self.budget = flagfiles.read(configs.TrainConfig, flagfile)
        self.data, self.out = pathlib.Path(data), pathlib.Path(out)
        self.heatmap_epochs = heatmap_epochs
        if alpha and len(units.alphas(alpha)) != 2:
            raise ValueError(
                "The tables have two thresholds, in the places of the paper's "
                f"0.5 and 0.1. Received: --alpha={alpha}"
            )
        self._measured = {"normalise_by": normalise_by, "alpha": alpha}

    def records(self) -> Records:
        """Opens the records, and requires that they have the named length.

        Raises:
            FileNotFoundError: there are no records.
            ValueError: the records are damaged, or lack a joint of the length.
        """
        records = Records.open(self.data)
        if name := self._measured["normalise_by"]:
            units.named(name, records.skeleton)
        return records

    def all(self, rows: list[tables.Row], seeds: int) -> dict[str, list[dict]]:
        """Trains and scores the missing runs.

        Args:
            rows: List of `tables.Row`.
            seeds: Number of seeds, from 0.

        Returns:
            Dict from a row's label to a list of metrics, one per seed.
        """
        scores, began, trained = {}, time.monotonic(), 0
        jobs = [(row, seed) for seed in range(seeds) for row in rows]
        for place, (row, seed) in enumerate(jobs, start=1):
            print(f"\n{row.label}, seed {seed}: run {place} of {len(jobs)}")
            trained += not (self.folder(row, seed) / runs.MODEL).exists()
            scores.setdefault(row.label, []).append(self.one(row, seed))
            if trained and place < len(jobs):
                each = (time.monotonic() - began) / trained
                left = sum(
                    not (self.folder(*job) / runs.MODEL).exists()
                    for job in jobs[place:]
                )
                print(f"about {each * left / 60:.0f} minutes left")
        return scores

    def folder(self, row: tables.Row, seed: int) -> pathlib.Path:
        """Path of a run, named for its differences from the budget."""
        parts = [row.method.lower().replace("*", "star")]
        parts += [f"{k}_{v}" for k, v in self._changed(row).items()]
        return self.out / "runs" / "-".join([*parts, f"seed_{seed}"])

    def evaluation(self, row: tables.Row, seed: int) -> pathlib.Path:
        """Path of a run's evaluation, named for how its maps are read."""
        name = "-".join(filter(None, [runs.EVALUATION, row.read_by]))
        return self.folder(row, seed) / name

    def one(self, row: tables.Row, seed: int) -> dict:
        """Trains and scores one run, unless done; returns its metrics.

        `minutes` among them are those of its training, over all interrupts
        that the same process saw.
        """
        folder = self.folder(row, seed)
        changed = {
            **self._changed(row),
            "method": row.method,
            "seed": seed,
            "data": str(self.data),
            "workdir": str(folder),
        }
        given = [self._budgets_flag()]
        given += [f"--{name}={value}" for name, value in changed.items()]
        wanted = flagfiles.parse(configs.TrainConfig, given)
        runs.check_flags(wanted)  # refuses a run of another budget
        flags = folder / runs.FLAGS
        if flags.exists():
            before = flagfiles.read(configs.TrainConfig, flags).data
            if pathlib.Path(before).resolve() != self.data.resolve():
                raise ValueError(
                    f"{folder} was trained on other records, {before}; name "
                    f"another --out. Received: --data={self.data}"
                )
        if not (folder / runs.MODEL).exists():
            self._train(folder, given)
        out = self.evaluation(row, seed)
        asked = {**self._measured, "read_by": row.read_by}
        found = self._evaluated(out, asked)
        if found is None:
            given = [f"--{n}={value}" for n, value in asked.items()]
            if row.read_by:
                given.append(f"--out={out}")
            _call("evaluate", f"--workdir={folder}", *filter(_is_set, given))
            found = self._evaluated(out, asked)
        spent = folder / _MINUTES
        if spent.exists():
            found["minutes"] = float(spent.read_text())
        return found

    def _train(self, folder, given):
        """Trains a run, and adds the minutes to those of earlier tries."""
        began, path = time.monotonic(), folder / _MINUTES
        try:
            _call("train", *given)
        finally:
            before = float(path.read_text()) if path.exists() else 0.0
            if folder.is_dir():
                minutes = before + (time.monotonic() - began) / 60
                path.write_text(f"{minutes:.3f}\n")

    def errors(self, row: tables.Row, seeds: int) -> np.ndarray:
        """`(S, N, K)` normalised errors of a row's evaluations."""
        folders = [self.evaluation(row, seed) for seed in range(seeds)]
        return np.stack([comparison.read(each).errors for each in folders])

    def _evaluated(self, folder, wanted):
        """The metrics of an evaluation of this kind; None if there are none."""
        path = folder / runs.METRICS
        if not path.exists():
            return None
        found = json.loads(path.read_text())
        # Evaluations of a version before 0.3 know no other unit.
        protocol = found.get("protocol", {})
        asked = {name: protocol.get(name, "") for name in wanted}
        return found if asked == wanted else None

    def _budgets_flag(self):
        if self.flagfile.parent == flagfiles.PRESETS:
            return f"--preset={self.flagfile.stem}"
        return f"--flagfile={self.flagfile}"

    def _changed(self, row):
        settings = row.settings
        if self.heatmap_epochs and row.method in configs.TWO_PHASE_METHODS:
            settings = {**settings, "heatmap_epochs": self.heatmap_epochs}
        return {
            name: value
            for name, value in settings.items()
            if getattr(self.budget, name) != value
        }


def _is_set(flag):
    return not flag.endswith("=")


def _call(name, *arguments):
    """Runs a command in a new process, since TensorFlow's memory grows."""
    command = [sys.executable, "-m", "integral_tf", name, *arguments]
    print(f"$ integral-tf {name} {shlex.join(arguments)}", flush=True)
    code = subprocess.run(command).returncode
    if code:
        raise ChildProcessError(
            f"{name} ended with {code}; the same command goes on"
        )


def reproduce(
    table: int,
    figure: int,
    trained: Runs,
    seeds: int = 1,
    person: int = -1,
    *,
    refined: bool = False,
) -> None:
    """Writes the page of a table, or a figure.

    Args:
        table: Number of the table, or `tables.HEADS`; 0 for none.
        figure: Number of the figure; 0 for none.
        trained: The `Runs`.
        seeds: Number of runs of each row of a table.
        person: Figure 2: index of the person, as in `figure2.draw`.
        refined: Read the maxima of a table by shift and by DARK, too.

    Raises:
        ValueError: not exactly one of table and figure is given, `seeds` is
            below 1, or the records lack a joint of the length that divides
            errors or of Figure 2, or its person.
    """
    if bool(table) == bool(figure) or not trained.out.name or seeds < 1:
        raise ValueError(
            "Name one --table or --figure, a folder --out, and at least one "
            f"of --seeds. Received: --table={table} --figure={figure} "
            f"--out={trained.out} --seeds={seeds}"
        )
    records = trained.records()
    if figure == 2:
        figure2.joints(records, person)
    methods = {2: ("H1", "I1"), 3: ("H1", "R1", "I*", "I1")}
    rows = tables.rows(table or 2, trained.budget)
    if refined and table:
        rows = tables.refined(rows)
    if figure:
        rows = [row for row in rows if row.method in methods[figure]]
    scores = trained.all(rows, seeds if table else 1)
    if table:
        page = pages.table_page(table, rows, scores, trained, seeds)
        name = "heads" if table == tables.HEADS else f"table{table}"
        path = trained.out / f"{name}.md"
        path.write_text(page)
        print(f"\n{page}")
    elif figure == 3:
        path = trained.out / "figure3.png"
        first = {name: metrics[0] for name, metrics in scores.items()}
        report.plot_curves(first, comparison.unit_of(first["H1"]), path)
    else:
        path = trained.out / "figure2.png"
        models = {
            row.label: loading.load(trained.folder(row, 0)) for row in rows
        }
        figure2.draw(models, records, path, person=person)
    print(f"written: {path}")
