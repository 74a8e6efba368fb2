r"""Shows what an integral gains over maxima, and what hides the gain.

    python experiments/gain.py --maximum=runs/h1 --integral=runs/i1 \
        --out=runs/gain

The first run is of H1, H2 or H3, the second of I1, I2, I3 or I*. The people are
those of the validation split of `--data`, or of the second run's own records. A
cell is a pixel of a map. A joint is found if all readings are within two cells
of its truth. Files in OUT, a new folder:

    gain.md    the figures of the plots
    gain.png   accuracy at the tighter threshold, with noise that is added to
               the labels; how near found joints are; the error of found joints
               over the width of the integral's map
"""

import dataclasses
import functools
import pathlib
import sys

import matplotlib.figure
import numpy as np

from integral_tf import commands
from integral_tf import layers
from integral_tf import runs
from integral_tf import settings
from integral_tf import units
from integral_tf import whole
from integral_tf.evaluation import predictions
from integral_tf.evaluation import reliability
from integral_tf.inference import keras_backend
from integral_tf.models import loading
from integral_tf.models import reading
from integral_tf.settings import setting

NOISE = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)  # standard deviations, in cells
NEAR = (0.25, 0.5, 0.75, 1.0, 1.5)  # cells
FOUND = 2.0  # cells
_DRAWS, _SEED = 20, 0
_IDEAL = "a maximum in the right cell"


@dataclasses.dataclass(frozen=True)
class GainConfig(settings.Checked):
    """Two runs, records, and the folder to write."""

    maximum: str = setting("", "Folder of the run of a maximum.", required=True)
    integral: str = setting(
        "", "Folder of the run of an integral.", required=True
    )
    data: str = setting("", "Folder of records; empty takes the run's own.")
    out: str = setting("", "Folder to write.", required=True)


CONFIG = GainConfig


@dataclasses.dataclass
class Readings:
    """M labelled joints, as several readings have them.

    Attributes:
        errors: Dict from a reading's name to `(M, 2)` predictions minus truth,
            in cells.
        lengths: `(M,)` lengths that divide the errors of an evaluation, in
            cells.
        widths: `(M,)` standard deviations of the integral's maps, in cells.
        unit: The `units.Unit` of the lengths.
    """

    errors: dict[str, np.ndarray]
    lengths: np.ndarray
    widths: np.ndarray
    unit: units.Unit

    @functools.cached_property
    def found(self):
        """`(M,)` bools: whether all readings are near the truth."""
        far = [np.linalg.norm(each, axis=-1) for each in self.errors.values()]
        return np.max(far, axis=0) <= FOUND

    @functools.cached_property
    def far(self):
        """Dict of each reading's distances of the found joints, in cells."""
        return {
            name: np.linalg.norm(each[self.found], axis=-1)
            for name, each in self.errors.items()
        }


def observe(maximum, integral, records):
    """Reads the labelled joints of the validation split in four ways.

    Args:
        maximum, integral: The two `runs.Run`.
        records: The `Records`.

    Returns:
        The `Readings`.

    Raises:
        ValueError: the runs are not of a maximum and an integral, or their
            maps have different sizes.
    """
    maxima = [
        layer
        for layer in maximum.model.layers
        if isinstance(layer, layers.Argmax)
    ]
    integrals = reading.integrals_of(integral.model)
    if not maxima or not integrals:
        raise ValueError(
            "`--maximum` is a run of H1, H2 or H3, and `--integral` one of I1, "
            f"I2, I3 or I*. Received: runs of {maximum.config.method} and "
            f"{integral.config.method}"
        )
    stride = maxima[-1].stride
    if stride != integrals[-1].stride:
        raise ValueError(
            "Readings are compared on maps of the same size. Received: cells "
            f"of {stride:g} and {integrals[-1].stride:g} pixels"
        )
    models = {maximum.config.method: maximum.model}
    for by, words in (("shift", "shifted"), ("dark", "DARK")):
        models[f"{maximum.config.method}, {words}"] = reading.reread(
            maximum.model, by, maximum.config.sigma
        )
    models[integral.config.method] = keras_backend.with_covariance(
        integral.model
    )
    errors = {}
    for name, model in models.items():
        loading.check_skeleton(model, records.skeleton)
        predicted, cells, widths = _observed(model, records, stride)
        far = predicted.joints - predicted.truth
        errors[name] = far / cells[:, None, None]
    # The people are the same in each; only the last model has widths.
    known = ~np.isnan(predicted.errors())
    lengths = (predicted.lengths / cells)[:, None]
    return Readings(
        {name: each[known] for name, each in errors.items()},
        np.broadcast_to(lengths, known.shape)[known],
        widths[known],
        predicted.unit,
    )


def _observed(model, records, stride):
    """Predictions, `(N,)` image pixels of a cell, `(N, K)` widths of maps."""
    observer = predictions.Observer(model, records.skeleton)
    parts, widths, cells = [], [], []
    for people, crops, outputs in observer(records, "val", 64):
        to_window = np.asarray(crops["to_window"])
        parts.append(
            predictions.of_batch(
                people,
                np.asarray(outputs["joints"]),
                np.asarray(outputs["scores"]),
                to_window,
                reference=records.unit,
            )
        )
        linear = np.asarray(people["to_image"])[:, :, :2] @ to_window[:, :, :2]
        cells.append(stride * np.sqrt(np.abs(np.linalg.det(linear))))
        if "covariance" in outputs:
            trace = np.trace(outputs["covariance"], axis1=-2, axis2=-1)
            widths.append(np.sqrt(trace / 2) / stride)
    return (
        predictions.concatenate(parts),
        np.concatenate(cells),
        np.concatenate(widths) if widths else None,
    )


