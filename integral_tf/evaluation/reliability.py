"""How well scores predict whether joints are right: figures, a table, a plot.

A joint is right within the largest threshold of the unit of errors: by PCKh@0.5
within half a head. A calibrated score is the probability of that.

Shape letter: M labelled joints.
"""

import os
from typing import Any

import keras
import matplotlib.figure
import numpy as np

from integral_tf import former
from integral_tf import layers
from integral_tf import metrics
from integral_tf.evaluation.predictions import Predictions
from integral_tf.metrics import fitting
from integral_tf.models import reading

_FEWEST = 10  # bins with fewer joints are not drawn


def variants(
    model: keras.Model, predicted: Predictions
) -> dict[str, np.ndarray]:
    """The scores of the labelled joints, before and after calibration.

    Args:
        model: The pose model.
        predicted: Its `predictions.Predictions`.

    Returns:
        Dict from a name to `(M,)` scores:

        uncalibrated: the scores with the model's calibration undone (after a
            flip test, of the averaged score); only for a calibrated model.
        as_given: the model's scores.
        cross_fitted: the first of these, calibrated for each half of the
            people on the other half.
    """
    errors = predicted.errors()
    known = ~np.isnan(errors)
    hits = (errors <= predicted.unit.right)[known]
    del errors  # the largest array here
    # NaN becomes the least score.
    given = {"as_given": np.nan_to_num(predicted.scores[known])}
    for layer in reading.score_layers(model):
        # The inverse of a slope and an offset is another slope and offset.
        back = layers.ScoreCalibration(
            1 / layer.slope, -layer.offset / layer.slope
        )
        raw = np.asarray(back(given["as_given"]))
        given = {"uncalibrated": raw, **given}
    # Images' numbers in order, of which every second is in a half.
    odd = np.unique(predicted.image_id, return_inverse=True)[1] % 2 == 1
    people = np.broadcast_to(odd[:, None], known.shape)[known]
    first = next(iter(given.values()))
    fitted = fitting.cross_fitted(first, hits, people)
    return {**given, "cross_fitted": fitted}


def figures(
    predicted: Predictions, variants: dict[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Figures of each variant of the scores.

    Args:
        predicted: `predictions.Predictions`.
        variants: The result of `variants`.

    Returns:
        Dict from a variant's name to a dict of `spearman`, Spearman's
        correlation of score and error (-1 to 1; negative if the error falls
        with a rising score), and `calibration_error`, the expected calibration
        error (0 to 1).
    """
    errors = _known(predicted)
    return {
        name: {
            "spearman": metrics.spearman(scores, errors),
            "calibration_error": metrics.calibration_error(
                scores, errors <= predicted.unit.right
            ),
        }
        for name, scores in variants.items()
    }


def table(evaluated: dict) -> str:
    """A Markdown table of `figures`.

    Args:
        evaluated: Figures of an evaluation; `scores` has those of `figures`.
    """
    lines = [
        "Scores of the joints: Spearman's correlation with the error, and "
        "expected calibration error",
        "",
        "| Scores | correlation | calibration error |",
        "|---|---|---|",
    ]
    for name, row in evaluated["scores"].items():
        lines.append(
            f"| {name.replace('_', ' ')} | {row['spearman']:.3f} "
            f"| {row['calibration_error']:.3f} |"
        )
    return "\n".join(lines)


def plot(
    predicted: Predictions,
    variants: dict[str, np.ndarray],
    path: str | os.PathLike,
) -> None:
    """Plots the fraction of right joints, and their error, over the score.

    Args:
        predicted: `predictions.Predictions`.
        variants: The result of `variants`.
        path: PNG to write.
    """
    errors, unit = _known(predicted), predicted.unit
    figure = matplotlib.figure.Figure(figsize=(9, 4.5), dpi=100)
    grid = figure.add_gridspec(2, 2, height_ratios=(4, 1))
    left = figure.add_subplot(grid[0, 0])
    below = figure.add_subplot(grid[1, 0], sharex=left)
    right = figure.add_subplot(grid[:, 1])
    left.plot([0, 1], [0, 1], ":", color="grey")
    for name, scores in variants.items():
        error = metrics.calibration_error(scores, errors <= unit.right)
        label = f"{name.replace('_', ' ')}: ECE {error:.3f}"
        counts, *points = diagram(predicted, scores)
        left.plot(*points, "o-", ms=4, label=label)
        below.stairs(counts, np.linspace(0, 1, len(counts) + 1))
    left.set_ylabel(f"share right, {unit.metric}@{unit.right:g}")
    left.set_ylim(0, 1)
    left.tick_params(labelbottom=False)
    left.legend(fontsize=8)
    below.set_xlabel("score")
    below.set_xlim(0, 1)
    below.set_ylabel("joints")
    given = variants["as_given"]
    quartiles(right, given, errors)
    correlation = metrics.spearman(given, errors)
    right.set_title(f"Spearman's correlation {correlation:.2f}", fontsize=10)
    right.set_xlabel("score as given, ten bins of equal count")
    right.set_ylabel(f"error, {unit.words}: median and quartiles")
    right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


def diagram(
    predicted: Predictions, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The points of a reliability diagram.

    Args:
        predicted: `predictions.Predictions`.
        scores: `(M,)` a variant of the scores.

    Returns:
        As `metrics.reliability`. The fraction of right joints is NaN in a bin
        of few joints, because it is too uncertain.
    """
    counts, means, shares = metrics.reliability(
        scores, _known(predicted) <= predicted.unit.right
    )
    return counts, means, np.where(counts < _FEWEST, np.nan, shares)


def quartiles(
    axes: Any, values: np.ndarray, errors: np.ndarray, bins: int = 10
) -> None:
    """Draws the median and the quartiles of errors over bins of values.

    Args:
        axes: Matplotlib axes to draw on.
        values: `(M,)` values on the x axis; a bin lies at its median.
        errors: `(M,)` errors on the y axis.
        bins: Number of bins, each with the same number of joints.
    """
    parts = np.array_split(np.argsort(values, kind="stable"), bins)
    parts = [part for part in parts if len(part)]
    places = [np.median(values[part]) for part in parts]
    rows = [np.percentile(errors[part], (25, 50, 75)) for part in parts]
    low, middle, high = np.reshape(rows, (-1, 3)).T
    axes.fill_between(places, low, high, alpha=0.2)
    axes.plot(places, middle, "o-", ms=4)


def _known(predicted):
    errors = predicted.errors()
    return errors[~np.isnan(errors)]


__getattr__ = former.names(__name__)
