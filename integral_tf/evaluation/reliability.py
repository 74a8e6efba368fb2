"""Whether a model's scores mean what they say: figures, a table, a plot.

A score is the chance that its joint is right, PCKh@0.5: within half a head,
or half of what stands for one.
"""

import matplotlib.figure
import numpy as np

from integral_tf import layers
from integral_tf import metrics
from integral_tf.metrics import fitting
from integral_tf.models import reading

RIGHT = 0.5
_FEWEST = 10  # joints that a bin is drawn for


def ways(model, seen):
    """The scores of the labelled joints, before and after calibration.

    Args:
        model: The pose model.
        seen: Its `predictions.Predictions`.

    Returns:
        Dict from a name to `(M,)` scores. `as_given` are the model's own. A
        calibrated model has `uncalibrated` before them; after a flip test,
        that is the confidence of the averaged score. `cross_fitted` is each
        half of the people by a calibration to the other half.
    """
    errors = seen.errors()
    known = ~np.isnan(errors)
    # A score that is not a number says nothing.
    given = {"as_given": np.nan_to_num(seen.scores[known])}
    for layer in reading.score_layers(model):
        # A logit's slope and offset are taken back by such another pair.
        back = layers.ScoreCalibration(
            1 / layer.slope, -layer.offset / layer.slope
        )
        raw = np.asarray(back(given["as_given"]))
        given = {"uncalibrated": raw, **given}
    people = np.broadcast_to(seen.image_id[:, None], known.shape)[known]
    first = next(iter(given.values()))
    fitted = fitting.cross_fitted(first, errors[known] <= RIGHT, people)
    return {**given, "cross_fitted": fitted}


def figures(seen, ways):
    """Of each of `ways`: Spearman's correlation with the error, and the ECE.

    Returns:
        Dict from its name to `spearman`, -1 to 1 and negative where the error
        falls as the score rises, and `calibration_error`, 0 to 1.
    """
    errors = _known(seen)
    return {
        name: {
            "spearman": metrics.spearman(scores, errors),
            "calibration_error": metrics.calibration_error(
                scores, errors <= RIGHT
            ),
        }
        for name, scores in ways.items()
    }


def table(evaluated):
    """A Markdown table of `figures`, from all figures of an evaluation."""
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


def plot(seen, ways, metric, path):
    """Plots how often scores come true, and the error over the score.

    Args:
        seen: `predictions.Predictions`.
        ways: As `ways` gives them.
        metric: `"PCKh"` or `"PCK"`.
        path: PNG to write.
    """
    errors = _known(seen)
    figure = matplotlib.figure.Figure(figsize=(9, 4.5), dpi=100)
    grid = figure.add_gridspec(2, 2, height_ratios=(4, 1))
    left = figure.add_subplot(grid[0, 0])
    below = figure.add_subplot(grid[1, 0], sharex=left)
    right = figure.add_subplot(grid[:, 1])
    left.plot([0, 1], [0, 1], ":", color="grey")
    for name, scores in ways.items():
        counts, means, shares = metrics.reliability(scores, errors <= RIGHT)
        error = metrics.calibration_error(scores, errors <= RIGHT)
        label = f"{name.replace('_', ' ')}: ECE {error:.3f}"
        # A handful of joints says nothing.
        shares = np.where(counts < _FEWEST, np.nan, shares)
        left.plot(means, shares, "o-", ms=4, label=label)
        below.stairs(counts, np.linspace(0, 1, len(counts) + 1))
    left.set_ylabel(f"share right, {metric}@{RIGHT}")
    left.set_ylim(0, 1)
    left.tick_params(labelbottom=False)
    left.legend(fontsize=8)
    below.set_xlabel("score")
    below.set_xlim(0, 1)
    below.set_ylabel("joints")
    given = ways["as_given"]
    quartiles(right, given, errors)
    correlation = metrics.spearman(given, errors)
    right.set_title(f"Spearman's correlation {correlation:.2f}", fontsize=10)
    right.set_xlabel("score as given, ten bins of equal count")
    unit = "heads" if metric == "PCKh" else "tenths of the box"
    right.set_ylabel(f"error, {unit}: median and quartiles")
    right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


def quartiles(axes, values, errors, bins=10):
    """Draws the median and the quartiles of errors over bins of values.

    Args:
        axes: Matplotlib's, to draw on.
        values: `(M,)` what is on the x axis; each bin stands at its median.
        errors: `(M,)`.
        bins: How many, with equally many joints.
    """
    parts = np.array_split(np.argsort(values, kind="stable"), bins)
    parts = [part for part in parts if len(part)]
    places = [np.median(values[part]) for part in parts]
    rows = [np.percentile(errors[part], (25, 50, 75)) for part in parts]
    low, middle, high = np.reshape(rows, (-1, 3)).T
    axes.fill_between(places, low, high, alpha=0.2)
    axes.plot(places, middle, "o-", ms=4)


def _known(seen):
    errors = seen.errors()
    return errors[~np.isnan(errors)]
