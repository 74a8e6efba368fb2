"""The Markdown pages of `integral-tf reproduce`."""

from __future__ import annotations

import typing

import numpy as np

from integral_tf.evaluation import comparison
from integral_tf.experiments import complexity
from integral_tf.experiments import seeds as over_seeds
from integral_tf.experiments import tables

if typing.TYPE_CHECKING:
    from integral_tf.experiments.reproduce import Runs


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
