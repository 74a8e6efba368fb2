"""`integral-tf evaluate`: PCKh, AP, predictions and pictures of a run."""

import json
import pathlib

import keras
import numpy as np

from integral_tf import config as configs
from integral_tf import joint_numbers
from integral_tf import runs
from integral_tf import whole
from integral_tf.evaluation import average_precision
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import comparison
from integral_tf.evaluation import coverage
from integral_tf.evaluation import diagnosis
from integral_tf.evaluation import html_report
from integral_tf.evaluation import joint_errors
from integral_tf.evaluation import predictions
from integral_tf.evaluation import preflight
from integral_tf.evaluation import reliability
from integral_tf.evaluation import report
from integral_tf.evaluation import submission
from integral_tf.inference import draw
from integral_tf.models import reading
from integral_tf.records import json_rows
from integral_tf.records.folder import Records

MPII_SUBMISSION, COCO_SUBMISSION = "pred_keypoints_mpii.mat", "submission.json"
REPORT = "report.html"


def evaluate(
    config: configs.EvaluateConfig,
    model: keras.Model | None = None,
    name: str = "",
) -> dict:
    """Evaluates a model of a run and writes a folder of results.

    Args:
        config: A `config.EvaluateConfig`.
        model: The pose model; None takes the run's own, of `config.weights`.
        name: Name of the model, added to the folder's name; empty for the
            run's own.

    Returns:
        The figures, as in `metrics.json`.

    Raises:
        FileNotFoundError: there is no such model, records, ground truth or
            evaluation to compare with.
        BlockingIOError: another process is writing the folder.
        FileExistsError: the folder exists and is not an earlier evaluation.
        ValueError: model, records and ground truth do not fit each other.
    """
    weights = config.weights if model is None else "auto"
    run = runs.Run.open(config.workdir, weights)
    model = reading.reread(model or run.model, config.read_by, run.config.sigma)
    records = _records(config, run)
    out = pathlib.Path(config.out or run.folder / runs.EVALUATION)
    if name:
        out = out.with_name(f"{out.name}-{name}")
    truth = preflight.check(config, records, out, model)
    other = comparison.read(config.compare) if config.compare else None
    with whole.folder(out) as partial:
        predicted, nobody = _predicted(model, config, records)
        results = _results(config, run.config, records, truth, predicted)
        figures, tables, errors, variants = _figures_and_tables(
            config,
            run.config,
            records,
            predicted,
            truth=truth,
            results=results,
            model=model,
            other=other,
        )
        figures |= {"model": name or run.file.name, **nobody}
        text = json.dumps(figures, indent=1)
        (partial / runs.METRICS).write_text(f"{text}\n")
        json_rows.write(results, partial / coco_results.PREDICTIONS)
        if tables:
            (partial / "table.md").write_text("\n\n".join(tables) + "\n")
        _write_submission(config, partial, records, truth, predicted, results)
        if predicted.is_labelled:
            _write_labelled(partial, records, predicted, figures, variants)
        people = report.shown(records, config.split, predicted, errors)
        sheet = report.sheet(people, predicted, records.skeleton, errors=errors)
        draw.save(sheet, partial / "sheet.png")
        html_report.write(
            partial / REPORT,
            records.skeleton,
            predicted,
            figures,
            people=people,
            tables=tables,
            variants=variants,
            errors=errors,
            other=other,
        )
    print("\n\n".join(tables))
    for file, what in _FILES.items():
        if (out / file).exists():
            print(f"{what}: {out / file}")
    return figures


def _records(config, run=None):
    """The records to evaluate on: those of `config.data`, or the run's own.

    Their skeleton has the standard deviations of `config.sigmas`.
    """
    if config.data:
        records = Records.open(config.data)
    else:
        run = run or runs.Run.open(config.workdir)
        # A run from before version 0.2 has no digest of its records.
        has_digest = (run.folder / runs.RECORDS).exists()
        records = run.own_records() if has_digest else run.records()
    sigmas = joint_numbers.sigmas(config.sigmas, records.skeleton)
    return records.with_sigmas(sigmas)


def _predicted(model, config, records):
    """The people's predictions, and figures of pictures without anybody."""
    everyone = predictions.predict(model, config, records)
    return _measured(everyone, config, records), diagnosis.nobody(everyone)


def _measured(everyone, config, records):
    """The people of predictions, in the unit that the flags name."""
    return everyone.of_people().measured(
        records.skeleton, config.normalise_by, config.alpha
    )


def _results(config, run, records, truth, predicted):
    """The people as COCO's results, after OKS-NMS if there is a `truth`."""
    scores = coco_results.pose_scores(
        predicted, config.rescore, config.rescore_threshold
    )
    chosen = None
    if truth:
        chosen = coco_results.kept(
            predicted,
            scores,
            records.skeleton,
            run.size[1] / run.size[0],
            config.oks_nms,
            config.oks_threshold,
        )
        if len(chosen) < len(scores):
            print(
                f"OKS-NMS: {len(chosen)} of {len(scores)} people kept, "
                f"{len(scores) - len(chosen)} too similar to a surer one"
            )
    return coco_results.Results(predicted, truth, scores, chosen)


def _write_labelled(folder, records, predicted, figures, variants):
    """Writes the joints' errors, the curve, and the plot of the scores."""
    comparison.write(predicted, records.skeleton, folder / comparison.ERRORS)
    report.plot_curves(
        {figures["method"]: figures, "mean pose": figures["mean_pose"]},
        predicted.unit,
        folder / "curve.png",
    )
    if variants:
        path = folder / "reliability.png"
        reliability.plot(predicted, variants, path)


