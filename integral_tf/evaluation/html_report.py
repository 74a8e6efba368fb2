"""The page of an evaluation, `report.html`: one file that loads nothing.

A filter by joint shows a joint's rows, curve and errors alone (`gallery`).
"""

from __future__ import annotations

import html
import os

import numpy as np

from integral_tf import skeletons
from integral_tf import units
from integral_tf.evaluation import chart
from integral_tf.evaluation import diagnosis
from integral_tf.evaluation import gallery
from integral_tf.evaluation import page
from integral_tf.evaluation import reliability
from integral_tf.evaluation import report
from integral_tf.evaluation.comparison import Evaluated
from integral_tf.evaluation.predictions import Predictions

_COLOURS = {
    "good": "#009e73",
    "jitter": "#b8e0c8",
    "swapped": "#e69f00",
    "mirrored": "#cc79a7",
    "missing": "#d55e00",
}
_MEANING = {
    "good": "within {good:g}",
    "jitter": "within {right:g}",
    "swapped": "within {right:g} of the joint's other side",
    "mirrored": "swapped, in a person with left and right exchanged",
    "missing": "no answer is near",
}
# What a stranger to this metric has to know, before the figures.
_FIGURES = (
    "{metric}@{right:g} is the percentage of labelled joints whose prediction "
    "is at most {right:g} {unit} away from the truth{others}; AUC is the mean "
    "of {metric} over distances from 0 to {right:g}. The mean pose is one and "
    "the same pose, placed in each box: a model that sees nothing."
)
_NO_HEADS = (
    " No head is annotated: a tenth of the longer side of a person's box "
    "stands for the head."
)
_BOX = " A box size is the square root of its width times its height."
_NME = (
    " NME is the mean error: of a person's joints, then of the people, in "
    "percent of {unit}. FR is the percentage of people, the failures, whose "
    "mean error is above {right:g}; AUC@{right:g} is the area below the curve "
    "of people over mean error, up to {right:g}."
)
_OF_PEOPLE = "curve_of_people"
_AP = (
    " AP is COCO's: the precision with which people are found, a mean over "
    "thresholds of their similarity to the truth (OKS) from 0.5 to 0.95. AP50 "
    "and AP75 have one threshold, APM and APL the medium and the large people; "
    "AR is the recall."
)
_SCORES = (
    "A calibrated score is the probability that the joint is right: its points "
    "are on the dotted line. As given are the model's own scores; cross fitted "
    "are scores that each half of the people calibrated for the other half."
)
_COVERAGE = (
    "A model gives each joint an ellipse of its uncertainty. Points below the "
    "dotted line: the ellipses are too small for the errors."
)


def write(
    path: str | os.PathLike,
    skeleton: skeletons.Skeleton,
    predicted: Predictions,
    figures: dict,
    *,
    people: list[report.Shown],
    tables: list[str],
    variants: dict[str, np.ndarray] | None,
    errors: np.ndarray | None,
    other: Evaluated | None = None,
) -> None:
    """Writes the page.

    Args:
        path: HTML file to write.
        skeleton: The `skeletons.Skeleton`.
        predicted: `predictions.Predictions`.
        figures: Those of `metrics.json`.
        people: The people to draw, from `report.shown`.
        tables: Markdown tables.
        variants: Scores, from `reliability.variants`, or None.
        errors: `(N,)` errors of the people; None without truth.
        other: The evaluation that `figures["comparison"]` is with, or None.
    """
    title = f"{figures['method']} on {figures['split']} of {figures['data']}"
    names = skeleton.joints
    parts = [_protocol(figures)]
    if predicted.is_labelled:
        labelled = np.flatnonzero((predicted.visible > 0).any(axis=0))
        parts.append(gallery.controls(skeleton, labelled))
    parts.append("<h2>Figures</h2>")
    if predicted.is_labelled:
        words = _explained(predicted)
        if "coco" in figures:
            words += _AP
        parts.append(f'<p class="note">{html.escape(words)}</p>')
    parts += map(page.markdown, tables)
    if "comparison" in figures:  # the last of the tables
        parts.insert(-1, "<h2>Difference of two evaluations</h2>")
    if predicted.is_labelled:
        parts += [
            _curves(predicted, figures, names, other),
            _people_over_errors(predicted, figures, other),
            _kinds(figures, names, predicted.unit),
            _slices(figures, predicted.unit),
            _calibration(predicted, figures, variants),
        ]
    parts += [_people(people, skeleton, predicted, errors), gallery.LARGE]
    with open(path, "w", encoding="utf-8") as file:
        file.write(page.document(title, parts, gallery.SCRIPT))


