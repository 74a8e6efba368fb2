"""Writes TFRecord shards by several processes."""

import collections
import concurrent.futures
import concurrent.futures.process
import contextlib
import functools
import hashlib
import math
import multiprocessing
import os
import pathlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from integral_tf import ownership
from integral_tf import progress
from integral_tf import whole
from integral_tf.records import schema


def write(
    divided: dict[str, list[tuple[str, Any]]],
    make: Callable[[Any], schema.Person],
    folder: pathlib.Path,
    cut: Callable[[schema.Person], tuple],
    shards: int,
) -> dict[str, dict]:
    """Writes the shards of every split, and counts the people.

    Args:
        divided: Dict from a split to its people, pairs `(source_id, key)`.
        make: Picklable function from a key to a `schema.Person`; raises
            `schema.Dropped` for a person who cannot become a record.
        folder: Folder to write into.
        cut: Picklable function from a person to JPEG bytes and the matrix
            window -> image.
        shards: Number of shards of the larger split; the other gets as many in
            proportion to its people.

    Returns:
        Dict from a split to its entry in the manifest.

    Raises:
        ChildProcessError: a worker process was killed.
        whole.DiskFull: there is no space for a shard.
    """
    tasks = _tasks(divided, folder, shards)
    splits = {
        name: {
            "people": 0,
            "joints_outside": 0,
            "dropped": collections.Counter(),
            "examples": {},
            "notes": collections.Counter(),
            "shards": [],
        }
        for name in divided
    }
    people = sum(map(len, divided.values()))
    with _processes() as pool, _named_death():
        write_one = functools.partial(_write_shard, make=make, cut=cut)
        jobs = pool.map(
            write_one,
            [path for _, path, _ in tasks],
            [keys for *_, keys in tasks],
        )
        with progress.bar("write", people, unit="people") as bar:
            for (name, path, keys), found in zip(tasks, jobs):
                _count(splits[name], path, found)
                bar.update(len(keys))
    return splits


def _processes():
    """One process for each core."""
    # Spawned, not forked: TensorFlow's threads do not survive a fork.
    return concurrent.futures.ProcessPoolExecutor(
        os.cpu_count(),
        multiprocessing.get_context("spawn"),
        ownership.end_with_parent,
    )


def _tasks(divided, folder, shards):
    """Each shard's split, path and keys."""
    most = max(map(len, divided.values()))
    tasks = []
    for name, some in divided.items():
        count = min(math.ceil(shards * len(some) / max(most, 1)), len(some))
        for i in range(count):
            path = folder / f"{name}-{i:05d}-of-{count:05d}.tfrecord"
            tasks.append((name, path, [key for _, key in some[i::count]]))
    return tasks


def _count(counts, path, found):
    """Adds the counts of one shard to those of its split."""
    kept = found["people"]
    counts["people"] += kept
    counts["joints_outside"] += found["joints_outside"]
    counts["dropped"].update(found["dropped"])
    counts["notes"].update(found["notes"])
    if found["negatives"]:
        counts["negatives"] = counts.get("negatives", 0) + found["negatives"]
    counts["examples"] = {**found["examples"], **counts["examples"]}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    counts["shards"].append(
        {"file": path.name, "people": kept, "sha256": digest}
    )


@contextlib.contextmanager
def _named_death():
    others = multiprocessing.active_children()
    try:
        yield
    except KeyboardInterrupt:
        # The pool would wait until they finish their shards.
        for child in multiprocessing.active_children():
            if child not in others:
                child.terminate()
        raise
    except concurrent.futures.process.BrokenProcessPool:
        raise ChildProcessError(
            "A process of the builder was ended from outside, as happens when "
            "memory runs out; nothing was written. Build again. "
            f"Received: {os.cpu_count()} processes"
        ) from None


def _write_shard(path, keys, make, cut):
    kept, outside, negatives, examples = 0, 0, 0, {}
    dropped, notes = collections.Counter(), collections.Counter()
    with whole.naming(path), tf.io.TFRecordWriter(str(path)) as writer:
        for key in keys:
            try:
                person = make(key)
            except schema.Dropped as reason:
                dropped[str(reason)] += 1
                if reason.example:
                    examples.setdefault(str(reason), reason.example)
                continue
            jpeg, to_image = cut(person)
            writer.write(schema.serialise(person, jpeg, to_image))
            kept += 1
            outside += person.outside
            negatives += person.negative
            notes.update(person.notes)
    return {
        "people": kept,
        "joints_outside": outside,
        "negatives": negatives,
        "dropped": dropped,
        "examples": examples,
        "notes": notes,
    }