def noisy(found, sigmas=NOISE):
    """Accuracy at the tighter threshold, with noise added to the labels.

    Args:
        found: The `Readings`.
        sigmas: Standard deviations of the noise along x and y, in cells.

    Returns:
        Dict from a reading's name to `(len(sigmas),)` percentages: the mean of
        several draws, which are the same for every reading.
    """
    rng = np.random.default_rng(_SEED)
    draws = rng.standard_normal((_DRAWS, *found.lengths.shape, 2))
    limits = min(found.unit.alphas) * found.lengths
    rows = {}
    for name, errors in found.errors.items():
        far = [np.linalg.norm(errors + s * draws, axis=-1) for s in sigmas]
        rows[name] = 100 * np.mean(far <= limits, axis=(1, 2))
    return rows


def near(found, distances=NEAR):
    """Shares of the found joints within distances of the truth.

    Returns:
        Dict from a reading's name to `(len(distances),)` percentages, with that
        of joints which lie anywhere in the cell that is read.
    """
    rng = np.random.default_rng(_SEED)
    cell = rng.uniform(-0.5, 0.5, (100_000, 2))
    rows = {**found.far, _IDEAL: np.linalg.norm(cell, axis=-1)}
    return {
        name: np.array([100 * np.mean(far <= d) for d in distances])
        for name, far in rows.items()
    }


def page(found, noise):
    """The Markdown page: what each plot shows, as a table.

    Args:
        found: The `Readings`.
        noise: The result of `noisy`.
    """
    tight, unit = min(found.unit.alphas), found.unit
    metric, chosen = unit.metric, found.found
    columns = [f"{s:g} cells" for s in NOISE]
    lines = [
        f"{len(found.lengths)} joints; all readings have "
        f"{100 * chosen.mean():.1f} % of them within {FOUND:g} cells. A "
        f"threshold of {tight:g} {unit.words} is "
        f"{tight * np.median(found.lengths):.2f} cells, in the median.",
        "",
        f"{metric}@{tight:g}, with noise of this deviation on the labels",
        "",
        *_table(columns, noise, "{:.1f}"),
        "",
        "Found joints within a distance of their truth, in percent",
        "",
        *_table([f"{d:g} cells" for d in NEAR], near(found), "{:.1f}"),
        "",
        "Found joints by the width of the integral's map: median error, cells",
        "",
    ]
    parts = np.array_split(np.argsort(found.widths[chosen]), 4)
    widths = [np.median(found.widths[chosen][part]) for part in parts]
    rows = {
        name: np.array(
            [np.median(far[part]) if len(part) else np.nan for part in parts]
        )
        for name, far in found.far.items()
    }
    lines += _table([f"width {w:.2f}" for w in widths], rows, "{:.2f}")
    return "\n".join(lines) + "\n"


def _table(columns, rows, form):
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, values in rows.items():
        cells = " | ".join(form.format(value) for value in values)
        lines.append(f"| {name} | {cells} |")
    return lines


def plot(found, noise, path):
    """Plots the page's three tables.

    Args:
        found: The `Readings`.
        noise: The result of `noisy`.
        path: PNG to write.
    """
    figure = matplotlib.figure.Figure(figsize=(13, 4.2), dpi=100)
    left, middle, right = figure.subplots(1, 3)
    for name, values in noise.items():
        left.plot(NOISE, values, "o-", ms=4, label=name)
    left.set_xlabel("noise added to the labels, cells")
    left.set_ylabel(f"{found.unit.metric}@{min(found.unit.alphas):g}, %")
    distances = np.linspace(0, max(NEAR), 61)
    for name, values in near(found, distances).items():
        style = ":" if name == _IDEAL else "-"
        middle.plot(distances, values, style, label=name)
    middle.set_xlabel("distance from the truth, cells")
    middle.set_ylabel("share of the found joints, %")
    for far in found.far.values():
        reliability.quartiles(right, found.widths[found.found], far)
    right.set_xlabel("width of the integral's map, cells")
    right.set_ylabel("error of found joints, cells: median and quartiles")
    for axes in (left, middle, right):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    left.legend(fontsize=8)
    middle.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def run(maximum, integral, data, out):
    """Writes the page and the plot, whole or not at all."""
    out = pathlib.Path(out)
    with whole.folder(out, taken="Name a new folder.") as partial:
        opened = [runs.Run.open(path) for path in (maximum, integral)]
        found = observe(*opened, opened[1].records(data))
        noise = noisy(found)
        text = page(found, noise)
        (partial / "gain.md").write_text(text)
        plot(found, noise, partial / "gain.png")
    print(text)


def call(asked):
    run(asked.maximum, asked.integral, asked.data, asked.out)


if __name__ == "__main__":
    sys.exit(commands.script("gain"))
