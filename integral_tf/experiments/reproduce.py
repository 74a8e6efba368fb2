"""`integral-tf reproduce`: trains and scores runs, then writes a page."""

import dataclasses
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
from integral_tf.experiments import complexity
from integral_tf.experiments import figure2
from integral_tf.experiments import seeds as over_seeds
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
        wanted = dataclasses.replace(self.budget, **changed)
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
            self._train(folder, changed)
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

    def _train(self, folder, changed):
        """Trains a run, and adds the minutes to those of earlier tries."""
        began, path = time.monotonic(), folder / _MINUTES
        try:
            _call(
                "train",
                self._budgets_flag(),
                *[f"--{name}={value}" for name, value in changed.items()],
            )
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


def table_page(
    table: int,
    rows: list[tables.Row],
    scores: dict[str, list[dict]],
    trained: Runs,
    seeds: int,
) -> str:
    """The Markdown page of a table.

    Args:
        table: Number of the table.
        rows: List of `tables.Row`.
        scores: Metrics, from `Runs.all`.
        trained: The `Runs`.
        seeds: Number of seeds.
    """
    first = next(iter(scores.values()))[0]
    unit, papers = "", "; the paper's are MPII's"
    if _is_named(first):
        unit, papers = f", in {first['unit']},", ""
    lines = [
        "# Heads of today" if table == tables.HEADS else f"# Table {table}",
        "",
        f"{first['metric']} in percent{unit} over {first['people']} people, "
        f"{first['joints']} joints, of the {first['split']} split of "
        f"{trained.data.name}{papers}. "
        f"Budget: {trained.flagfile.stem}"
        + (
            f", --heatmap_epochs={trained.heatmap_epochs}. "
            if trained.heatmap_epochs
            else ". "
        )
        + (f"Mean of {seeds} seeds." if seeds > 1 else "One seed."),
        "",
    ]
    figures = comparison.unit_of(first).figures
    lines += _rows(rows, scores, figures)
    if table == 7:
        lines += ["", complexity.table(7)]
    lines += claims_table(tables.claims(table, figures), scores, seeds)
    lines += differences_table(rows, trained, seeds)
    return "\n".join(lines).replace("I*", r"I\*") + "\n"


def _is_named(figures):
    """Whether errors are divided by a length that was named."""
    return "NME" in figures


def _rows(rows, scores, names):
    """Markdown lines: a row for each run, and one for the mean pose.

    The paper's figures are in heads, so they are left out in a named length.
    """
    first = next(iter(scores.values()))[0]
    named = _is_named(first)
    more = [name for name in first if name.startswith(("NME", "FR@"))]
    names = [*names, *(more if named else ())]
    has_paper = not named and all(row.paper for row in rows)
    head = [
        f"{name}{of}"
        for of in (("", ", paper", ", difference") if has_paper else ("",))
        for name in names
    ]
    head += ["calibration error", "minutes"]
    lines = ["| | " + " | ".join(head) + " |", "|---" * (1 + len(head)) + "|"]
    for row in rows:
        mine = [_mean(scores[row.label], name) for name in names]
        cells = [f"{v:.2f}" if i in (1, 3, 4) else f"{v:.1f}"
                 for i, v in enumerate(mine)]  # fmt: skip
        if has_paper:
            cells += [f"{v:.1f}" for v in row.paper]
            cells += [f"{a - b:+.1f}" for a, b in zip(mine, row.paper)]
        cells += [_calibration(scores[row.label]), _minutes(scores[row.label])]
        lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    cells = [f"{first['mean_pose'][name]:.1f}" for name in names]
    blank = " |" * (6 * has_paper + 2)
    return [*lines, f"| mean pose | {' | '.join(cells)} |{blank}"]


def _calibration(scores):
    """Expected calibration error of the scores; empty if there are none."""
    found = [
        next(iter(each["scores"].values()))["calibration_error"]
        for each in scores
        if each.get("scores")
    ]
    return f"{np.mean(found):.3f}" if found else ""


def _minutes(scores):
    """Minutes of training a run; empty if another command trained it."""
    found = [each["minutes"] for each in scores if "minutes" in each]
    return f"{np.mean(found):.1f}" if found else ""


def differences_table(
    rows: list[tables.Row], trained: Runs, seeds: int
) -> list[str]:
    """Markdown lines: I1 less H1 at the tight threshold, by each reading.

    Args:
        rows: List of `tables.Row`.
        trained: The `Runs`, whose evaluations are there.
        seeds: Number of seeds.
    """
    own = [row for row in rows if (row.method, row.settings) == ("I1", {})]
    others = [row for row in rows if (row.method, row.settings) == ("H1", {})]
    if not (own and others):
        return []
    figures = comparison.read(trained.evaluation(own[0], 0)).figures
    alpha = min(comparison.unit_of(figures).alphas)
    errors = trained.errors(own[0], seeds)
    lines = [
        "",
        f"| Difference @{alpha:g} | points | interval of 95 % |",
        "|---|---|---|",
    ]
    for row in others:
        value, low, high = over_seeds.difference(
            errors, trained.errors(row, seeds), alpha
        )
        interval = f"{low:+.2f} to {high:+.2f}"
        lines.append(f"| I1 less {row.label} | {value:+.2f} | {interval} |")
    return [
        *lines,
        "",
        f"The interval is that of draws of {seeds} seeds, and of the people "
        "within each.",
    ]


def claims_table(
    claims: list[tables.Claim], scores: dict[str, list[dict]], seeds: int
) -> list[str]:
    """Markdown lines: each claim, its difference per seed, and whether it held.

    Args:
        claims: List of `tables.Claim`.
        scores: Metrics, from `Runs.all`.
        seeds: Number of seeds.
    """
    if not claims:
        return []
    lines = ["", "| Claim | difference | held |", "|---|---|---|"]
    for claim in claims:
        differences = [
            sum(sign * scores[name][seed][metric]
                for sign, name, metric in claim.terms)
            for seed in range(seeds)
        ]  # fmt: skip
        held = sum(value > 0 for value in differences)
        verdict = {0: "no", seeds: "yes"}.get(held, f"with {held} of {seeds}")
        numbers = ", ".join(f"{value:+.2f}" for value in differences)
        lines.append(f"| {claim.text} | {numbers} | {verdict} |")
    return lines


def _mean(scores, metric):
    return float(np.mean([score[metric] for score in scores]))


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
        ValueError: not exactly one of table and figure is given, or `seeds` is
            below 1.
    """
    if bool(table) == bool(figure) or not trained.out.name or seeds < 1:
        raise ValueError(
            "Name one --table or --figure, a folder --out, and at least one "
            f"of --seeds. Received: --table={table} --figure={figure} "
            f"--out={trained.out} --seeds={seeds}"
        )
    records = Records.open(trained.data)
    methods = {2: ("H1", "I1"), 3: ("H1", "R1", "I*", "I1")}
    rows = tables.rows(table or 2, trained.budget)
    if refined and table:
        rows = tables.refined(rows)
    if figure:
        rows = [row for row in rows if row.method in methods[figure]]
    scores = trained.all(rows, seeds if table else 1)
    if table:
        page = table_page(table, rows, scores, trained, seeds)
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
