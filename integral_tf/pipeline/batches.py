"""The input pipeline: from records to batches of windows and joints.

The host only decodes. It passes on windows as uint8; `layers.PersonCrop` turns
them into crops on the device.

Shape letters: B batch, S side of the windows, K joints.
"""

import numpy as np
import tensorflow as tf

from integral_tf import coordinates
from integral_tf.pipeline import balance
from integral_tf.records import schema
from integral_tf.records.folder import Records

# Holds all of a small dataset; COCO is also shuffled by shard.
_SHUFFLE_BUFFER = 16384
_CYCLE = 8
# What cropping and the losses read.
_ON_DEVICE = (
    "windows", "joints", "boxes", "visible", "draws", "shades", "area",
    "to_image", "negative",
)  # fmt: skip
# Random numbers per person for `layers.Photometric`.
_SHADES = 16


def train_batches(
    records, batch_size, seed, epoch, skip_steps=0, balance_by=""
):
    """One epoch of shuffled people; a function of seed and epoch.

    Args:
        records: The `Records`, or their folder.
        batch_size: People in a batch, over all devices. A last batch that is
            not full is left out.
        seed: Seed of order and augmentation.
        epoch: Number of the epoch, from 0.
        skip_steps: Batches to skip at the start, to resume inside an epoch;
            they are not decoded.
        balance_by: Field of the records whose values are drawn equally often,
            as `balance.order` says; empty draws everyone once.

    Returns:
        A dataset of batches of `decoder`'s dicts, with `draws` `(B, 3)`
        and `shades` `(B, 16)`, random numbers in [0, 1) that depend on seed,
        epoch and step. The order depends on `seed`, `epoch` and the global
        seed (`keras.utils.set_random_seed`), which tf.data adds to its own.
    """
    records = Records.open(records)
    if balance_by:
        steps = records.people("train") // batch_size
        examples = balance.examples(
            records,
            balance_by,
            steps * batch_size,
            seed=seed,
            epoch=epoch,
            skip=skip_steps * batch_size,
        )
    else:
        # Skipped before decoding.
        examples = _shuffled(records, seed, epoch).skip(skip_steps * batch_size)
    people = examples.map(
        decoder(records), tf.data.AUTOTUNE, deterministic=True
    )
    # Full batches only: static shapes let XLA compile once.
    batches = people.batch(batch_size, drop_remainder=True)

    def add_draws(step, people):
        step, stream = (
            tf.cast(step, tf.int32) + skip_steps,
            _stream(seed, epoch),
        )
        draws = tf.random.stateless_uniform([batch_size, 3], [stream, step])
        shades = tf.random.stateless_uniform(
            [batch_size, _SHADES], [stream, -1 - step]
        )
        return {**people, "draws": draws, "shades": shades}

    batches = batches.enumerate().map(add_draws)
    return batches.prefetch(tf.data.AUTOTUNE)


def _shuffled(records, seed, epoch):
    """Serialised records of the training split, everyone once."""
    paths = records.paths("train")
    order = np.random.default_rng([seed, epoch]).permutation(len(paths))
    examples = tf.data.Dataset.from_tensor_slices([paths[i] for i in order])
    examples = examples.interleave(
        tf.data.TFRecordDataset,
        cycle_length=_CYCLE,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return examples.shuffle(
        _SHUFFLE_BUFFER,
        seed=_stream(seed, epoch),
        reshuffle_each_iteration=False,
    )


def eval_batches(records, split, batch_size, limit=0):
    """Every person of a split once, in the order of the records.

    Args:
        records: The `Records`, or their folder.
        split: Name of the split.
        batch_size: People in a batch; the last one may be smaller.
        limit: Number of people at most; 0 for all.

    Returns:
        A dataset of batches of `decoder`'s dicts.
    """
    records = Records.open(records)
    examples = tf.data.TFRecordDataset(records.paths(split))
    examples = examples.take(limit or -1)
    people = examples.map(
        decoder(records), tf.data.AUTOTUNE, deterministic=True
    )
    return people.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def spread(records, split, most):
    """People of a split, evenly spread over the order of the records.

    Every record is read, but only the people returned are decoded.

    Args:
        records: The `Records`, or their folder.
        split: Name of the split.
        most: Number of people; all if there are fewer.

    Returns:
        List of the people's places in the split, and a dataset of their
        `decoder`'s dicts.
    """
    records = Records.open(records)
    total = records.people(split)
    places = np.linspace(0, total - 1, min(most, total)).round().astype(int)
    chosen = tf.constant(np.isin(np.arange(total), places))
    examples = tf.data.TFRecordDataset(records.paths(split)).enumerate()
    examples = examples.filter(lambda place, _: chosen[place])
    people = examples.map(lambda _, record: record).map(decoder(records))
    return places.tolist(), people


def ids(records, split, limit=0):
    """The ids of a split's people; no picture is decoded.

    Returns:
        `(N,)` image ids, and a list of N source_ids as bytes.
    """
    joints = len(records.skeleton)
    examples = tf.data.TFRecordDataset(records.paths(split))

    def names(record):
        person = schema.parse(record, joints)
        return person["image_id"], person["source_id"]

    people = examples.take(limit or -1).map(names, tf.data.AUTOTUNE)
    rows = list(people.as_numpy_iterator())
    return np.array([i for i, _ in rows], np.int64), [name for _, name in rows]


def decoder(records):
    """Returns the step from a serialised record to a person.

    A person is a dict: `windows` `(S, S, 3)` uint8 RGB; `joints` `(K, 2)` and
    `boxes` `(4,)` in the window frame; `visible` `(K,)` 1.0 where labelled;
    `head_size`, in image pixels, 0 if unknown; `area`, for OKS, in square
    image pixels, 0 if unknown; `image_boxes` `(4,)`, the same box in the image
    frame; `box_score`, the detector's score, 1 for an annotated box; `to_image`
    `(2, 3)`, window -> image; `image_id`; `image_extent` `(2,)`, the image's
    width and height; `source_id`; `category`, 0 where there is none;
    `negative`, 1.0 for a picture without anybody.
    """
    records = Records.open(records)
    joints = len(records.skeleton)
    side = records.window_size

    def decode(record):
        person = schema.parse(record, joints)
        window = tf.io.decode_jpeg(
            person["encoded"], channels=3, dct_method="INTEGER_ACCURATE"
        )
        to_image, box = person["window_to_image"], person["box"]
        corner, size = coordinates.unscale_box(box, to_image)
        return {
            "windows": tf.ensure_shape(window, [side, side, 3]),
            "joints": coordinates.unscale(person["joints"], to_image),
            "boxes": tf.concat([corner, size], axis=0),
            "visible": tf.cast(person["visible"] > 0, tf.float32),
            "head_size": person["head_size"],
            "area": person["area"],
            "image_boxes": box,
            "box_score": person["score"],
            "to_image": to_image,
            "image_id": person["image_id"],
            "image_extent": person["image_extent"],
            "source_id": person["source_id"],
            "category": person["category"],
            "negative": person["negative"],
        }

    return decode


def _stream(seed, epoch):
    """A seed for one epoch, unrelated to those of other epochs."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0] >> 1)


def for_device(people):
    """Removes text, and numbers that only evaluation reads."""
    return {name: people[name] for name in _ON_DEVICE if name in people}
