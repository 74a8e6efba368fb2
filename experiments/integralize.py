r"""Adds an integral to a trained heat-map model, and fine-tunes it.

    python experiments/integralize.py --workdir=RUN --out=runs/integralized

`--workdir` is a finished run of H1, H2 or H3. Its network is treated like a
heat-map model of another project:

1. `integral_tf.integralize` adds the integral.
2. `integral_tf.calibrate` chooses beta on the validation people.
3. Keras's `fit` trains a few epochs with the joint loss and a heat-map loss, as
   in the paper's second phase.
4. `integral_tf.calibrate` chooses beta again.

OUT is a run that the commands take, with a table.md of PCKh before, after step
2, and after step 4. An epoch of the small network takes about a minute on one
core.
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
    """A run, and the settings of its fine-tuning."""

    workdir: str = setting(
        "", "Finished run of a heat-map method.", required=True
    )
    out: str = setting("", "Folder to write.", required=True)
    data: str = setting(
        "", "Folder of records; empty takes the run's own.", main=True
    )
    epochs: int = setting(6, "Epochs of fine-tuning.", low=0, main=True)
    learning_rate: float = setting(
        3e-4, "Adam's first learning rate; it falls to 0 as a cosine.", above=0
    )
    heatmap_reading: str = setting(
        "softmax",
        "Input of the heat-map loss: softmax, the softmaxed map, with a beta "
        "of 1 for both losses; or gaussian, the raw map, as in H1, with the "
        "calibrated beta for the joint loss.",
        ("softmax", "gaussian"),
        main=True,
    )
    heatmap_weight: float = setting(
        1.0, "Weight of the heat-map loss; the joint loss has 1.", low=0
    )
    batch_size: int = setting(32, "People per step.", low=1, main=True)
    seed: int = setting(0, "Seed of order and augmentation.", low=0)


CONFIG = IntegralizeConfig


def crops(people, crop, training):
    """A batch of records as `(images, truth)`, for `fit` and `calibrate`."""
    outputs = crop(batches.for_device(people), training=training)
    truth = outputs["labels"]
    return outputs["images"], {"joints": truth, "heatmaps": truth}


def pckh(asked, model, records):
    """The `metrics.Pckh` of a model on the validation people."""
    wanted = config.EvaluateConfig(workdir=asked.workdir)
    predicted = predictions.predict(model, wanted, records)
    return predicted.pckh(records.skeleton)[0]


def _heatmap_loss(asked, layer, sigma):
    if asked.heatmap_reading == "gaussian":
        return losses.GaussianSquaredError(layer.stride, sigma)
    return losses.GaussianCrossEntropy(layer.stride, sigma, layer.beta)


def fine_tune(asked, model, records, crop, sigma):
    """Runs Keras's `fit`, with a new order and new augmentation per epoch."""
    if asked.heatmap_reading == "softmax":
        reading.set_beta(model, 1.0)
    stride = model.get_layer("integral").stride
    steps = len(batches.division(records.people("train"), asked.batch_size))
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
    # With a known number of steps, Keras shows the time left.
    known = tf.data.experimental.assert_cardinality(steps)
    for epoch in range(asked.epochs):
        people = batches.train_batches(
            records, asked.batch_size, asked.seed, epoch
        )
        augmented = people.map(lambda batch: crops(batch, crop, True))
        model.fit(augmented.apply(known), epochs=epoch + 1, initial_epoch=epoch)


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
    people = people.map(lambda batch: crops(batch, crop, False))
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
