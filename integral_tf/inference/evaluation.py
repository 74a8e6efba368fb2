"""A run on a split: PCKh, its curve, predictions, and people to look at."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import tensorflow as tf
import tqdm

from integral_tf import config as configs
from integral_tf import coordinates
from integral_tf import layers
from integral_tf import metrics
from integral_tf import paper
from integral_tf.inference import estimator
from integral_tf.inference import flip
from integral_tf.inference import mean_pose
from integral_tf.inference import report
from integral_tf.pipeline import batches
from integral_tf.records import shards


@dataclasses.dataclass
class Predictions:
    """What a model says of N people, all in the image frame.

    Attributes:
        joints: `(N, K, 2)` x, y.
        scores: `(N, K)`.
        truth: `(N, K, 2)`.
        visible: `(N, K)`.
        head_size, box_size: `(N,)` image pixels.
        image_id: `(N,)`.
        mean_pose: `(N, K, 2)`, the training set's mean in each crop.
    """

    joints: np.ndarray
    scores: np.ndarray
    truth: np.ndarray
    visible: np.ndarray
    head_size: np.ndarray
    box_size: np.ndarray
    image_id: np.ndarray
    mean_pose: np.ndarray


def evaluate(config):
    """Evaluates a run and writes a folder of results.

    Args:
        config: A `config.EvaluateConfig`.

    Returns:
        The figures, as `metrics.json` has them.

    Raises:
        FileNotFoundError: no model, or no records.
        ValueError: the records have another skeleton, or no such split.
    """
    workdir = pathlib.Path(config.workdir)
    model = estimator.load(workdir)
    run = configs.read_flagfile(configs.TrainConfig, workdir / "flags.cfg")
    data = config.data or run.data
    skeleton = shards.read_skeleton(data)
    estimator.check_skeleton(model, skeleton)
    seen = predict(model, data, config, skeleton)
    lengths, metric = metrics.reference_lengths(seen.head_size, seen.box_size)
    score, mean_score = (
        metrics.pckh(joints, seen.truth, seen.visible, lengths, skeleton)
        for joints in (seen.joints, seen.mean_pose)
    )
    figures = {
        "method": run.method,
        "metric": metric,
        "data": str(data),
        "split": config.split,
        "flip_test": config.flip_test,
        "people": score.people,
        "joints": score.joints,
        **_figures(score),
        "mean_pose": _figures(mean_score),
    }
    out = pathlib.Path(config.out or workdir / "evaluation")
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    name = run.method if run.stages == 1 else f"MS-{run.method}"
    row = paper.TABLE_2.get(name) or paper.TABLE_5.get(name, {}).get(run.stages)
    table = report.table(metric, name, score, mean_score, row)
    (partial / "table.md").write_text(table + "\n")
    _write_json(partial / "metrics.json", figures, indent=1)
    _write_json(partial / "predictions.json", coco_results(seen))
    report.plot_curves(
        {run.method: figures, "mean pose": figures["mean_pose"]},
        metric,
        partial / "curve.png",
    )
    errors = person_errors(seen, lengths)
    report.contact_sheet(
        data, config.split, seen, errors, skeleton, partial / "sheet.png"
    )
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    print(table)
    print(f"people to look at: {out / 'sheet.png'}")
    print(f"curve: {out / 'curve.png'}")
    print(f"predictions: {out / 'predictions.json'}")
    return figures


def predict(model, data, config, skeleton):
    """Runs a model over a split of records; returns `Predictions`."""
    _, height, width, _ = model.input_shape
    crop = layers.RandomCrop(height, width, skeleton.mirrored_order)
    estimate = flip.flipped(model, skeleton) if config.flip_test else model
    splits = shards.read_manifest(data)["splits"]
    # Records for evaluation alone have nobody to train on.
    average = "train" if splits["train"]["people"] else config.split
    mean = mean_pose.of_records(data, average)

    @tf.function(reduce_retracing=True)
    def step(people):
        crops = crop(people, training=False)
        outputs = estimate(crops["images"])
        return outputs["joints"], outputs["scores"], crops["to_window"]

    people = batches.eval_batches(
        data, config.split, config.batch_size, config.limit
    )
    rows = []
    total = splits[config.split]["people"]
    total = min(total, config.limit) if config.limit else total
    with tqdm.tqdm(total=total, unit=" people", desc="evaluate") as bar:
        for batch in people:
            wanted = ("windows", "joints", "boxes", "visible")
            joints, scores, to_window = step({k: batch[k] for k in wanted})
            batch = {k: v.numpy() for k, v in batch.items() if k != "windows"}
            to_image = batch["to_image"].astype(np.float64)
            joints = coordinates.apply(to_window, joints)
            rows.append(
                Predictions(
                    joints=coordinates.apply(to_image, joints),
                    scores=scores.numpy(),
                    truth=coordinates.apply(to_image, batch["joints"]),
                    visible=batch["visible"],
                    head_size=batch["head_size"],
                    box_size=batch["box_size"],
                    image_id=batch["image_id"],
                    mean_pose=coordinates.apply(
                        to_image, mean_pose.place(mean, batch["boxes"])
                    ),
                )
            )
            bar.update(len(joints))
    names = [field.name for field in dataclasses.fields(Predictions)]
    return Predictions(
        **{n: np.concatenate([getattr(row, n) for row in rows]) for n in names}
    )


def coco_results(seen):
    """Predictions as COCO's keypoint results: a list of dicts."""
    results = []
    for image_id, joints, scores in zip(
        seen.image_id, seen.joints, seen.scores
    ):
        keypoints = np.concatenate([joints, scores[:, None]], axis=1)
        results.append(
            {
                "image_id": int(image_id),
                "category_id": 1,
                "keypoints": [round(float(v), 3) for v in keypoints.ravel()],
                "score": round(float(scores.mean()), 5),
            }
        )
    return results


def person_errors(seen, lengths):
    """Mean error of each person in reference lengths; NaN where unknown."""
    distance = np.linalg.norm(seen.joints - seen.truth, axis=-1)
    labelled = seen.visible.sum(axis=1)
    mean = (distance * seen.visible).sum(axis=1) / np.maximum(labelled, 1)
    known = (labelled > 0) & (lengths > 0)
    return np.where(known, mean / np.where(lengths > 0, lengths, 1), np.nan)


def _figures(score):
    return {
        "@0.5": score.at[0.5],
        "@0.1": score.at[0.1],
        "AUC": score.auc,
        "groups@0.5": score.groups[0.5],
        "groups@0.1": score.groups[0.1],
        "curve": [round(float(value), 4) for value in score.curve],
    }


def _write_json(path, value, indent=None):
    path.write_text(json.dumps(value, indent=indent) + "\n")
