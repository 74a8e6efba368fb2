"""Figures of an evaluation from the joints' errors: PCKh, PCK and NME.

Shape letters: N people, K joints.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from integral_tf import config as configs
from integral_tf import joint_numbers
from integral_tf import paper
from integral_tf import units
from integral_tf.evaluation import mean_pose
from integral_tf.evaluation import report
from integral_tf.evaluation.predictions import Predictions
from integral_tf.records.folder import Records


def evaluated(
    config: configs.EvaluateConfig,
    run: configs.TrainConfig,
    label: str,
    records: Records,
    predicted: Predictions,
    *,
    weights: tuple[float, ...] | None = None,
) -> tuple[dict, list[str], np.ndarray]:
    """Figures of PCKh, and of NME if a unit was named, beside the mean pose's.

    Args:
        config: A `config.EvaluateConfig`.
        run: The run's `config.TrainConfig`.
        label: Name of the method in the tables.
        records: The `Records`.
        predicted: `predictions.Predictions` of labelled people.
        weights: K weights of the joints; None for the same.

    Returns:
        Figures, Markdown tables, and the `(N,)` mean errors of the people.
    """
    # Records for evaluation alone have no training split.
    average = "train" if records.people("train") else config.split
    mean = mean_pose.place(
        mean_pose.of_records(records, average), predicted.box
    )
    still = dataclasses.replace(predicted, joints=mean)
    skeleton, unit = records.skeleton, predicted.unit
    ours, metric = predicted.pckh(skeleton, weights=weights)
    flat, _ = still.pckh(skeleton, weights=weights)
    rows = [(label, ours), ("mean pose", flat)]
    figures = {
        "metric": metric,
        "unit": unit.words,
        "alphas": list(unit.alphas),
        "people": ours.people,
        "joints": ours.joints,
        **_figures(ours),
        "mean_pose": _figures(flat),
    }
    if config.compat == "hrnet":
        theirs, _ = predicted.pckh(skeleton, compat="hrnet", weights=weights)
        rows.insert(1, (f"{label}, as HRNet prints it", theirs))
        figures["hrnet"] = _figures(theirs)
    published = paper.TABLE_2.get(label)
    published = published or paper.TABLE_5.get(label, {}).get(run.stages)
    if published and unit == units.HEAD and not weights:
        rows.append((f"paper's {label}, MPII", published))
    who = f"over {ours.people} people, {ours.joints} joints"
    if unit not in (units.HEAD, units.TENTH):
        who = f"in {unit.words} {who}; AUC up to {unit.right:g}"
    unmeasured = (predicted.visible > 0).any(axis=1) & (predicted.lengths <= 0)
    if predicted.reference and unmeasured.any():
        who += f"; {unmeasured.sum()} people without this length left out"
    if weights:
        who += f"; weights: {joint_numbers.described(weights, skeleton)}"
    tables = [report.table(f"{metric} {who}", rows)]
    if predicted.reference:
        of_people, of_mean = predicted.nme(weights), still.nme(weights)
        figures |= _nme(of_people, unit)
        figures["mean_pose"] |= _nme(of_mean, unit)
        tables.append(
            report.nme_table(
                f"NME of {of_people.people} people in % of {unit.words}; "
                f"failures (FR) above {unit.right:g}, AUC up to there",
                [(label, of_people), ("mean pose", of_mean)],
            )
        )
    return figures, tables, predicted.mean_errors(weights)


def _nme(found, unit):
    curve = found.curve(unit.thresholds)
    return {
        "NME": found.nme,
        f"FR@{found.threshold:g}": found.failure_rate,
        f"AUC@{found.threshold:g}": found.auc,
        "curve_of_people": [round(float(value), 4) for value in curve],
    }


def _figures(score):
    return {
        **{f"@{alpha:g}": value for alpha, value in score.at.items()},
        "AUC": score.auc,
        **{f"groups@{alpha:g}": row for alpha, row in score.groups.items()},
        "curve": [round(float(value), 4) for value in score.curve],
    }
