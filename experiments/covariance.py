r"""Calibrates the covariances of a run's heat maps against its errors.

    python experiments/covariance.py --workdir=runs/i1 --out=runs/i1_covariance

The run's method is I1, I2, I3 or I*. The people are those of the validation
split of `--data`, or of the run's own records. Errors and covariances are in
crop pixels. Files in OUT, a new folder:

    covariance.md   fraction of true joints inside ellipses, before and after
    covariance.png  the same, and the error over the predicted error
"""

import dataclasses
import pathlib
import sys

import matplotlib.figure
import numpy as np

from integral_tf import commands
from integral_tf import layers
from integral_tf import metrics
from integral_tf import runs
from integral_tf import settings
from integral_tf import whole
from integral_tf.evaluation import predictions
from integral_tf.evaluation import reliability
from integral_tf.inference import keras_backend
from integral_tf.metrics import fitting
from integral_tf.models import loading
from integral_tf.models import reading
from integral_tf.settings import setting

SHARES = np.arange(1, 20) / 20  # nominal probabilities of ellipses
SHOWN = (0.5, 0.8, 0.9, 0.95)


@dataclasses.dataclass(frozen=True)
class CovarianceConfig(settings.Checked):
    """A run, records, and the folder to write."""

    workdir: str = setting("", "Folder of the run.", required=True)
    data: str = setting("", "Folder of records; empty takes the run's own.")
    out: str = setting("", "Folder to write.", required=True)


CONFIG = CovarianceConfig


def observe(model, records):
    """Errors and covariances of the validation split's labelled joints.

    Args:
        model: A pose model with an integral.
        records: The `Records`.

    Returns:
        `(M, 2)` errors, truth minus prediction, and `(M, 2, 2)` covariances,
        both in the crop frame; and `(M,)` numbers of the images.

    Raises:
        ValueError: the model has no integral.
    """
    if not reading.integrals_of(model):
        raise ValueError(
            "A covariance is that of a map which an integral reads, as in I1, "
            f"I2, I3 and I*. Received: {model.name}"
        )
    loading.check_skeleton(model, records.skeleton)
    estimate = keras_backend.with_covariance(model)
    observer, rows = predictions.Observer(estimate, records.skeleton), []
    for people, crops, outputs in observer(records, "val", 64):
        known = np.asarray(crops["visible"]) > 0
        errors = np.asarray(crops["joints"]) - np.asarray(outputs["joints"])
        images = np.broadcast_to(people["image_id"][:, None], known.shape)
        covariances = np.asarray(outputs["covariance"])
        rows.append((errors[known], covariances[known], images[known]))
    return [np.concatenate(column) for column in zip(*rows)]


def judged(layer, errors, covariances):
    """Compares calibrated covariances with errors.

    Args:
        layer: A `layers.CovarianceCalibration`.
        errors: `(M, 2)` in crop pixels.
        covariances: `(M, 2, 2)` in square crop pixels.

    Returns:
        `(len(SHARES), M)` bools, whether the ellipse of a nominal probability
        contains the true joint; and `(M,)` predicted median errors.
    """
    scales = np.asarray(layer(covariances), np.float64)
    distances = fitting.mahalanobis(errors, scales)
    inside = [distances <= layer.radius(share) for share in SHARES]
    # The radius of the circle with the ellipse's area.
    median = layer.radius(0.5) * np.linalg.det(scales) ** 0.25
    return np.array(inside), median


def judged_ways(errors, covariances, images):
    """Results of `judged` before and after calibration, and cross-fitted.

    Returns:
        Dict from a name to the result of `judged`; and the fitted
        `layers.CovarianceCalibration`.
    """
    # An offset of (a tenth of a pixel)^2, because sharp maps have a width of 0
    # in float32.
    before = layers.CovarianceCalibration(offset=0.01)
    fitted = layers.CovarianceCalibration(
        *fitting.fit_student_t(errors, covariances)
    )
    inside = np.empty((len(SHARES), len(errors)), bool)
    median = np.empty(len(errors))
    for half in fitting.halves(images):
        other = layers.CovarianceCalibration(
            *fitting.fit_student_t(errors[~half], covariances[~half])
        )
        inside[:, half], median[half] = judged(
            other, errors[half], covariances[half]
        )
    ways = {
        "as the map has it": judged(before, errors, covariances),
        "calibrated": judged(fitted, errors, covariances),
        "calibrated on the other half": (inside, median),
    }
    return ways, fitted


def page(ways, fitted, errors):
    """The Markdown page: coverage in percent, and rank correlation."""
    size = np.linalg.norm(errors, axis=-1)
    columns = [*(f"{100 * share:.0f} %" for share in SHOWN), "correlation"]
    lines = [
        f"True joints inside ellipses, in percent of {len(errors)}, and "
        "Spearman's correlation of predicted and seen error",
        "",
        f"| Covariance | {' | '.join(columns)} |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for name, (inside, median) in ways.items():
        covered = np.interp(SHOWN, SHARES, 100 * inside.mean(axis=1))
        cells = [f"{value:.1f}" for value in covered]
        cells.append(f"{metrics.spearman(median, size):.3f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        f"slope {fitted.slope:.3g}, offset {fitted.offset:.3g} square pixels, "
        f"{fitted.degrees:.3g} degrees of freedom",
    ]
    return "\n".join(lines) + "\n"


def plot(ways, errors, path):
    """Plots coverage over nominal probability, and error over predicted error.

    Args:
        ways: Results of `judged_ways`.
        errors: `(M, 2)` in crop pixels.
        path: PNG to write.
    """
    figure = matplotlib.figure.Figure(figsize=(9, 4.5), dpi=100)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], ":", color="grey")
    size = np.linalg.norm(errors, axis=-1)
    for name in ("as the map has it", "calibrated on the other half"):
        inside, median = ways[name]
        left.plot(SHARES, inside.mean(axis=1), "o-", ms=3, label=name)
        reliability.quartiles(right, median, size)
    left.set_xlabel("share of true joints that an ellipse is to hold")
    left.set_ylabel("share that it holds")
    left.legend(fontsize=8)
    ends = right.get_xlim()
    right.plot(ends, ends, ":", color="grey")
    right.set_xlim(ends)
    right.set_ylim(bottom=0)
    right.set_xlabel("predicted median error, ten bins of equal count")
    right.set_ylabel("error, crop pixels: median and quartiles")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


def run(workdir, data, out):
    """Writes the page and the plot, whole or not at all."""
    workdir, out = pathlib.Path(workdir), pathlib.Path(out)
    with whole.folder(out, taken="Name a new folder.") as partial:
        opened = runs.Run.open(workdir)
        records = opened.records(data)
        errors, covariances, images = observe(opened.model, records)
        ways, fitted = judged_ways(errors, covariances, images)
        text = page(ways, fitted, errors)
        (partial / "covariance.md").write_text(text)
        plot(ways, errors, partial / "covariance.png")
    print(text)


def call(asked):
    run(asked.workdir, asked.data, asked.out)


if __name__ == "__main__":
    sys.exit(commands.script("covariance"))
