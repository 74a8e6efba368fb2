"""A tiny network that says something, and crops to try it on."""

import dataclasses

import keras
import numpy as np
from PIL import Image

import integral_tf
from integral_tf.export import frozen_network
from integral_tf.inference import backends
from integral_tf.records import photographs
from integral_tf.records import shards
from integral_tf.records import synthetic
from tests import untrained


def model(method="I*", size=64, joints=16, stages=1, cells="middle"):
    """A random network whose joints are spread over the crop.

    A new network's maps are flat and its normalisations are the identity; a
    mistake in either would not show.
    """
    keras.utils.set_random_seed(0)
    built = untrained.network(
        method, joints, image_size=size, stages=stages, cells=cells
    )
    rng = np.random.default_rng(0)
    for variable in built.weights:
        noise = rng.normal(size=variable.shape)
        if not len(variable.shape):
            continue  # what is calibrated after training stays
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(np.exp(0.2 * noise))
        elif variable.name in ("beta", "moving_mean", "bias"):
            variable.assign(0.1 * noise)
        elif variable.path.endswith("points/kernel"):
            variable.assign(0.02 * noise)
        elif variable.path.endswith("scores/kernel"):
            variable.assign(0.15 * noise)
    return built


def calm_model():
    """A random network that a grey level does not disturb.

    Of `model`'s maps some have two peaks of one height, and what Pillow and the
    graph round differently tips the joint.
    """
    built = model()
    for variable in built.weights:
        if variable.path.endswith("scores/kernel"):
            variable.assign(0.1 * variable)
    return built


def crops(people=6, size=64, seed=0):
    """`(people, size, size, 3)` smooth pictures, whole numbers in 0..255."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (people, 8, 8, 3), "uint8")
    resized = [Image.fromarray(each).resize((size, size)) for each in small]
    return np.stack([np.asarray(each, np.float32) for each in resized])


def answer(built, images):
    """What Keras says, as `backends` say it."""
    outputs = built(images, training=False)
    return {name: np.asarray(outputs[name]) for name in backends.OUTPUTS}


def frozen(built, skeleton=integral_tf.skeletons.MPII, flip_test=False):
    return frozen_network.freeze(built, skeleton, flip_test)


def distance(got, want):
    """How far each joint has moved, in pixels of the crop."""
    return np.linalg.norm(got["joints"] - want["joints"], axis=-1)


def person(path):
    """A drawn person on the photograph at `path`, named by their number."""
    drawn = synthetic.person(0, int(path.stem))
    return dataclasses.replace(drawn, image=photographs.read(path))


def write_run(folder, people=24):
    """Photographs as JPEG, records of their people, and an untrained run.

    Returns:
        The run's folder; `photographs` and `data` are beside it.
    """
    (folder / "photographs").mkdir()
    paths = [folder / "photographs" / f"{i}.jpg" for i in range(people)]
    for i, path in enumerate(paths):
        Image.fromarray(synthetic.person(0, i).image).save(path, quality=92)
    shards.write(
        [(path.stem, path) for path in paths],
        person,
        folder / "data",
        integral_tf.skeletons.MPII,
        image_size=64,
        split=0.4,
        source="drawn",
        shards=2,
    )
    return untrained.run(folder / "run", "I*", folder / "data", model=model())