def _figures_and_tables(
    config, run, records, predicted, *, truth, results, model, other
):
    """Computes the figures.

    Returns:
        Figures; Markdown tables; `(N,)` errors of the people; and the scores,
        from `reliability.variants`. The last two are None without labels.
    """
    label = run.method if run.stages == 1 else f"MS-{run.method}"
    skeleton = records.skeleton
    weights = joint_numbers.weights(config.joint_weights, skeleton)
    figures = _scored(config, run, records, weights)
    tables, errors, variants = [], None, None
    if predicted.is_labelled:
        more, found, errors = joint_errors.evaluated(
            config, run, label, records, predicted, weights=weights
        )
        figures |= more | diagnosis.figures(predicted, skeleton, weights)
        tables += found
        figures["coverage"] = coverage.coverage(predicted, model)
        if run.method != "R1":  # which has no scores
            variants = reliability.variants(model, predicted)
            figures["scores"] = reliability.figures(predicted, variants)
            tables.append(reliability.table(figures))
    if truth and "annotations" in truth:
        found = average_precision.figures(truth, results, skeleton, weights)
        figures |= found
        tables.append(
            average_precision.table(config, label, skeleton, truth, found)
        )
    if other:
        compared = comparison.compare(
            predicted, other, skeleton, weights=weights
        )
        figures["comparison"] = compared
        tables.append(comparison.table(compared, label, predicted.unit.metric))
    return figures, tables, errors, variants


def _scored(config, run, records, weights):
    """What was scored, and how."""
    scored = {
        "method": run.method,
        "data": str(records.folder),
        "split": config.split,
        "protocol": {f: getattr(config, f) for f in _PROTOCOL},
    }
    skeleton = records.skeleton
    if weights:
        scored["joint_weights"] = joint_numbers.named(weights, skeleton)
    if config.sigmas:
        scored["sigmas"] = joint_numbers.named(skeleton.sigmas, skeleton)
    return scored


# Settings that change the figures of a model.
_PROTOCOL = (
    "flip_test", "flip_merge", "limit", "annotations", "rescore",
    "rescore_threshold", "oks_nms", "oks_threshold", "joint_weights", "sigmas",
    "normalise_by", "alpha", "read_by",
)  # fmt: skip
_FILES = {
    REPORT: "everything on one page",
    "sheet.png": "people to look at",
    "curve.png": "curve",
    "reliability.png": "what the scores mean",
    coco_results.PREDICTIONS: "predictions",
    MPII_SUBMISSION: "to submit to MPII",
    COCO_SUBMISSION: "to submit to COCO, zipped",
}


def self_test(config: configs.EvaluateConfig) -> None:
    """Scores the ground truth as if a model had predicted it.

    The records' truth, mapped into the crop and back, must have a PCKh of 100.
    COCO's annotations, as results, must have AP 1. The records' joints must
    equal those of the annotations to 0.01 pixels.

    Args:
        config: A `config.EvaluateConfig`; without a `workdir` it needs `data`.

    Raises:
        FileNotFoundError: there are no records.
        ValueError: one of these does not hold, or the records have no truth.
    """
    records = _records(config)
    truth = preflight.check(config, records)
    predicted = _measured(predictions.truth(config, records), config, records)
    checks = []
    if predicted.is_labelled:
        score, metric = predicted.pckh(records.skeleton)
        print(f"{metric}: {score.people} people, {score.joints} joints")
        checks += [
            (f"{metric}@{alpha}", value, 100, 1e-4)
            for alpha, value in score.at.items()
        ]
    if truth and "annotations" in truth:
        results = json_rows.Rows(
            {key: row[key] for key in ("image_id", "category_id", "keypoints")}
            | {"score": 1.0}
            for row in truth["annotations"]
            if row["num_keypoints"] and not row["iscrowd"]
        )
        found = average_precision.figures(truth, results, records.skeleton)
        checks.append(("AP", found["coco"]["AP"], 1, 1e-6))
        if predicted.is_labelled:
            checks.append(
                (
                    "pixels between records and truth",
                    _largest_distance(predicted, truth),
                    0,
                    0.01,
                )
            )
    if not checks:
        raise ValueError(
            "These records hold no truth, as those of a test set. "
            f"Received: --data={records.folder} --split={config.split}"
        )
    for name, value, best, _ in checks:
        print(f"{name}: {value:.4f}, to be {best}")
    if not all(abs(v - best) < margin for _, v, best, margin in checks):
        raise ValueError(
            "The truth itself does not score as it must: the records or the "
            "ground truth are damaged, or an image has more than 20 people, "
            f"of whom COCO counts no more. Received: --data={records.folder}"
        )


def _largest_distance(predicted, truth):
    """Largest distance of a record's joint from its annotation, in pixels."""
    rows = {f"val/{row['id']}": row for row in truth["annotations"]}
    worst = 0.0
    for name, points, visible in zip(
        predicted.source_id, predicted.truth, predicted.visible
    ):
        row = rows.get(name.decode())
        if row is None:
            return float("inf")
        annotated = np.reshape(row["keypoints"], (-1, 3))[:, :2]
        distance = np.linalg.norm(points - annotated, axis=1)[visible > 0]
        worst = max(worst, *distance)
    return float(worst)


def _write_submission(config, folder, records, truth, predicted, results):
    """Writes the file to submit to a test server, if this is a test set."""
    if config.annotations.endswith(".mat"):
        names = [name.decode() for name in predicted.source_id]
        submission.mpii_mat(
            dict(zip(names, predicted.joints)),
            config.annotations,
            folder / MPII_SUBMISSION,
        )
    elif (
        truth and "annotations" not in truth and records.skeleton.name == "coco"
    ):
        submission.coco_json(
            results,
            folder / COCO_SUBMISSION,
            [image["id"] for image in truth["images"]],
        )
