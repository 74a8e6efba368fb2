"""The page of an evaluation, `report.html`: one file that loads nothing.

A filter by joint shows a joint's rows, curve and errors alone (`gallery`).
"""

from __future__ import annotations

import html
import os

import numpy as np

from integral_tf import metrics
from integral_tf import skeletons
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
    "good": f"within {diagnosis.GOOD}",
    "jitter": f"within {diagnosis.RIGHT}",
    "swapped": f"within {diagnosis.RIGHT} of the joint's other side",
    "mirrored": "swapped, in a person with left and right exchanged",
    "missing": "no answer is near",
}
# What a stranger to this metric has to know, before the figures.
_FIGURES = (
    "{metric}@0.5 is the percentage of labelled joints that are predicted "
    "within 0.5 {unit} of their truth, {metric}@0.1 within 0.1; AUC is the "
    "mean of {metric} over distances from 0 to 0.5. The mean pose is one and "
    "the same pose, placed in each box: a model that sees nothing."
)
_NO_HEADS = (
    " No head is annotated: a tenth of the longer side of a person's box "
    "stands for the head."
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
        words = _FIGURES.format(metric=figures["metric"], unit=predicted.unit)
        if predicted.unit != "heads":
            words += _NO_HEADS
        parts.append(f'<p class="note">{words}</p>')
    parts += map(page.markdown, tables)
    if "comparison" in figures:  # the last of the tables
        parts.insert(-1, "<h2>Difference of two evaluations</h2>")
    if predicted.is_labelled:
        parts += [
            _curves(predicted, figures, names, other),
            _kinds(figures, names, predicted.unit),
            _slices(figures),
            _calibration(predicted, figures, variants),
        ]
    parts += [_people(people, skeleton, predicted, errors), gallery.LARGE]
    with open(path, "w", encoding="utf-8") as file:
        file.write(page.document(title, parts, gallery.SCRIPT))


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
    metric = figures["metric"]
    rows = [(figures["method"], figures), ("mean pose", figures["mean_pose"])]
    if other:
        rows.append((other.label, other.figures))
    drawn = [
        chart.Line(
            f"{label}: AUC {row['AUC']:.1f}", metrics.ALPHAS, row["curve"]
        )
        for label, row in rows
    ]
    errors = predicted.errors()
    for k, name in enumerate(names):
        known = errors[:, k][~np.isnan(errors[:, k])]
        if known.size:
            near = known[:, None] <= metrics.ALPHAS
            drawn.append(
                chart.Line(
                    name,
                    metrics.ALPHAS,
                    100 * near.mean(axis=0),
                    group=gallery.of_joint(k, "only"),
                )
            )
    return "<h2>Curves over alpha</h2>" + chart.lines(
        drawn,
        x_label=f"alpha: distance from the truth, {predicted.unit}",
        y_label=f"{metric}@alpha: joints within, %",
        x_max=0.5,
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
    head = ["joint", "labelled", f"median error, {unit}", "mean score"]
    legend = " ".join(
        f'<span><i style="background:{colour}"></i>{kind}: '
        f"{html.escape(_MEANING[kind])}</span>"
        for kind, colour in _COLOURS.items()
    )
    return (
        '<h2>Errors per joint and kind</h2><p class="note">Percentages of the '
        f"labelled joints; distances from the truth in {unit}.</p>"
        f'<p class="legend">{legend}</p>'
        + page.table(
            [*head, *diagnosis.KINDS, "kinds"], rows, classes, kind="numbers"
        )
    )


def _slices(figures):
    """PCKh of people by size, labelled joints and truncation."""
    rows = []
    for name, parts in figures["slices"].items():
        for label, row in parts.items():
            bar = f'<b style="width:{row["@0.5"]:.2f}%"></b>'
            rows.append(
                [
                    f"{name}: {label}",
                    row["people"],
                    row["joints"],
                    *[f"{row[each]:.1f}" for each in diagnosis.FIGURES],
                    page.Html(f'<div class="bar">{bar}</div>'),
                ]
            )
    head = ["slice", "people", "joints", *diagnosis.FIGURES, "@0.5 as a bar"]
    return (
        f'<h2>Slices</h2><p class="note">{figures["metric"]} in percent, of '
        "parts of the people. Sizes are thirds of the people.</p>"
        + page.table(head, rows, kind="numbers")
    )


def _calibration(predicted, figures, variants):
    """Charts of reliability and of coverage; empty without scores."""
    charts = []
    if variants:
        label = f"share right, {figures['metric']}@{reliability.RIGHT}"
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
            words = f"error {errors[i]:.2f}, {words}"
        button = gallery.drawing(picture, predicted, i, skeleton)
        drawn.append(
            gallery.figure(button, predicted, i, skeleton, each[i], words)
        )
    order = (
        f"by the mean error of a person's joints, in {predicted.unit}"
        if errors is not None
        else "by the mean score, as no joint is labelled"
    )
    return (
        f"<h2>People</h2><p>Ordered {order}.</p>"
        + gallery.legend(predicted=True)
        + "".join(drawn)
        + ("</div>" if last else "")
    )
