"""Rows and claims of the paper's tables, as runs of `integral-tf train`.

A row is a method, and the flags that differ from the budget's flag file. A row
of two tables is one run.
"""

import dataclasses

from integral_tf import config as configs
from integral_tf import paper

# In place of a table's number: the heads of today.
HEADS = -1
METRICS = ("@0.5", "@0.1", "AUC")
# Table 4's networks have full width, so in the small budget they have fewer
# pixels and steps instead.
_SMALL_TABLE_4 = {
    "width": 1.0,
    "image_size": 64,
    "upsamplings": 3,
    "epochs": 6,
    "heatmap_epochs": 3,
    "final_epochs": 1,
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        label: Name of the run in the table and in claims.
        method: Method, by its name in Table 2.
        settings: Flags that differ from the budget's.
        paper: The paper's PCKh@0.5, PCKh@0.1 and AUC; empty if it has none.
        read_by: As of `config.EvaluateConfig`.
    """

    label: str
    method: str
    settings: dict
    paper: tuple = ()
    read_by: str = ""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A weighted sum of scores that is above 0 in the paper.

    Attributes:
        text: The claim in words.
        terms: `(weight, label, metric)` of each score.
    """

    text: str
    terms: tuple


def rows(table: int, budget: configs.TrainConfig) -> list[Row]:
    """The runs of a table.

    Args:
        table: 2, 3, 4, 5 or 7, or `HEADS`.
        budget: The `config.TrainConfig` of the budget's flag file.
    """
    if table == HEADS:
        return _heads()
    if table == 2:
        return [Row(m, m, {}, score) for m, score in paper.TABLE_2.items()]
    if table == 3:
        return _resolutions(budget)
    if table == 4:
        return _backbones(budget)
    if table == 5:
        return _stages()
    return [
        Row("I1", "I1", {}, paper.TABLE_2["I1"]),
        _stages()[-1],
    ]


def refined(rows: list[Row]) -> list[Row]:
    """The rows, and after each maximum the same map by shift and by DARK."""
    more = []
    for row in rows:
        more.append(row)
        if row.method in configs.HEATMAP_METHODS:
            more += [
                Row(f"{row.label}, {by}", row.method, row.settings, (), by)
                for by in ("shift", "dark")
            ]
    return more


def _heads():
    """The heads and the readings of after the paper, beside H1, H2, R1, I1."""
    gaussian = {"heatmap_reading": "gaussian"}
    # Its joint loss has the regulariser from the first epoch on.
    divergence = {"heatmap_reading": "divergence", "heatmap_epochs": 0}
    variance = {"heatmap_reading": "variance", "heatmap_epochs": 0}
    rows = refined([Row(m, m, {}) for m in ("H1", "H2")])
    rows += [Row(m, m, {}) for m in ("R1", "SimCC", "I*", "I1")]
    return rows + [
        Row("I1, L2", "I1", {"joint_loss": "L2"}),
        Row("DSNT, divergence", "I1", divergence),
        Row("DSNT, variance", "I1", variance),
        Row("I1, Gaussian maps", "I1", gaussian),
        Row("I1, Gaussian maps, compensated", "I1",
            dict(gaussian, compensate=True)),
        Row("I*, compensated", "I*", {"compensate": True}),
        Row("I1, Gaussian likelihood", "I1", {"joint_loss": "gaussian"}),
        Row("I1, Laplace likelihood", "I1", {"joint_loss": "laplace"}),
        Row("I1, sampling-argmax", "I1", {"joint_loss": "sampling"}),
    ]  # fmt: skip


def _resolutions(budget):
    return [
        Row(
            f"{method} ({part})",
            method,
            {
                # The paper's 256 and 128, at the budget's scale.
                "image_size": entry["image_size"] * budget.image_size // 256,
                "upsamplings": entry["upsamplings"],
            },
            entry[method],
        )
        for part, entry in paper.TABLE_3.items()
        for method in ("H1", "I1")
    ]


def _backbones(budget):
    small = budget.backbone == "resnet18"
    made = []
    for backbone, entry in paper.TABLE_4.items():
        settings = {"backbone": backbone}
        if small:
            settings |= _SMALL_TABLE_4
        elif backbone == "resnet18":
            settings["weights"] = ""  # Keras has none for it.
        made += [
            Row(f"{method} {backbone}", method, settings, entry[method])
            for method in ("H1", "R1", "I1")
        ]
    return made


def _stages():
    return [
        Row(f"{name}, {count} stages", name[3:], {"stages": count}, score)
        for name, scores in paper.TABLE_5.items()
        for count, score in scores.items()
    ]


def claims(table: int, figures: tuple[str, ...] = METRICS) -> list[Claim]:
    """The paper's claims about a table, as a list of `Claim`.

    Args:
        table: Number of the table.
        figures: Names of the figures in the places of `METRICS`.
    """
    places = dict(zip(METRICS, figures))
    return [
        dataclasses.replace(
            claim,
            text=f"{claim.text}, {places[claim.terms[0][2]]}",
            terms=tuple((*term[:2], places[term[2]]) for term in claim.terms),
        )
        for claim in _claims(table)
    ]


def _claims(table):
    """The claims, with the figures of the paper, which their texts lack."""
    if table == 2:
        pairs = [("R1", "H1", "@0.1"), ("R1", "H1", "AUC")]
        pairs += [
            (f"I{i}", f"H{i}", metric)
            for i in (1, 2, 3)
            for metric in ("@0.1", "AUC")
        ]
        pairs += [
            (better, worse, metric)
            for better, worse in (("I*", "R1"), ("I1", "I*"))
            for metric in METRICS
        ]
        return [_better(*pair) for pair in pairs]
    if table == 3:
        return [
            _halving(more, less, metric)
            for more, less in (("c", "d"), ("a", "b"))
            for metric in ("@0.1", "AUC")
        ]
    if table == 4:
        pairs = [
            (f"I1 {backbone}", f"{other} {backbone}", "AUC")
            for backbone in paper.TABLE_4
            for other in ("H1", "R1")
        ]
        names = list(paper.TABLE_4)
        pairs += [
            (f"{method} {deeper}", f"{method} {shallower}", "AUC")
            for method in ("H1", "R1", "I1")
            for shallower, deeper in zip(names, names[1:])
        ]
        return [_better(*pair) for pair in pairs]
    if table == 5:
        pairs = [
            (f"MS-I1, {i} stages", f"MS-H1, {i} stages", "AUC")
            for i in (1, 2, 3, 4)
        ]
        pairs += [
            (f"{name}, {i + 1} stages", f"{name}, {i} stages", "AUC")
            for name in paper.TABLE_5
            for i in (1, 2, 3)
        ]
        return [_better(*pair) for pair in pairs]
    return []


def _better(better, worse, metric):
    return Claim(
        f"{better} > {worse}",
        ((1, better, metric), (-1, worse, metric)),
    )


def _halving(more, less, metric):
    """The claim that fewer pixels, `less`, cost H1 more than I1."""
    return Claim(
        f"half the map, ({more}) to ({less}), costs H1 more than I1",
        (
            (1, f"H1 ({more})", metric),
            (-1, f"H1 ({less})", metric),
            (-1, f"I1 ({more})", metric),
            (1, f"I1 ({less})", metric),
        ),
    )
