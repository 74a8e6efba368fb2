"""Tables, the curve of Figure 3, and a sheet of people, for an evaluation."""

import os
from typing import Any

import cv2
import matplotlib.figure
import numpy as np

from integral_tf import coordinates
from integral_tf import metrics
from integral_tf import skeletons
from integral_tf import units
from integral_tf.evaluation.predictions import Predictions
from integral_tf.inference import draw
from integral_tf.pipeline import batches
from integral_tf.records.folder import Records
from integral_tf.signatures import ArrayLike

TILE = 240  # pixels of a drawn person's side
_PEOPLE, _COLUMNS = 12, 6  # drawn of each part; in a row of the sheet
_BOX = (255, 230, 60)
LEGEND = "truth: white; prediction: left blue, right orange, middle green"
# A part, a position in the predictions, and the window and its `to_image`.
Shown = tuple[str, int, tuple[np.ndarray, np.ndarray]]


def table(metric: str, rows: list[tuple[str, Any]]) -> str:
    """A Markdown table: @0.5, @0.1, AUC and the groups at 0.5, in percent.

    Other thresholds of a `metrics.Pckh` take the place of 0.5 and 0.1.

    Args:
        metric: Name of the metric and number of people, for the first line.
        rows: List of a label and either a `metrics.Pckh` or the paper's
            `(@0.5, @0.1, AUC)`.
    """
    alphas, groups = next(
        (list(s.at), list(s.groups[max(s.at)]))
        for _, s in rows
        if hasattr(s, "groups")
    )
    names = [f"@{alpha:g}" for alpha in alphas]
    lines = [
        metric,
        "",
        "| " + " | ".join(["", *names, "AUC", *groups]) + " |",
        "|---" * (2 + len(names) + len(groups)) + "|",
    ]
    for label, score in rows:
        values, columns = score, {}
        if hasattr(score, "groups"):
            values = *score.at.values(), score.auc
            columns = score.groups[max(score.at)]
        cells = [f"{v:.1f}" for v in values]
        cells += [f"{columns[g]:.1f}" if g in columns else "" for g in groups]
        lines.append("| " + " | ".join([label, *cells]) + " |")
    return "\n".join(lines)


def nme_table(people: str, rows: list[tuple[str, metrics.Nme]]) -> str:
    """A Markdown table of NME, failure rate and AUC, in percent.

    Args:
        people: What was scored, in words, for the first line.
        rows: List of a label and a `metrics.Nme`, all of one threshold.
    """
    threshold = rows[0][1].threshold
    lines = [
        people,
        "",
        f"| | NME | FR@{threshold:g} | AUC@{threshold:g} |",
        "|---" * 4 + "|",
    ]
    for label, found in rows:
        lines.append(
            f"| {label} | {found.nme:.2f} | {found.failure_rate:.2f} "
            f"| {found.auc:.1f} |"
        )
    return "\n".join(lines)


def ap_table(people: str, rows: list[tuple[str, dict[str, float]]]) -> str:
    """A Markdown table of COCO's figures in percent, as Table 8 has them.

    Args:
        people: What was scored, in words, for the first line.
        rows: List of a label and a dict from AP, AP50, ... to a figure in 0..1;
            -1, for nobody to find, is left blank.
    """
    names = list(rows[0][1])
    lines = [
        people,
        "",
        "| " + " | ".join(["", *names]) + " |",
        "|---" * (1 + len(names)) + "|",
    ]
    for label, figures in rows:
        cells = [
            f"{100 * figures[name]:.1f}" if figures.get(name, -1) >= 0 else ""
            for name in names
        ]
        lines.append("| " + " | ".join([label, *cells]) + " |")
    return "\n".join(lines)


def plot_curves(
    scores: dict[str, dict], unit: units.Unit, path: str | os.PathLike
) -> None:
    """Plots PCKh over alpha as Figure 3 does.

    Args:
        scores: Dict from a label to figures as in `metrics.json`: `AUC`, and
            `curve`, PCKh at each of `unit.thresholds`.
        unit: The `units.Unit` of the figures.
        path: PNG to write.
    """
    figure = matplotlib.figure.Figure(figsize=(5, 4), dpi=150)
    axes = figure.subplots()
    for label, score in scores.items():
        axes.plot(
            unit.thresholds,
            score["curve"],
            label=f"{label}: AUC {score['AUC']:.1f}",
        )
    axes.set_xlabel(f"alpha, {unit.words}")
    axes.set_ylabel(f"{unit.metric}@alpha, %")
    axes.set_xlim(0, unit.right)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def shown(
    records: Records,
    split: str,
    predicted: Predictions,
    errors: np.ndarray | None,
) -> list[Shown]:
    """The best, the median and the worst people of a split, to be drawn.

    Without truth, the people with the highest scores are the best. If there are
    few people, all are there once.

    Args:
        records, split: The `Records` and the split of the predictions.
        predicted: `predictions.Predictions`.
        errors: `(N,)` mean error of each person in reference lengths; people
            with NaN are left out. None without truth.
    """
    chosen = _people(predicted, errors)
    pictures = _windows(records, split, {i for _, i in chosen})
    return [(part, i, pictures[i]) for part, i in chosen]


