r"""Scores a run: PCKh@0.5, @0.1 and AUC, and pictures to look at.

    python evaluate.py --workdir=runs/i1 --split=val --out=runs/i1/evaluation

`--out` is a new folder, or one of an earlier evaluation, which is replaced:

    table.md          the figures, per joint group, beside the paper's row
    metrics.json      the same for programs
    curve.png         PCKh over alpha, as Figure 3
    sheet.png         best, median and worst people; truth white
    predictions.json  joints in COCO's result format, image pixels
"""

from absl import app
from absl import flags

from integral_tf import config
from integral_tf.inference import evaluation

config.define_flags(config.EvaluateConfig)
flags.adopt_module_key_flags(config)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    try:
        evaluation.evaluate(
            config.from_flags(config.EvaluateConfig, flags.FLAGS)
        )
    except (ValueError, OSError) as error:
        raise SystemExit(f"evaluate: {error}") from None


if __name__ == "__main__":
    app.run(main)