def _explained(predicted):
    """What the figures mean, in this unit."""
    unit = predicted.unit
    named = {"unit": unit.words, "right": unit.right, "metric": unit.metric}
    named["others"] = "".join(
        f", {unit.metric}@{alpha:g} at most {alpha:g}"
        for alpha in unit.alphas
        if alpha != unit.right
    )
    words = _FIGURES.format(**named)
    if unit.words == units.TENTH.words:
        words += _NO_HEADS
    if unit.words == units.BOX.words:
        words += _BOX
    if predicted.reference:
        words += _NME.format(**named)
    return words


def _protocol(figures):
    model = html.escape(str(figures["model"]))
    settings = ", ".join(
        f"{name}={value}" for name, value in figures["protocol"].items()
    )
    return (
        f"<p>Model: {model}</p><details><summary>Settings of this evaluation"
        f"</summary><p>{html.escape(settings)}</p></details>"
    )


def _curves(predicted, figures, names, other):
    """PCKh over alpha: of all joints, of each joint, and of the baselines."""
    unit = predicted.unit
    rows = [(figures["method"], figures), ("mean pose", figures["mean_pose"])]
    if other:
        rows.append((other.label, other.figures))
    drawn = [
        chart.Line(
            f"{label}: AUC {row['AUC']:.1f}", unit.thresholds, row["curve"]
        )
        for label, row in rows
    ]
    errors = predicted.errors()
    for k, name in enumerate(names):
        known = errors[:, k][~np.isnan(errors[:, k])]
        if known.size:
            near = known[:, None] <= unit.thresholds
            drawn.append(
                chart.Line(
                    name,
                    unit.thresholds,
                    100 * near.mean(axis=0),
                    group=gallery.of_joint(k, "only"),
                )
            )
    return "<h2>Curves over alpha</h2>" + chart.lines(
        drawn,
        x_label=f"alpha: distance from the truth, {unit.words}",
        y_label=f"{unit.metric}@alpha: joints within, %",
        x_max=unit.right,
        y_max=100,
    )


def _people_over_errors(predicted, figures, other):
    """The people over their mean error, if a unit was named."""
    if not predicted.reference:
        return ""
    unit = predicted.unit
    rows = [(figures["method"], figures), ("mean pose", figures["mean_pose"])]
    if other and _OF_PEOPLE in other.figures:
        rows.append((other.label, other.figures))
    drawn = [
        chart.Line(
            f"{label}: NME {row['NME']:.2f}", unit.thresholds, row[_OF_PEOPLE]
        )
        for label, row in rows
    ]
    return "<h2>People over their mean error</h2>" + chart.lines(
        drawn,
        x_label=f"mean error of a person, {unit.words}",
        y_label="people within, %",
        x_max=unit.right,
        y_max=100,
    )


