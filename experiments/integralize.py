r"""A trained heat-map model, read by an integral, then trained on as one.

    python experiments/integralize.py --workdir=RUN --out=runs/integralized

`--workdir` is a finished run of H1, H2 or H3. Its network is taken as somebody
else's heat-map model would be: `integral_tf.integralize` reads its maps,
`integral_tf.calibrate` chooses beta on the validation people, and Keras's own
`fit` trains it for a few epochs by the joints and by a heat-map loss, as the
paper's second phase has it; then beta is chosen again. OUT is a run that
evaluate.py, predict.py and export.py take, and has table.md with PCKh of the
three. About a minute an epoch on one core for the small network.
"""

import dataclasses
import pathlib

import keras
import tensorflow as tf
from absl import app
from absl import flags

import integral_tf
from integral_tf import config
from integral_tf import flagfiles
from integral_tf import layers
from integral_tf import losses
from integral_tf import metrics
from integral_tf.inference import calibrate
from integral_tf.inference import loading
from integral_tf.inference import predictions
from integral_tf.pipeline import batches
from integral_tf.records import shards
from integral_tf.training import checkpoint

_WORKDIR = flags.DEFINE_string(
    "workdir", None, "Finished run of a heat-map method.", required=True
)
_OUT = flags.DEFINE_string("out", None, "Folder to write.", required=True)
_DATA = flags.DEFINE_string("data", "", "Records; empty for the run's.")
_EPOCHS = flags.DEFINE_integer("epochs", 6, "Of training by the joints.", 0)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", 3e-4, "Adam's at first; it falls to 0 as a cosine.", 0.0
)
_READING = flags.DEFINE_enum(
    "heatmap_reading",
    "softmax",
    ["softmax", "gaussian"],
    "What the heat-map loss sees: the softmaxed map, with a beta of 1 for both "
    "losses, or the raw one, as H1 does, beside the calibrated beta.",
)
_HEATMAP_WEIGHT = flags.DEFINE_float(
    "heatmap_weight", 1.0, "Of the heat-map loss beside the joint loss.", 0.0
)
_BATCH = flags.DEFINE_integer("batch_size", 32, "People in a step.", 1)
_SEED = flags.DEFINE_integer("seed", 0, "Of order and augmentation.")


def crops(people, crop, training):
    """What `fit` and `calibrate` want of a batch of records' people."""
    made = crop(predictions.for_device(people), training=training)
    seen = made["visible"][..., None]
    truth = tf.concat([made["joints"], seen], axis=-1)
    return made["images"], {"joints": truth, "heatmaps": truth}


def pckh(model, data, skeleton):
    """`metrics.Pckh` on the validation people."""
    wanted = config.EvaluateConfig(workdir=_WORKDIR.value)
    seen = predictions.predict(model, wanted, data, skeleton)
    lengths, _ = metrics.reference_lengths(seen.head_size, seen.box)
    return metrics.pckh(
        seen.joints, seen.truth, seen.visible, lengths, skeleton
    )


def _heatmap_loss(layer, sigma):
    if _READING.value == "gaussian":
        return losses.GaussianSquaredError(layer.stride, sigma)
    return losses.GaussianCrossEntropy(layer.stride, sigma, layer.beta)


def fine_tune(model, data, crop, sigma):
    """Keras's `fit`, on other people and other draws in each epoch."""
    if _READING.value == "softmax":
        calibrate.set_beta(model, 1.0)
    stride = model.get_layer("integral").stride
    steps = shards.read_manifest(data)["splits"]["train"]["people"]
    steps //= _BATCH.value
    rate = keras.optimizers.schedules.CosineDecay(
        _LEARNING_RATE.value, max(steps * _EPOCHS.value, 1)
    )
    model.compile(
        keras.optimizers.Adam(rate),
        loss={
            "joints": losses.JointL1(unit=stride),
            "heatmaps": _heatmap_loss(model.get_layer("integral"), sigma),
        },
        loss_weights={"joints": 1.0, "heatmaps": _HEATMAP_WEIGHT.value},
        jit_compile=False,
    )
    # Told how many there are, Keras shows the time left.
    known = tf.data.experimental.assert_cardinality(steps)
    for epoch in range(_EPOCHS.value):
        people = batches.train_batches(data, _BATCH.value, _SEED.value, epoch)
        drawn = people.map(lambda some: crops(some, crop, True)).apply(known)
        model.fit(drawn, epochs=epoch + 1, initial_epoch=epoch)


def run(out):
    checkpoint.check_new(out)
    workdir = pathlib.Path(_WORKDIR.value)
    run_of = flagfiles.read(config.TrainConfig, workdir / "flags.cfg")
    data = _DATA.value or run_of.data
    skeleton = shards.read_skeleton(data)
    keras.utils.set_random_seed(_SEED.value)
    trained = loading.load(workdir)
    model = integral_tf.integralize(trained, "heatmaps")
    crop = layers.RandomCrop(*model.input_shape[1:3], skeleton.mirrored_order)
    rows = [("maximum, as trained", pckh(trained, data, skeleton))]
    people = batches.eval_batches(data, "val", _BATCH.value)
    people = people.map(lambda some: crops(some, crop, False))
    beta = integral_tf.calibrate(model, people).beta
    name = f"integral, beta {beta:g}, untrained"
    rows.append((name, pckh(model, data, skeleton)))
    fine_tune(model, data, crop, run_of.sigma)
    beta = integral_tf.calibrate(model, people).beta
    name = f"integral, beta {beta:g}, after {_EPOCHS.value} epochs"
    rows.append((name, pckh(model, data, skeleton)))
    table = "| Read by | @0.5 | @0.1 | AUC |\n|---|---:|---:|---:|\n"
    for name, score in rows:
        table += f"| {name} | {score.at[0.5]:.1f} | {score.at[0.1]:.2f} "
        table += f"| {score.auc:.2f} |\n"
    print(table)
    as_run = dataclasses.replace(
        run_of, method=run_of.method.replace("H", "I"), data=data, beta=beta
    )
    checkpoint.save_run(model, as_run, skeleton, out)
    (out / "table.md").write_text(table)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    out = pathlib.Path(_OUT.value)
    try:
        run(out)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    app.run(main)
