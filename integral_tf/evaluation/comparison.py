"""The difference of two evaluations, with a bootstrap interval over images.

Joints of one image are not independent, so images are drawn, not joints. Both
evaluations are scored on the same drawn images: what is hard for both does not
widen the interval.

Shape letters: N people, K joints, M people that both have.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import pathlib

import numpy as np

from integral_tf import runs
from integral_tf import skeletons
from integral_tf import units
from integral_tf.evaluation import diagnosis
from integral_tf.evaluation.predictions import Predictions
from integral_tf.signatures import ArrayLike

ERRORS = "errors.csv"
_PERSON, _IMAGE = "source_id", "image_id"
_DRAWS, _SEED = 1000, 0
_SHARE = (2.5, 97.5)


@dataclasses.dataclass(frozen=True)
class Evaluated:
    """Errors of an evaluation, as in its `errors.csv`.

    Attributes:
        label: Name of the evaluation, for tables.
        unit: The `units.Unit` of the errors.
        joints: Names of the K joints.
        people: Names of the N people.
        images: `(N,)` numbers of their images.
        errors: `(N, K)` distances in reference lengths; NaN is not counted.
        figures: Those of `metrics.json`.
    """

    label: str
    unit: units.Unit
    joints: tuple[str, ...]
    people: list[str]
    images: np.ndarray
    errors: np.ndarray
    figures: dict


def write(
    predicted: Predictions,
    skeleton: skeletons.Skeleton,
    path: str | os.PathLike,
) -> None:
    """Writes each joint's error in reference lengths, a line per person."""
    with pathlib.Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([_PERSON, _IMAGE, *skeleton.joints])
        for name, image, row in zip(
            predicted.source_id, predicted.image_id, predicted.errors()
        ):
            cells = ["" if np.isnan(v) else f"{v:.6g}" for v in row]
            writer.writerow([name.decode(), int(image), *cells])


def read(folder: str | os.PathLike) -> Evaluated:
    """Reads an evaluation's errors.

    Args:
        folder: Folder that `integral-tf evaluate` wrote.

    Raises:
        FileNotFoundError: the folder has no errors.
        ValueError: they are damaged.
    """
    folder = pathlib.Path(folder)
    if not (folder / ERRORS).is_file():
        raise FileNotFoundError(
            "An evaluation to compare with is a folder that `integral-tf "
            f"evaluate` wrote of labelled people: it has {runs.METRICS} and "
            f"{ERRORS}; older ones lack the last, and are written again by the "
            f"same command. Received: --compare={str(folder)!r}"
        )
    try:
        figures = json.loads((folder / runs.METRICS).read_text())
        with (folder / ERRORS).open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file, strict=True)
        cells = [[float(v or "nan") for v in row[2:]] for row in rows]
        return Evaluated(
            label=f"{figures['method']} of {folder}",
            unit=unit_of(figures),
            joints=tuple(head[2:]),
            people=[row[0] for row in rows],
            images=np.array([int(row[1]) for row in rows]),
            errors=np.reshape(cells, (len(rows), len(head) - 2)),
            figures=figures,
        )
    except (
        ArithmeticError, LookupError, OSError, RecursionError, TypeError,
        ValueError, csv.Error,
    ) as error:  # fmt: skip
        raise ValueError(
            f"This evaluation is damaged: {error!r:.200}; the same command "
            f"writes it again. Received: --compare={str(folder)!r}"
        ) from None


def compare(
    predicted: Predictions,
    other: Evaluated,
    skeleton: skeletons.Skeleton,
    *,
    weights: tuple[float, ...] | None = None,
) -> dict:
    """Compares predictions with another evaluation, on people of both.

    Args:
        predicted: `predictions.Predictions`.
        other: The other evaluation, from `read`.
        skeleton: The `skeletons.Skeleton`.
        weights: K weights of the joints, in the figures of both; None for the
            same.

    Returns:
        Dict of `with`, the other's label, `people`, `images`, and `figures`: a
        dict from each of `unit.figures` to a dict of `this`, `other`,
        `difference`, `low` and `high`, in percent.

    Raises:
        ValueError: the evaluations have other joints, another unit or nobody
            in common.
    """
    unit = predicted.unit
    ours, pooled = predicted.errors(), skeleton.mean_indices
    place = {name: i for i, name in enumerate(other.people)}
    names = [name.decode() for name in predicted.source_id]
    both = []
    if (other.joints, other.unit) == (skeleton.joints, unit):
        # A sum is NaN where a term is.
        both = [
            i
            for i, name in enumerate(names)
            if name in place
            and not np.isnan(ours[i] + other.errors[place[name]])[pooled].all()
        ]
    if not both:
        raise ValueError(
            "Evaluations are compared on people and joints that both have, by "
            f"one metric. Received: {_metric(other.unit)} of "
            f"{len(other.people)} people with {len(other.joints)} joints to "
            f"compare with; {_metric(unit)} of {len(names)} people, "
            f"{len(set(names) & set(place))} of them the same, with "
            f"{len(skeleton)} joints"
        )
    theirs = other.errors[[place[names[i]] for i in both]]
    images = predicted.image_id[both]
    return {
        "with": other.label,
        "people": len(both),
        "images": len(np.unique(images)),
        "figures": bootstrap(
            ours[both][:, pooled],
            theirs[:, pooled],
            images,
            np.array(weights)[pooled] if weights else None,
            unit,
        ),
    }


