"""The input pipeline: from records to batches of windows and joints.

The host only decodes. It passes on windows as uint8; `layers.PersonCrop` turns
them into crops on the device.

Shape letters: B batch, S side of the windows, K joints.
"""

import os

import numpy as np
import tensorflow as tf

from integral_tf import coordinates
from integral_tf.pipeline import balance
from integral_tf.records import schema
from integral_tf.records.folder import Records

# Serialised people in memory, from which the next is drawn: all of a small
# dataset; COCO is also shuffled by shard. ours: at most so many, and bytes.
_SHUFFLE_PEOPLE, _SHUFFLE_BYTES = 16384, 512 * 2**20
_CYCLE = 8
# What cropping and the losses read.
_ON_DEVICE = (
    "windows", "joints", "boxes", "visible", "draws", "halves", "shades",
    "area", "to_image", "negative", "share",
)  # fmt: skip
# AutoGraph takes a second to read functions that it need not change.
_plain = tf.autograph.experimental.do_not_convert
# Random numbers per person for `layers.Photometric`.
_SHADES = 16


def division(people: int, batch_size: int, parts: int = 1) -> np.ndarray:
    """Divides the people of an epoch among steps, and a step among devices.

    ours: an epoch has everyone once, in as few steps as `batch_size` allows,
    and no step is a small rest: steps differ by one person at most, and so do
    the parts of a step. 1,000 people in batches of 128 are 8 steps of 125. So
    no step has the batch statistics of a few people, nobody weighs more than
    others, and the devices compile two sizes at most.

    Args:
        people: People of the epoch.
        batch_size: People in a step at most.
        parts: Parts of each step: one for each device.

    Returns:
        `(S, P + 1)` places in the epoch: part p of step s has the people from
        `[s, p]` to before `[s, p + 1]`.
    """
    steps = -(-people // batch_size)
    starts = people * np.arange(steps + 1) // steps
    sizes = np.diff(starts)[:, None]
    return starts[:-1, None] + sizes * np.arange(parts + 1) // parts


def train_batches(
    records,
    batch_size,
    seed,
    epoch,
    skip_steps=0,
    balance_by="",
    *,
    parts=1,
    own=None,
):
    """One epoch of shuffled people; a function of seed and epoch.

    Args:
        records: The `Records`, or their folder.
        batch_size: People in a batch at most, over all devices, as `division`
            makes batches.
        seed: Seed of order and augmentation.
        epoch: Number of the epoch, from 0.
        skip_steps: Batches to skip at the start, to resume inside an epoch;
            they are not decoded.
        balance_by: Field of the records whose values are drawn equally often,
            as `balance.order` says; empty draws everyone once.
        parts: In how many parts each batch is given, one after the other.
        own: Range of the parts to give; the people of the others are not
            decoded. None gives all.

    Returns:
        A dataset of parts of batches, of `decoder`'s dicts, with `draws`
        `(B, 3)`, `halves` `(B, 2)` and `shades` `(B, 16)`, random numbers in
        [0, 1) that depend on seed, epoch, step and place in the batch; and
        `share` `(B,)`, each person's share in a mean over the whole batch. The
        order depends on `seed`, `epoch` and the global seed
        (`keras.utils.set_random_seed`), which tf.data adds to its own. At most
        16,384 people and 512 MB of records wait in memory to be drawn; the
        order of larger datasets is mixed by shard, too.
    """
    records, own = Records.open(records), own or range(parts)
    people = records.people("train")
    bounds = division(people, batch_size, parts)[skip_steps:]
    skip = bounds[0, 0] if len(bounds) else people
    if balance_by:
        examples = balance.examples(
            records, balance_by, people, seed=seed, epoch=epoch, skip=skip
        )
    else:
        # Skipped before decoding.
        examples = _shuffled(records, seed, epoch).skip(skip)
    if len(own) < parts:
        first, last = bounds[:, own.start] - skip, bounds[:, own.stop] - skip
        examples = _between(examples, first, last)
    people = examples.map(
        decoder(records), tf.data.AUTOTUNE, deterministic=True
    )
    sizes = np.diff(bounds[:, own.start : own.stop + 1]).ravel()
    if len(sizes):  # Else nobody is left.
        # Batches of this size pass as they are; others are copied.
        people = people.batch(sizes[0]).rebatch(sizes)

    @_plain
    def with_draws(number, people):
        row, part = number // len(own), number % len(own) + own.start
        limits = tf.gather(tf.constant(bounds), row)
        first, last = limits[part] - limits[0], limits[part + 1] - limits[0]
        step = tf.cast(row, tf.int32) + skip_steps
        drawn = _draws(_stream(seed, epoch), step, limits[-1] - limits[0])
        return people | {name: each[first:last] for name, each in drawn.items()}

    return people.enumerate().map(with_draws).prefetch(tf.data.AUTOTUNE)


def _draws(stream, step, count):
    """What the people of a whole batch get besides their records."""
    seeds = {
        "draws": (3, [stream, step]),
        "shades": (_SHADES, [stream, -1 - step]),
        "halves": (2, [-1 - stream, step]),
    }
    return {
        name: tf.random.stateless_uniform([count, width], seed)
        for name, (width, seed) in seeds.items()
    } | {"share": tf.fill([count], 1 / tf.cast(count, tf.float32))}


def _between(examples, starts, stops):
    """The elements whose places are in one of the sorted ranges."""
    marks = np.zeros(stops.max(initial=0) + 1, int)
    np.add.at(marks, starts, 1)
    np.add.at(marks, stops, -1)
    kept = tf.constant(np.cumsum(marks) > 0)
    examples = examples.take(len(kept)).enumerate()
    return examples.filter(_plain(lambda place, _: kept[place])).map(_second)


def _shuffled(records, seed, epoch):
    """Serialised records of the training split, everyone once.

    Each is drawn from a buffer of at most 16,384 people, fewer where these
    would have more than 512 MB.
    """
    paths = records.paths("train")
    size = sum(os.path.getsize(path) for path in paths)
    people = records.people("train") * _SHUFFLE_BYTES // size
    order = np.random.default_rng([seed, epoch]).permutation(len(paths))
    examples = tf.data.Dataset.from_tensor_slices([paths[i] for i in order])
    examples = examples.interleave(
        tf.data.TFRecordDataset,
        cycle_length=_CYCLE,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return examples.shuffle(
        min(max(people, 1), _SHUFFLE_PEOPLE),
        seed=_stream(seed, epoch),
        reshuffle_each_iteration=False,
    )


def eval_batches(records, split, batch_size, limit=0, *, windows=True):
    """Every person of a split once, in the order of the records.

    Args:
        records: The `Records`, or their folder.
        split: Name of the split.
        batch_size: People in a batch; the last one may be smaller.
        limit: Number of people at most; 0 for all.
        windows: Whether pictures are decoded.

    Returns:
        A dataset of batches of `decoder`'s dicts.
    """
    records = Records.open(records)
    examples = tf.data.TFRecordDataset(records.paths(split))
    examples = examples.take(limit or -1)
    people = examples.map(
        decoder(records, windows), tf.data.AUTOTUNE, deterministic=True
    )
    return people.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def spread(records, split, most, *, negatives=True):
    """People of a split, evenly spread over the order of the records.

    Every record is read, but only the people returned are decoded.

    Args:
        records: The `Records`, or their folder.
        split: Name of the split.
        most: Number of people; all if there are fewer.
        negatives: Whether pictures without anybody count as people.

    Returns:
        List of the people's places among those that count, and a dataset of
        their `decoder`'s dicts.
    """
    records = Records.open(records)
    joints, total = len(records.skeleton), records.people(split)
    examples = tf.data.TFRecordDataset(records.paths(split))
    if not negatives and records.negatives(split):
        total -= records.negatives(split)
        examples = examples.filter(
            _plain(lambda record: schema.parse(record, joints)["negative"] == 0)
        )
    places = np.linspace(0, total - 1, min(most, total)).round().astype(int)
    is_chosen = tf.constant(np.isin(np.arange(total), places))
    chosen = _plain(lambda place, _: is_chosen[place])
    people = examples.enumerate().filter(chosen).map(_second)
    people = people.map(decoder(records))
    return places.tolist(), people


def ids(records, split, limit=0):
    """The ids of a split's people; no picture is decoded.

    Returns:
        `(N,)` image ids, and a list of N source_ids as bytes.

    Raises:
        ValueError: a record is damaged.
    """
    joints = len(records.skeleton)
    examples = tf.data.TFRecordDataset(records.paths(split))

    @_plain
    def names(record):
        person = schema.parse(record, joints)
        return person["image_id"], person["source_id"]

    people = examples.take(limit or -1).map(names, tf.data.AUTOTUNE)
    numbers, named = [np.zeros(0, np.int64)], []
    with records.reading(split):
        # In blocks: each step of the iterator takes milliseconds.
        for image_ids, source_ids in people.batch(1024).as_numpy_iterator():
            numbers.append(image_ids)
            named += source_ids.tolist()
    return np.concatenate(numbers), named


def decoder(records, windows=True):
    """Returns the step from a serialised record to a person.

    A person is a dict: `windows` `(S, S, 3)` uint8 RGB; `joints` `(K, 2)` and
    `boxes` `(4,)` in the window frame; `visible` `(K,)` 1.0 where labelled;
    `head_size`, in image pixels, 0 if unknown; `area`, for OKS, in square
    image pixels, 0 if unknown; `image_boxes` `(4,)`, the same box in the image
    frame; `box_score`, the detector's score, 1 for an annotated box; `to_image`
    `(2, 3)`, window -> image; `image_id`; `image_extent` `(2,)`, the image's
    width and height; `source_id`; `category`, 0 where there is none;
    `negative`, 1.0 for a picture without anybody. `windows` may be left out.
    """
    records = Records.open(records)
    joints = len(records.skeleton)
    side = records.window_size

    @_plain
    def decode(record):
        person = schema.parse(record, joints)
        pictures = {}
        if windows:
            window = tf.io.decode_jpeg(
                person["encoded"], channels=3, dct_method="INTEGER_ACCURATE"
            )
            pictures["windows"] = tf.ensure_shape(window, [side, side, 3])
        to_image, box = person["window_to_image"], person["box"]
        corner, size = coordinates.unscale_box(box, to_image)
        return {
            **pictures,
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


@_plain
def _second(first, second):
    del first
    return second


@_plain
def for_device(people):
    """Removes text, and numbers that only evaluation reads."""
    return {name: people[name] for name in _ON_DEVICE if name in people}
