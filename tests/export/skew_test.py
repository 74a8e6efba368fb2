"""One person three ways: training's pipeline, the estimator, the SavedModel.

From the record, by `PersonCrop` without augmentation; from the photograph, by
`PoseEstimator`; and from the same JPEG, by the SavedModel's own decoder and
crop. A half pixel of one convention in another's place would show as half a
pixel here.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import integral_tf
from integral_tf import coordinates
from integral_tf import layers
from integral_tf.export import saved_model
from integral_tf.pipeline import batches
from integral_tf.records import photographs
from integral_tf.records import synthetic
from integral_tf.records.folder import Records
from tests.export import cases


def centroid(size=64):
    """A model whose joints are the middle of what is bright, or dark.

    Its answer moves with the picture, by as much as the picture.
    """
    images = keras.Input((size, size, 3), name="images")
    brightness = keras.layers.Conv2D(16, 1, use_bias=False, name="brightness")
    read = layers.IntegralRegression(1, confidence=True, name="integral")(
        brightness(images)
    )
    model = keras.Model(
        images, {"joints": read["joints"], "scores": read["confidence"]}
    )
    # From 5 below black to 5 above it: e^5 to 1 between white and black.
    gains = np.linspace(-0.02, 0.02, 16) / 3 * np.ones((1, 1, 3, 1))
    brightness.set_weights([gains])
    return model


def through_the_pipeline(model, data):
    """Yields people's names, and their joints in the image."""
    crop = layers.PersonCrop(64, 64, integral_tf.skeletons.MPII.mirrored_order)
    for people in batches.eval_batches(Records.open(data), "val", 8):
        wanted = ("windows", "boxes", "joints", "visible")
        crops = crop({name: people[name] for name in wanted})
        joints = model(crops["images"], training=False)["joints"]
        joints = coordinates.apply(crops["to_window"], joints)
        joints = coordinates.apply(people["to_image"], joints)
        names = (name.decode() for name in people["source_id"].numpy())
        yield from zip(names, joints)


def apart(model, run, folder):
    """How far each way's joints are from the estimator's, in crop pixels.

    Returns:
        Dict of `(N, K, 2)` differences for "pipeline" and "SavedModel".
    """
    saved_model.write(cases.frozen(model), folder)
    loaded = tf.saved_model.load(str(folder))
    served = loaded.signatures["predict_bytes"]
    estimate = integral_tf.PoseEstimator(model, "mpii")
    differences = {"pipeline": [], "SavedModel": []}
    for name, joints in through_the_pipeline(model, run.parent / "data"):
        path = run.parent / "photographs" / f"{int(name)}.jpg"
        box = synthetic.person(0, int(name)).box
        (want,) = estimate(photographs.read(path), [box])
        got = served(
            image_bytes=tf.constant(path.read_bytes()),
            boxes=tf.constant([box], tf.float32),
        )["joints"][0]
        scale = 64 / (max(box[2:]) * coordinates.BOX_MARGIN)
        for way, found in (("pipeline", joints), ("SavedModel", got)):
            differences[way].append(scale * (found - want.joints))
    return {way: np.stack(each) for way, each in differences.items()}


@pytest.mark.parametrize("which", ["centroid", "network"])
def test_all_ways_lead_to_the_same_joints(run, which, tmp_path, capsys):
    model = centroid() if which == "centroid" else cases.model()
    differences = apart(model, run, tmp_path)
    figures = {}
    for way, each in differences.items():
        distance = np.linalg.norm(each, axis=-1)
        figures[way] = np.median(distance), np.max(distance)
        with capsys.disabled():
            print(
                f"\n{which}: {way} and estimator, {len(each)} people: "
                f"typically {figures[way][0]:.2g} px, at most "
                f"{figures[way][1]:.2g}"
            )
    typical, largest = figures["SavedModel"]
    # The SavedModel's crop is the estimator's but for single grey levels.
    assert typical < 1e-3
    if which == "network":
        assert largest < 0.05  # it makes much of a grey level, being random
        return
    assert largest < 0.01
    # Records hold a JPEG of the person, resampled once more than the crop.
    typical, largest = figures["pipeline"]
    assert typical < 0.1 and largest < 1.5
    # But not to one side: half a pixel of skew would show as half a pixel.
    assert np.abs(differences["pipeline"].mean(axis=(0, 1))).max() < 0.05