def unit_of(figures: dict) -> units.Unit:
    """The unit of an evaluation's figures, also of a version before 0.3.

    Args:
        figures: Those of `metrics.json`.

    Raises:
        KeyError, ValueError: the figures are damaged.
    """
    metric = figures["metric"]
    usual = units.HEAD if metric == "PCKh" else units.TENTH
    return units.Unit(
        metric,
        str(figures.get("unit", usual.words)),
        tuple(map(float, figures.get("alphas", usual.alphas))),
    )


def _metric(unit):
    return f"{unit.metric} in {unit.words}, {', '.join(unit.figures)},"


def bootstrap(
    errors: ArrayLike,
    others: ArrayLike,
    images: ArrayLike,
    weights: ArrayLike | None = None,
    unit: units.Unit = units.HEAD,
) -> dict[str, dict[str, float]]:
    """The difference of PCKh of two sets of predictions for the same people.

    The interval has the 2.5th and the 97.5th percentile of 1000 differences,
    each over as many images as there are, drawn with replacement by a fixed
    seed.

    Args:
        errors: `(M, K)` distances in reference lengths.
        others: `(M, K)` those of the predictions to compare with. A joint
            counts that is NaN in neither.
        images: `(M,)` numbers of the people's images.
        weights: `(K,)` weights of the joints; None for the same.
        unit: The `units.Unit` of the errors.

    Returns:
        Dict from each of `unit.figures` to a dict, as `compare`.
    """
    errors, others = np.asarray(errors), np.asarray(others)
    shares = 1.0 if weights is None else np.asarray(weights)
    known = shares * (~np.isnan(errors) & ~np.isnan(others))
    _, image = np.unique(images, return_inverse=True)
    # Of each image: the sums of this, those of the other, and the count.
    each = np.concatenate(
        [
            (
                known[..., None]
                * np.nan_to_num(diagnosis.credits(values, unit))
            ).sum(axis=1)
            for values in (errors, others)
        ]
        + [known.sum(axis=1, keepdims=True)],
        axis=1,
    )
    sums = np.zeros((image.max() + 1, each.shape[1]))
    np.add.at(sums, image, each)
    rng = np.random.default_rng(_SEED)
    drawn = [
        sums[rng.integers(len(sums), size=len(sums))].sum(axis=0)
        for _ in range(_DRAWS)
    ]
    whole = _percent(sums.sum(axis=0))
    spread = _percent(np.stack(drawn))
    count = len(unit.figures)
    low, high = np.nanpercentile(
        spread[..., :count] - spread[..., count:], _SHARE, axis=0
    )
    return {
        name: {
            "this": float(whole[i]),
            "other": float(whole[count + i]),
            "difference": float(whole[i] - whole[count + i]),
            "low": float(low[i]),
            "high": float(high[i]),
        }
        for i, name in enumerate(unit.figures)
    }


def table(compared: dict, label: str, metric: str) -> str:
    """A Markdown table of `compare`'s result."""
    lines = [
        f"{label} less {compared['with']}, {metric} in percent, over "
        f"{compared['people']} people in {compared['images']} images; 95 % "
        f"interval of {_DRAWS} draws of the images",
        "",
        f"| | {label} | {compared['with']} | difference | interval |",
        "|---" * 5 + "|",
    ]
    for name, row in compared["figures"].items():
        lines.append(
            f"| {name} | {row['this']:.1f} | {row['other']:.1f} "
            f"| {row['difference']:+.2f} "
            f"| {row['low']:+.2f} to {row['high']:+.2f} |"
        )
    return "\n".join(lines)


def _percent(sums):
    """Figures of both from sums of credits and the count; NaN of no joint."""
    count = np.where(sums[..., -1:] > 0, sums[..., -1:], np.nan)
    return 100 * sums[..., :-1] / count