def _kinds(figures, names, unit):
    """The kinds of errors of each joint."""
    rows, classes = [], []
    for name, row in figures["kinds"].items():
        bar = "".join(
            f'<i style="width:{row[kind]:.2f}%;background:{colour}"></i>'
            for kind, colour in _COLOURS.items()
        )
        cells = [f"{row[kind]:.1f}" for kind in diagnosis.KINDS]
        rows.append(
            [
                name,
                row["joints"],
                f"{row['median']:.3f}",
                f"{row['score']:.2f}",
                *cells,
                page.Html(f'<div class="bar">{bar}</div>'),
            ]
        )
        classes.append(
            "" if name == "all" else gallery.of_joint(names.index(name))
        )
    head = ["joint", "labelled", f"median error, {unit.words}", "mean score"]
    distances = {"good": diagnosis.GOOD * unit.right, "right": unit.right}
    legend = " ".join(
        f'<span><i style="background:{colour}"></i>{kind}: '
        f"{html.escape(_MEANING[kind].format(**distances))}</span>"
        for kind, colour in _COLOURS.items()
    )
    return (
        '<h2>Errors per joint and kind</h2><p class="note">Percentages of the '
        f"labelled joints; distances from the truth in "
        f"{html.escape(unit.words)}.</p>"
        f'<p class="legend">{legend}</p>'
        + page.table(
            [*head, *diagnosis.KINDS, "kinds"], rows, classes, kind="numbers"
        )
    )


def _slices(figures, unit):
    """PCKh of people by size, labelled joints and truncation."""
    rows = []
    for name, parts in figures["slices"].items():
        for label, row in parts.items():
            bar = f'<b style="width:{row[unit.figures[0]]:.2f}%"></b>'
            rows.append(
                [
                    f"{name}: {label}",
                    row["people"],
                    row["joints"],
                    *[f"{row[each]:.1f}" for each in unit.figures],
                    page.Html(f'<div class="bar">{bar}</div>'),
                ]
            )
    first = f"{unit.figures[0]} as a bar"
    head = ["slice", "people", "joints", *unit.figures, first]
    return (
        f'<h2>Slices</h2><p class="note">{figures["metric"]} in percent, of '
        "parts of the people. Sizes are thirds of the people.</p>"
        + page.table(head, rows, kind="numbers")
    )


def _calibration(predicted, figures, variants):
    """Charts of reliability and of coverage; empty without scores."""
    charts = []
    if variants:
        unit = predicted.unit
        label = f"share right, {unit.metric}@{unit.right:g}"
        drawn = [
            chart.Line(
                f"{name.replace('_', ' ')}: calibration error "
                f"{figures['scores'][name]['calibration_error']:.3f}",
                *reliability.diagram(predicted, scores)[1:],
                dots=True,
            )
            for name, scores in variants.items()
        ]
        charts.append(
            f'<div><h2>Reliability of the scores</h2><p class="note">{_SCORES}'
            "</p>"
            + chart.lines(drawn, x_label="score", y_label=label, diagonal=True)
            + "</div>"
        )
    if figures["coverage"]:
        counted = list(figures["coverage"].values())
        wanted = [float(share) for share in figures["coverage"]]
        charts.append(
            '<div><h2>Coverage of the covariances</h2><p class="note">'
            f"{_COVERAGE}</p>"
            + chart.lines(
                [chart.Line("all joints", wanted, counted, dots=True)],
                x_label="share that an ellipse should hold",
                y_label="share of true joints inside",
                diagonal=True,
            )
            + "</div>"
        )
    return f'<div class="charts">{"".join(charts)}</div>'


def _people(people, skeleton, predicted, errors):
    """Best, median and worst people."""
    drawn, last = [], ""
    each = predicted.errors()
    for part, i, picture in people:
        heading = part if part in ("best", "median", "worst") else "all"
        if heading != last:
            drawn.append("</div>" if last else "")
            drawn.append(f"<h3>{heading.capitalize()}</h3>")
            drawn.append('<div class="people">')
            last = heading
        words = f"score {predicted.scores[i].mean():.2f}"
        if errors is not None and not np.isnan(errors[i]):
            words = f"error {errors[i]:.{predicted.unit.digits}f}, {words}"
        button = gallery.drawing(picture, predicted, i, skeleton)
        drawn.append(
            gallery.figure(button, predicted, i, skeleton, each[i], words)
        )
    order = (
        f"by the mean error of a person's joints, in "
        f"{html.escape(predicted.unit.words)}"
        if errors is not None
        else "by the mean score, as no joint is labelled"
    )
    return (
        f"<h2>People</h2><p>Ordered {order}.</p>"
        + gallery.legend(predicted=True)
        + "".join(drawn)
        + ("</div>" if last else "")
    )
