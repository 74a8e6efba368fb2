r"""Scores a run: PCKh, COCO's AP, and pictures to look at.

    python evaluate.py --workdir=runs/i1 --split=val --out=runs/i1/evaluation

`--out` is a new folder, or one of an earlier evaluation, which is replaced:

    table.md          the figures, per joint group, beside the paper's row
    metrics.json      the same for programs
    curve.png         PCKh over alpha, as Figure 3
    reliability.png   share of right joints and error over the score
    sheet.png         best, median and worst people; truth white
    predictions.json  joints in COCO's result format, image pixels

and, of a test set, what its server wants: submission.json for COCO, and
pred_keypoints_mpii.mat for MPII, with `--annotations` its official .mat.
`--self_test` scores the truth in place of a model.
"""

import pathlib

import tensorflow as tf
from absl import app
from absl import flags

from integral_tf import config
from integral_tf import settings
from integral_tf.inference import evaluation
from integral_tf.training import checkpoint
from integral_tf.training import snapshots
from integral_tf.training import strategy

config.define_flags(config.EvaluateConfig)
flags.adopt_module_key_flags(config)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    try:
        asked = config.from_flags(config.EvaluateConfig, flags.FLAGS)
        strategy.check_alone()
        _check_records(asked)
        if asked.self_test:
            evaluation.self_test(asked)
        elif asked.checkpoints == "last":
            evaluation.evaluate(asked)
        else:
            _checkpoints(asked)
    except (ValueError, OSError, FloatingPointError) as error:
        raise SystemExit(f"evaluate: {error}") from None
    except tf.errors.OpError as error:
        # Its other lines are TensorFlow's own stack.
        sentence, _, _ = str(error).partition("\n")
        raise SystemExit(f"evaluate: TensorFlow: {sentence}") from None
    except KeyboardInterrupt:
        raise SystemExit("evaluate: interrupted; nothing written") from None


def _check_records(asked):
    """A run's own records are those that it was trained on."""
    workdir = pathlib.Path(asked.workdir)
    if asked.data or not (workdir / checkpoint.RECORDS).exists():
        return
    flagfile = workdir / checkpoint.FLAGS
    run = config.read_flagfile(config.TrainConfig, flagfile)
    checkpoint.check_own_records(workdir, run)


def _checkpoints(asked):
    """Evaluates checkpoints, and prints one line for each at the end."""
    lines = []
    for name, model in snapshots.models(asked.workdir, asked.checkpoints):
        print(f"\n{name}")
        figures = evaluation.evaluate(asked, model, name)
        shown = {k: v for k, v in figures.items() if k.startswith(("@", "AUC"))}
        shown |= {k: 100 * v for k, v in figures.get("coco", {}).items()}
        cells = "  ".join(f"{k} {v:.2f}" for k, v in shown.items())
        lines.append(f"{name:16s} {cells}")
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    app.run(main, flags_parser=settings.parse)
