r"""Every method, from records to score, learns sixteen real people by heart.

    python experiments/overfit.py --source=LSPET --out=runs/overfit

`--source` is Leeds Sports Pose or its extension, as for
datasets/build_lsp.py. A network that cannot reach PCKh@0.5 of 100 on the people
that it is trained on has a fault. About a minute a row on two cores; the same
command goes on where it was interrupted. Written to OUT: overfit.md. The exit
status is 1 if a row falls short.
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
    """People to learn by heart."""

    source: str = setting(
        "", "Folder with joints.mat and images/.", required=True
    )
    out: str = setting("", "Folder to write.", required=True)


CONFIG = OverfitConfig
INTERRUPTED = "the same command goes on"
PEOPLE, COPIES, SIZE, STRIDE = 16, 20, 64, 4
ROWS = [*[(method, 1) for method in config.METHODS], ("H1", 2), ("I1", 2)]
# H3's negatives are a function of where the joint is: a hundredth larger or
# smaller it draws others, until every pixel of a map was told what it is. I*
# has the joint loss alone to find out.
LONGER = {"H3": {"scale": 0.01, "epochs": 150}, "I*": {"epochs": 80}}


def write_records(source, out):
    """Writes the first sixteen people whom every method can get right.

    Each stands there twenty times, so that an epoch is twenty steps.
    """
    chosen = []
    for name, key in lsp.people(source):
        person = lsp.person(key)
        half_head = person.head_size / 2 * SIZE / (1.25 * max(person.box[2:]))
        # Half a head must be more than half the diagonal of a map's pixel, or
        # no maximum could be right.
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
    """Trains and scores one row unless that is done; its metrics."""
    made = config.TrainConfig(
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
        # Any pixel that H3 takes for positive must be right.
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
        trainer.train(made)
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
