r"""What each lever of the drawn people is worth on photographs, in minutes.

    python experiments/levers.py --weights=lite0.weights.h5 \
        --photographs=data/lspet_mpii --out=levers.csv

People are drawn with all of `synthetic.LEVERS`, with all but one, and with
none. EfficientNet-Lite0's first five stages stay as ImageNet left them,
so that each picture's features are computed once; a head of one deconvolution
learns from them, the same number of steps each time, and is scored on the
photographs' validation people. The differences are the point, not the level.
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
    """Defines this command's flags; not on import, which tests do, too."""
    flags.DEFINE_string("weights", None, "Of the backbone.", required=True)
    flags.DEFINE_string("photographs", None, "Records.", required=True)
    flags.DEFINE_string("out", None, "A .csv file to write.", required=True)
    flags.DEFINE_integer("people", 1500, "People drawn each time.")
    flags.DEFINE_integer("photographed", 400, "People to score on.")
    flags.DEFINE_integer("steps", 700, "Steps of 32 people.")
    flags.DEFINE_integer("seeds", 2, "Heads trained on the same features.")


def ways():
    """`(what, levers)` of each set of people."""
    every = synthetic.LEVERS
    yield "all", every
    yield "none", ()
    for left_out in every:
        yield f"all but {left_out}", [n for n in every if n != left_out]


def drawn(levers, count):
    """A batch of people, as `pipeline.batches` gives them."""
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
    """Crops, in blocks, and what the frozen stages make of them."""
    found = []
    for start in range(0, len(people["boxes"]), 100):
        some = {k: v[start : start + 100] for k, v in people.items()}
        for name in ("joints", "boxes", "visible"):
            some[name] = np.asarray(some[name], "float32")
        crops = crop(some, training=training)
        crops["features"] = body(crops.pop("images"))
        found.append({k: np.asarray(v) for k, v in crops.items()})
    return {k: np.concatenate([f[k] for f in found]) for k in found[0]}


def trained(seen, steps, seed):
    """A head that has learnt from features."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(seen["features"].shape[1:])
    maps = layers.HeatmapHead(16, 1, 96, name="head")(inputs)
    model = keras.Model(inputs, maps)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(
        keras.optimizers.Adam(rate),
        losses.GaussianCrossEntropy(CELL, 1.0),
    )
    truth = np.concatenate(
        [seen["joints"], seen["visible"][..., None]], axis=-1
    ).astype("float32")
    epochs = -(-steps * 32 // len(truth))
    model.fit(seen["features"], truth, 32, epochs, verbose=0)
    return model


def score(model, seen, sizes):
    """PCKh@0.5, at the beta that reads the maps best."""
    maps = model.predict(seen["features"], 100, verbose=0)
    scores = []
    for beta in BETAS:
        joints = layers.IntegralRegression(CELL, beta)(maps)
        scores.append(
            metrics.pckh(
                np.asarray(joints), seen["joints"], seen["visible"], sizes
            ).at[0.5]
        )
    return max(scores)


def photographed(folder, count):
    """People of records' validation split, and their heads in the crop."""
    found = []
    for some in batches.eval_batches(folder, "val", 100, count):
        some = {k: np.asarray(v) for k, v in some.items()}
        side = coordinates.BOX_MARGIN * some["image_boxes"][:, 2:].max(axis=1)
        some["sizes"] = some["head_size"] * SIDE / side
        found.append(some)
    return {k: np.concatenate([f[k] for f in found]) for k in found[0]}


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
            seen = features_of(
                drawn(levers, given.people), crop, frozen, training=True
            )
            figures = [
                round(score(trained(seen, given.steps, seed), real, sizes), 1)
                for seed in range(given.seeds)
            ]
            writer.writerow([what, *figures])
            file.flush()
            print(what, *figures, flush=True)


if __name__ == "__main__":
    define_flags()
    app.run(main)
