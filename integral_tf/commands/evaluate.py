"""Evaluates a run: PCKh or NME, COCO's AP, and pictures of predictions.

    integral-tf evaluate --workdir=runs/i1 --split=val --out=runs/i1/evaluation

`--out` is a new folder, or the folder of an earlier evaluation, which is
replaced:

    report.html       one page: all of these, kinds of errors, slices, people;
                      it loads nothing, and is filtered by joint
    table.md          the figures, per joint group, beside the paper's row
    metrics.json      the same figures for programs
    curve.png         PCKh over alpha, as in Figure 3
    reliability.png   fraction of right joints, and error, over the score
    sheet.png         best, median and worst people; the truth is white
    predictions.json  joints in COCO's result format, in image pixels
    errors.csv        each joint's error in heads, or in --normalise_by's length

For a test set the folder also has the file for its server: submission.json for
COCO, or pred_keypoints_mpii.mat for MPII, which needs `--annotations`, the
official .mat. `--compare` names another evaluation: the difference is written
with an interval of 95 %, a bootstrap over images. `--self_test` scores the
ground truth in place of a model.
"""

from integral_tf import config

CONFIG = config.EvaluateConfig


def call(asked: config.EvaluateConfig) -> None:
    from integral_tf.evaluation import evaluate
    from integral_tf.training import strategy

    strategy.check_alone()
    if asked.self_test:
        evaluate.self_test(asked)
    elif asked.weights in ("each", "average"):
        _checkpoints(asked)
    else:
        evaluate.evaluate(asked)


def _checkpoints(asked):
    """Evaluates checkpoints, and prints one line for each at the end."""
    from integral_tf.evaluation import evaluate
    from integral_tf.training import snapshots

    lines = []
    for name, model in snapshots.models(asked.workdir, asked.weights):
        print(f"\n{name}")
        figures = evaluate.evaluate(asked, model, name)
        shown = {k: v for k, v in figures.items() if k.startswith(("@", "AUC"))}
        shown |= {k: 100 * v for k, v in figures.get("coco", {}).items()}
        cells = "  ".join(f"{k} {v:.2f}" for k, v in shown.items())
        lines.append(f"{name:16s} {cells}")
    print("\n" + "\n".join(lines))
