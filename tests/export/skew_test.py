"""One person three ways: training's pipeline, the estimator, the SavedModel.

From the record, by `RandomCrop` without augmentation; from the photograph, by
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
from integral_tf.inference import estimator
from integral_tf.pipeline import batches
from integral_tf.records import photographs
from integral_tf.records import synthetic
from tests.export import cases


def centroid(size=64):
    """A model whose 16 joints are where the crop is red, green, blue or bright.

    Its answer moves with the picture, by as much as the picture.
    """
    images = keras.Input((size, size, 3), name="images")
    colours = keras.layers.Conv2D(16, 1, use_bias=False, name="colours")
    read = layers.IntegralRegression(1, confidence=True, name="integral")(
        colours(images)
    )
    model = keras.Model(
        images, {"joints": read["joints"], "scores": read["confidence"]}
    )
    rng = np.random.default_rng(0)
    # Peaks of 10 or so, above log(64 * 64) = 8.3.
    colours.set_weights([rng.uniform(-0.04, 0.04, (1, 1, 3, 16))])
    return model


def through_the_pipeline(model, data):
    """Joints in the image by the person's name, from their records."""
    crop = layers.RandomCrop(64, 64, integral_tf.skeletons.MPII.mirrored_order)
    found = {}
    for people in batches.eval_batches(data, "val", 8):
        wanted = ("windows", "boxes", "joints", "visible")
        crops = crop({name: people[name] for name in wanted})
        joints = model(crops["images"], training=False)["joints"]
        joints = coordinates.apply(crops["to_window"], joints)
        joints = coordinates.apply(people["to_image"], joints)
        names = (name.decode() for name in people["source_id"].numpy())
        found.update(zip(names, joints))
    return found


def through_the_estimator(model, path, box):
    return estimator.PoseEstimator(model)(photographs.read(path), [box])[0]


@pytest.mark.parametrize("which", ["centroid", "network"])
def test_all_ways_lead_to_the_same_joints(run, which, tmp_path, capsys):
    model = centroid() if which == "centroid" else cases.model()
    saved_model.write(cases.frozen(model), tmp_path)
    loaded = tf.saved_model.load(str(tmp_path))
    served = loaded.signatures["predict_bytes"]
    piped = through_the_pipeline(model, run.parent / "data")
    apart = {"pipeline": [], "SavedModel": []}
    for name, joints in piped.items():
        path = run.parent / "photographs" / f"{name}.jpg"
        box = synthetic.person(0, int(name)).box
        want = through_the_estimator(model, path, box).joints
        got = served(
            image_bytes=tf.constant(path.read_bytes()),
            boxes=tf.constant([box], tf.float32),
        )["joints"][0]
        # In pixels of the crop, whatever the person's size.
        scale = 64 / (max(box[2:]) * coordinates.BOX_MARGIN)
        for way, found in (("pipeline", joints), ("SavedModel", got)):
            apart[way].append(scale * np.linalg.norm(found - want, axis=-1))
    assert len(piped) >= 5
    with capsys.disabled():
        for way, distances in apart.items():
            print(
                f"\n{which}, {way} against estimator: typically "
                f"{np.median(distances):.2g} px, at most "
                f"{np.max(distances):.2g}"
            )
    # The SavedModel's crop is the estimator's but for single grey levels.
    assert np.max(apart["SavedModel"]) < 0.01
    # Records hold a JPEG of a picture resampled once before.
    assert np.median(apart["pipeline"]) < 0.1
    assert np.max(apart["pipeline"]) < 1.0
