"""An epoch in which every value of a field of the records is drawn alike.

The records are read at their places in the shards, in an order that is a
function of seed and epoch.

Shape letters: N people.
"""

from __future__ import annotations

import collections
import functools
import os

import numpy as np
import tensorflow as tf

from integral_tf.records import schema
from integral_tf.records.folder import Records

# Values of a field that a line names.
_NAMED = 12
_BLOCK = 1024  # records that are read at a time


def check(records: Records, field: str) -> None:
    """Requires that records have a field.

    Raises:
        ValueError: they do not.
    """
    known = (*records.fields, schema.CATEGORY)
    if field not in known:
        raise ValueError(
            "A balance is by a field of the records, which `build-coco "
            "--field` takes from the annotations or images: here "
            f"{', '.join(known)}. Received: --balance={field}"
        )


def described(records: Records, field: str) -> str:
    """The training records by value, in words, most frequent first."""
    counts = collections.Counter(_places(records, field)[1].tolist())
    none = b"0" if field == schema.CATEGORY else b""
    said = [
        f"{'none' if value == none else value.decode(errors='replace')}: "
        f"{count}"
        for value, count in counts.most_common()
    ]
    if len(said) > _NAMED:
        rest = len(said) - _NAMED + 1
        said = [*said[: _NAMED - 1], f"{rest} more, the least {said[-1]}"]
    return (
        f"each value of {field} is drawn equally often; records with it: "
        f"{', '.join(said)}"
    )


def examples(
    records: Records,
    field: str,
    count: int,
    *,
    seed: int,
    epoch: int,
    skip: int = 0,
) -> tf.data.Dataset:
    """Serialised records of the training split, balanced.

    Args:
        records: The `Records`.
        field: Name of the field.
        count: How many to draw in the epoch.
        seed: Seed of the order.
        epoch: Number of the epoch, from 0.
        skip: How many of these to leave out at the start; they are not read.
    """
    places, values = _places(records, field)
    chosen = order(values, count, seed, epoch)[skip:]
    paths = records.paths("train")

    def read(place):
        shard, offset, length = place
        with open(paths[shard], "rb") as file:
            file.seek(offset)
            return file.read(length)

    @tf.autograph.experimental.do_not_convert
    def load(place):
        return tf.ensure_shape(tf.numpy_function(read, [place], tf.string), [])

    places = tf.data.Dataset.from_tensor_slices(places[chosen])
    return places.map(load, tf.data.AUTOTUNE, deterministic=True)


def order(values: np.ndarray, count: int, seed: int, epoch: int) -> np.ndarray:
    """Draws people so that every value comes equally often.

    Each round has every value once, in random order; the last round of an epoch
    may be cut. The people of a value take turns: over the epochs each comes
    equally often, in an order that is new each time.

    Args:
        values: `(N,)` value of each person.
        count: Number of draws.
        seed: Seed of the order.
        epoch: Number of the epoch, from 0.

    Returns:
        `(count,)` positions in `values`.
    """
    _, value = np.unique(values, return_inverse=True)
    people = np.split(
        np.argsort(value, kind="stable"), np.cumsum(np.bincount(value))[:-1]
    )
    rounds = -(-count // len(people))
    keys = np.random.default_rng([seed, epoch, 1]).random((rounds, len(people)))
    drawn = np.argsort(keys, axis=1).ravel()[:count]
    by_value = np.argsort(drawn, kind="stable")
    counts = np.bincount(drawn, minlength=len(people))
    chosen = np.empty(count, int)
    for v, draws in enumerate(np.split(by_value, np.cumsum(counts)[:-1])):
        turn = epoch * rounds + draws // len(people)
        cycle, place = np.divmod(turn, len(people[v]))
        starts = np.flatnonzero(np.diff(cycle, prepend=-1))
        for part in np.split(np.arange(len(draws)), starts[1:]):
            if len(part):
                rng = np.random.default_rng([seed, v, cycle[part[0]], 2])
                chosen[draws[part]] = rng.permutation(people[v])[place[part]]
    return chosen


def _places(records, field):
    """`(N, 3)` number of the shard, offset and length; `(N,)` values."""
    places, values = [], []
    for number, path in enumerate(records.paths("train")):
        status = os.stat(path)
        lengths, found = _shard(path, field, status.st_size, status.st_mtime_ns)
        # A record stands between 12 bytes before and 4 bytes after.
        ends = np.cumsum(lengths + 16)
        shard = np.full(len(lengths), number)
        places.append(np.stack([shard, ends - lengths - 4, lengths], axis=-1))
        values.append(found)
    return np.concatenate(places), np.concatenate(values)


@functools.lru_cache(maxsize=4096)
def _shard(path, field, size, mtime):
    """`(N,)` lengths of a shard's records, and their values of a field."""
    del size, mtime  # keys of the cache: a changed file is read again

    @tf.autograph.experimental.do_not_convert
    def numbers(record):
        return tf.strings.length(record), schema.field(record, field)

    rows = tf.data.TFRecordDataset(path).map(numbers, tf.data.AUTOTUNE)
    lengths, values = [np.zeros(0, np.int64)], [np.zeros(0, object)]
    # In blocks: each step of the iterator takes milliseconds.
    for length, value in rows.batch(_BLOCK).as_numpy_iterator():
        lengths.append(length)
        values.append(value)
    return np.concatenate(lengths), np.concatenate(values)
