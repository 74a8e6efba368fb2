r"""A trained heat-map model, read by an integral, then trained on as one.

    python experiments/integralize.py --workdir=RUN --out=runs/integralized

`--workdir` is a finished run of H1, H2 or H3. Its network is taken as somebody
else's heat-map model would be: `integral_tf.integralize` reads its maps,
`integral_tf.calibrate` chooses beta on the validation people, and Keras's own
`fit` trains it for a few epochs by the joints and by a heat-map loss, as the
paper's second phase has it; then beta is chosen again. OUT is a run that the
commands take, and has table.md with PCKh of the three. About a minute an epoch
on one core for the small network.
"""

import dataclasses
import pathlib
import sys

import keras
import tensorflow as tf

import integral_tf
from integral_tf import commands
from integral_tf import config
from integral_tf import layers
from integral_tf import losses
from integral_tf import runs
from integral_tf import settings
from integral_tf.evaluation import predictions
from integral_tf.models import reading
from integral_tf.pipeline import batches
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class IntegralizeConfig(settings.Checked):
    """A run, and how it is trained on."""

    workdir: str = setting(
        "", "Finished run of a heat-map method.", required=True
    )
    out: str = setting("", "Folder to write.", required=True)
    data: str = setting("", "Records; empty for the run's.", main=True)
    epochs: int = setting(6, "Of training by the joints.", low=0, main=True)
    learning_rate: float = setting(
        3e-4, "Adam's at first; it falls to 0 as a cosine.", above=0
    )
    heatmap_reading: str = setting(
        "softmax",
        "What the heat-map loss sees: the softmaxed map, with a beta of 1 for "
        "both losses, or the raw one, as H1 does, beside the calibrated beta.",
        ("softmax", "gaussian"),
        main=True,
    )
    heatmap_weight: float = setting(
        1.0, "Of the heat-map loss beside the joint loss.", low=0
    )
    batch_size: int = setting(32, "People in a step.", low=1, main=True)
    seed: int = setting(0, "Of order and augmentation.", low=0)


CONFIG = IntegralizeConfig


def crops(people, crop, training):
    """What `fit` and `calibrate` want of a batch of records' people."""
    made = crop(batches.for_device(people), training=training)
    truth = made["labels"]
    return made["images"], {"joints": truth, "heatmaps": truth}


def pckh(asked, model, records):
    """`metrics.Pckh` on the validation people."""
    wanted = config.EvaluateConfig(workdir=asked.workdir)
    seen = predictions.predict(model, wanted, records)
    return seen.pckh(records.skeleton)[0]


def _heatmap_loss(asked, layer, sigma):
    if asked.heatmap_reading == "gaussian":
        return losses.GaussianSquaredError(layer.stride, sigma)
    return losses.GaussianCrossEntropy(layer.stride, sigma, layer.beta)


def fine_tune(asked, model, records, crop, sigma):
    """Keras's `fit`, on other people and other draws in each epoch."""
    if asked.heatmap_reading == "softmax":
        reading.set_beta(model, 1.0)
    stride = model.get_layer("integral").stride
    steps = records.people("train") // asked.batch_size
    rate = keras.optimizers.schedules.CosineDecay(
        asked.learning_rate, max(steps * asked.epochs, 1)
    )
    model.compile(
        keras.optimizers.Adam(rate),
        loss={
            "joints": losses.JointL1(unit=stride),
            "heatmaps": _heatmap_loss(
                asked, model.get_layer("integral"), sigma
            ),
        },
        loss_weights={"joints": 1.0, "heatmaps": asked.heatmap_weight},
        jit_compile=False,
    )
    # Told how many there are, Keras shows the time left.
    known = tf.data.experimental.assert_cardinality(steps)
    for epoch in range(asked.epochs):
        people = batches.train_batches(
            records, asked.batch_size, asked.seed, epoch
        )
        drawn = people.map(lambda some: crops(some, crop, True)).apply(known)
        model.fit(drawn, epochs=epoch + 1, initial_epoch=epoch)


def call(asked):
    out = pathlib.Path(asked.out)
    runs.check_new(out)
    run = runs.Run.open(asked.workdir)
    records = run.records(asked.data)
    skeleton = records.skeleton
    keras.utils.set_random_seed(asked.seed)
    trained = run.model
    model = integral_tf.integralize(trained, "heatmaps")
    crop = layers.PersonCrop(*model.input_shape[1:3], skeleton.mirrored_order)
    rows = [("maximum, as trained", pckh(asked, trained, records))]
    people = batches.eval_batches(records, "val", asked.batch_size)
    people = people.map(lambda some: crops(some, crop, False))
    beta = integral_tf.calibrate(model, people).beta
    name = f"integral, beta {beta:g}, untrained"
    rows.append((name, pckh(asked, model, records)))
    fine_tune(asked, model, records, crop, run.config.sigma)
    beta = integral_tf.calibrate(model, people).beta
    name = f"integral, beta {beta:g}, after {asked.epochs} epochs"
    rows.append((name, pckh(asked, model, records)))
    table = "| Read by | @0.5 | @0.1 | AUC |\n|---|---:|---:|---:|\n"
    for name, score in rows:
        table += f"| {name} | {score.at[0.5]:.1f} | {score.at[0.1]:.2f} "
        table += f"| {score.auc:.2f} |\n"
    print(table)
    as_run = dataclasses.replace(
        run.config,
        method=run.config.method.replace("H", "I"),
        data=str(records.folder),
        beta=beta,
    )
    runs.save_run(model, as_run, skeleton, out)
    (out / "table.md").write_text(table)


if __name__ == "__main__":
    sys.exit(commands.script("integralize"))