def sheet(
    people: list[Shown],
    predicted: Predictions,
    skeleton: skeletons.Skeleton,
    columns: int = _COLUMNS,
    *,
    errors: np.ndarray | None = None,
) -> np.ndarray:
    """Draws people in rows, each with a caption, below a legend.

    Args:
        people: From `shown`, or other people with a name in place of the part.
        predicted: `predictions.Predictions`.
        skeleton: The `skeletons.Skeleton`.
        columns: People in a row.
        errors: `(N,)` errors of the people; None takes their mean errors.

    Returns:
        `(H, W, 3)` uint8 RGB.
    """
    sureness = predicted.scores.mean(axis=1)
    errors = predicted.mean_errors() if errors is None else errors
    tiles, captions = [], []
    for part, i, picture in people:
        tiles.append(tile(picture, predicted, i, skeleton))
        captions.append(
            f"{part}: score {sureness[i]:.2f}"
            if np.isnan(errors[i])
            else f"{part}: error {errors[i]:.{predicted.unit.digits}f}"
        )
    heading = f"{LEGEND}; error in {predicted.unit.words}"
    return draw.sheet(
        tiles, captions, min(columns, len(tiles)), TILE, heading=heading
    )


def _people(predicted, errors):
    """Pairs of "best", "median" or "worst" and a position in `predicted`.

    If there are few people, each is there once, with its rank.
    """
    rank = -predicted.scores.mean(axis=1) if errors is None else errors
    order = np.argsort(rank)[: np.isfinite(rank).sum()].tolist()
    if len(order) <= 3 * _PEOPLE:
        return [
            (f"{place} of {len(order)}", i) for place, i in enumerate(order, 1)
        ]
    middle = len(order) // 2 - _PEOPLE // 2
    return [
        *[("best", i) for i in order[:_PEOPLE]],
        *[("median", i) for i in order[middle : middle + _PEOPLE]],
        *[("worst", i) for i in order[-_PEOPLE:]],
    ]


def _windows(records, split, indices):
    """Dict from an index to a person's window and `to_image`.

    Pictures without anybody are not counted.
    """
    found, place = {}, 0
    for batch in batches.eval_batches(records, split, 64).as_numpy_iterator():
        for i in np.flatnonzero(batch["negative"] == 0):
            if place in indices:
                found[place] = batch["windows"][i], batch["to_image"][i]
            place += 1
    return found


def tile(
    picture: tuple[np.ndarray, np.ndarray],
    predicted: Predictions,
    i: int,
    skeleton: skeletons.Skeleton,
    side: int = TILE,
    *,
    colour: tuple[int, int, int] | None = draw.TRUTH,
    box: bool = False,
) -> np.ndarray:
    """The enlarged middle of a window, with a person's truth and prediction.

    Args:
        picture: The window and its `to_image`.
        predicted: `predictions.Predictions`.
        i: The person's position in `predicted`.
        skeleton: The `skeletons.Skeleton`.
        side: Pixels of the result's side.
        colour: RGB colour of the truth; None draws left blue, right orange.
        box: Draw the person's box, too, in yellow.

    Returns:
        `(side, side, 3)` uint8 RGB.
    """
    window, _ = picture
    margin = _margin(window)
    middle = window[margin:-margin, margin:-margin]
    drawn = cv2.resize(middle, (side, side), interpolation=cv2.INTER_CUBIC)
    if box:
        x, y, width, height = predicted.box[i]
        ends = on_tile([[x, y], [x + width, y + height]], picture, side)
        corners = np.rint(ends).astype(int).tolist()
        cv2.rectangle(drawn, *corners, _BOX, side // 200 + 1)
    truth = on_tile(predicted.truth[i], picture, side)
    drawn = draw.pose(drawn, truth, predicted.visible[i], skeleton, colour)
    everything = np.ones(len(skeleton))
    joints = on_tile(predicted.joints[i], picture, side)
    return draw.pose(drawn, joints, everything, skeleton)


def on_tile(
    points: ArrayLike,
    picture: tuple[np.ndarray, np.ndarray],
    side: int = TILE,
) -> np.ndarray:
    """Maps `(K, 2)` image points to the `tile` of a window."""
    window, to_image = picture
    margin = _margin(window)
    inside = coordinates.unscale(np.asarray(points), to_image) - margin
    scale = side / (window.shape[0] - 2 * margin)
    return coordinates.heatmap_to_crop(inside, scale)


def _margin(window):
    # The margins of a window are for augmentation; the person needs less.
    return window.shape[0] // 7
