r"""Overfits every method to sixteen real people, from records to score.

    python experiments/overfit.py --source=LSPET --out=runs/overfit

`--source` is Leeds Sports Pose or its extension, as for `integral-tf
build-lsp`. A network that does not reach PCKh@0.5 of 100 on its own training
people has a fault. A row takes about a minute on two cores. After an interrupt
the same command continues. It writes OUT/overfit.md. The exit status is 1 if a
row is below 100.
"""

import dataclasses
import json
import pathlib
import sys

from integral_tf import commands
from integral_tf import config
from integral_tf import runs
from integral_tf import settings
from integral_tf import skeletons
from integral_tf.evaluation import evaluate
from integral_tf.records import lsp
from integral_tf.records import shards
from integral_tf.settings import setting
from integral_tf.training import trainer


@dataclasses.dataclass(frozen=True)
class OverfitConfig(settings.Checked):
    """The people to overfit to, and the folder to write."""

    source: str = setting(
        "", "Folder with joints.mat and images/.", required=True
    )
    out: str = setting("", "Folder to write.", required=True)


CONFIG = OverfitConfig
INTERRUPTED = "the same command goes on"
PEOPLE, COPIES, SIZE, STRIDE = 16, 20, 64, 4
ROWS = [*[(method, 1) for method in config.METHODS], ("H1", 2), ("I1", 2)]
# H3 draws negatives by the joint's position. With the scale changed by 1 % it
# draws others, so that every pixel of a map gets its label in time. I* has the
# joint loss alone, and takes longer.
LONGER = {"H3": {"scale": 0.01, "epochs": 150}, "I*": {"epochs": 80}}


def write_records(source, out):
    """Writes the first sixteen people whom every method can predict right.

    Each is written twenty times, so that an epoch is twenty steps.
    """
    chosen = []
    for name, key in lsp.people(source):
        person = lsp.person(key)
        half_head = person.head_size / 2 * SIZE / (1.25 * max(person.box[2:]))
        # Half a head must exceed half the diagonal of a map's pixel, or the
        # centre of a pixel may be too far from the joint.
        if half_head > STRIDE * 0.5**0.5 + 0.5 and sum(person.visible > 0) > 11:
            chosen.append((name, key))
        if len(chosen) == PEOPLE:
            break
    people = [
        (f"{name}-{i}", key) for name, key in chosen for i in range(COPIES)
    ]
    shards.write(
        people,
        lsp.person,
        out,
        skeletons.LSP,
        SIZE,
        split=0.0,
        source="",
        shards=1,
    )


def score(method, stages, data, workdir):
    """Trains and scores one row, unless done; returns its metrics."""
    run = config.TrainConfig(
        **{"scale": 0.0, "epochs": 40, **LONGER.get(method, {})},
        method=method,
        backbone="resnet18",
        width_multiplier=0.25,
        image_size=SIZE,
        upsamplings=3,
        stages=stages,
        head_channels=64,
        batch_size=PEOPLE,
        # No augmentation: these pictures and no others.
        rotation=0.0,
        flip=False,
        # Every pixel that is positive in H3 must be right.
        radius=3.0,
        heatmap_epochs=15,
        final_epochs=5,
        patience=1000,
        tensorboard=False,
        data=str(data),
        workdir=str(workdir),
    )
    metrics = workdir / runs.EVALUATION / runs.METRICS
    if not metrics.exists():
        trainer.train(run)
        evaluate.evaluate(
            config.EvaluateConfig(workdir=str(workdir), split="train")
        )
    return json.loads(metrics.read_text())


def call(asked):
    out = pathlib.Path(asked.out)
    if not (out / "records").exists():
        write_records(asked.source, out / "records")
    lines = [
        "| Method | stages | @0.5 | @0.1 | AUC |",
        "|---|---|---|---|---|",
    ]
    worst = 100.0
    for method, stages in ROWS:
        name = f"{method}-{stages}".lower().replace("*", "star")
        got = score(method, stages, out / "records", out / "runs" / name)
        cells = [f"{got[metric]:.1f}" for metric in ("@0.5", "@0.1", "AUC")]
        lines.append(f"| {method} | {stages} | {' | '.join(cells)} |")
        worst = min(worst, got["@0.5"])
    page = "\n".join(lines).replace("I*", r"I\*") + "\n"
    (out / "overfit.md").write_text(page)
    print(page)
    if worst < 100:
        raise SystemExit(f"overfit: a row has PCKh@0.5 of {worst}, not 100")


if __name__ == "__main__":
    sys.exit(commands.script("overfit"))
