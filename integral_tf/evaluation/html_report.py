"""The page of an evaluation, `report.html`: one file that loads nothing.

A filter by joint shows a joint's rows, curve and errors alone. Whatever belongs
to joint k has the class `jk`; with the class `only`, too, it is hidden until
the joint is chosen.
"""

from __future__ import annotations

import html
import os

import numpy as np

from integral_tf import metrics
from integral_tf import skeletons
from integral_tf.evaluation import chart
from integral_tf.evaluation import diagnosis
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
_SCRIPT = """
const chosen = document.getElementById("joint");
const style = document.head.appendChild(document.createElement("style"));
chosen.onchange = () => {
  const k = chosen.value;
  style.textContent = k === "" ? "" :
    `.j:not(.j${k}) { display: none; } .only.j${k} { display: revert; }`;
};
"""


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
        parts.append(_filter(names))
    parts += ["<h2>Figures</h2>", *map(page.markdown, tables)]
    if "comparison" in figures:  # the last of the tables
        parts.insert(-1, "<h2>Difference of two evaluations</h2>")
    if predicted.is_labelled:
        parts += [
            _curves(predicted, figures, names, other),
            _kinds(figures, names, predicted.unit),
            _slices(figures),
            _calibration(predicted, figures, variants),
        ]
    parts.append(_people(people, skeleton, predicted, figures, errors))
    with open(path, "w", encoding="utf-8") as file:
        file.write(page.document(title, parts, _SCRIPT))


def _protocol(figures):
    model = html.escape(str(figures["model"]))
    settings = ", ".join(
        f"{name}={value}" for name, value in figures["protocol"].items()
    )
    return f"<p>Model: {model}. Settings: {html.escape(settings)}</p>"


def _filter(names):
    options = "".join(
        f'<option value="{k}">{html.escape(name)}</option>'
        for k, name in enumerate(names)
    )
    return (
        '<p class="filter"><label>Joint: <select id="joint"><option value="">'
        f"all</option>{options}</select></label> A joint's rows and curve, and "
        "rings at its truth (white) and its prediction (pink).</p>"
    )


def _of(k, *more):
    return " ".join((*more, "j", f"j{k}"))


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
                    group=_of(k, "only"),
                )
            )
    return "<h2>Curves over alpha</h2>" + chart.lines(
        drawn,
        x_label="alpha",
        y_label=f"{metric}@alpha, %",
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
        classes.append("" if name == "all" else _of(names.index(name)))
    head = ["joint", "labelled", f"median error, {unit}", "mean score"]
    legend = " ".join(
        f'<span><i style="background:{colour}"></i>{kind}: '
        f"{html.escape(_MEANING[kind])}</span>"
        for kind, colour in _COLOURS.items()
    )
    return (
        "<h2>Errors per joint and kind</h2><p>Percentages of the labelled "
        f"joints; distances from the truth in {unit}.</p>"
        f'<p class="legend">{legend}</p>'
        + page.table(
            [*head, *diagnosis.KINDS, ""], rows, classes, kind="numbers"
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
    head = ["people", "number", "joints", *diagnosis.FIGURES, "@0.5"]
    return (
        f"<h2>Slices</h2><p>{figures['metric']} in percent. Sizes are thirds "
        "of the people.</p>" + page.table(head, rows, kind="numbers")
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
            "<div><h2>Reliability of the scores</h2>"
            + chart.lines(drawn, x_label="score", y_label=label, diagonal=True)
            + "</div>"
        )
    if figures["coverage"]:
        counted = list(figures["coverage"].values())
        wanted = [float(share) for share in figures["coverage"]]
        charts.append(
            "<div><h2>Coverage of the covariances</h2>"
            + chart.lines(
                [chart.Line("all joints", wanted, counted, dots=True)],
                x_label="share that an ellipse should hold",
                y_label="share of true joints inside",
                diagonal=True,
            )
            + "</div>"
        )
    return f'<div class="charts">{"".join(charts)}</div>'


def _people(people, skeleton, predicted, figures, errors):
    """Best, median and worst people."""
    drawn, last = [], ""
    each = predicted.errors()
    for part, i, picture in people:
        heading = part if part in ("best", "median", "worst") else "all"
        if heading != last:
            drawn += ["</div>" if last else "", f"<h3>{heading.capitalize()}"]
            drawn.append('</h3><div class="people">')
            last = heading
        drawn.append(_person(picture, predicted, i, skeleton, each[i]))
    order = (
        f"by the mean error of a person's joints, in {predicted.unit}"
        if errors is not None
        else "by the mean score, as no joint is labelled"
    )
    return (
        f"<h2>People</h2><p>Ordered {order}. The truth is white; of the "
        "prediction, left is blue, right orange, the middle green.</p>"
        + "".join(drawn)
        + ("</div>" if last else "")
    )


def _person(picture, predicted, i, skeleton, errors):
    """The figure of one person, with rings and errors for the filter."""
    known = ~np.isnan(errors)
    mean = f"error {errors[known].mean():.2f}, " if known.any() else ""
    name = predicted.source_id[i].decode(errors="replace")
    caption = [
        f"{html.escape(name)}, image {predicted.image_id[i]}: {mean}score "
        f"{predicted.scores[i].mean():.2f}"
    ]
    rings = []
    points = report.on_tile(predicted.joints[i], picture)
    truth = report.on_tile(predicted.truth[i], picture)
    for k in np.flatnonzero(known & np.isfinite(points).all(axis=-1)):
        (a, b), (c, d) = truth[k], points[k]
        rings.append(
            f'<g class="{_of(k, "only")}"><line x1="{a:.1f}" y1="{b:.1f}" '
            f'x2="{c:.1f}" y2="{d:.1f}"/><circle cx="{c:.1f}" cy="{d:.1f}" '
            f'r="7"/><circle class="truth" cx="{a:.1f}" cy="{b:.1f}" r="7"/>'
            "</g>"
        )
        caption.append(
            f'<span class="{_of(k, "only")}">'
            f"{html.escape(skeleton.joints[k])} {errors[k]:.2f}, score "
            f"{predicted.scores[i, k]:.2f}</span>"
        )
    tile = report.tile(picture, predicted, i, skeleton)
    return (
        f'<figure><img alt="" src="{page.jpeg(tile)}">'
        f'<svg class="over" viewBox="0 0 {report.TILE} {report.TILE}">'
        f"{''.join(rings)}</svg><figcaption>{' '.join(caption)}</figcaption>"
        "</figure>"
    )
