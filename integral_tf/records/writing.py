"""Writes TFRecord shards, many by several processes."""

import collections
import concurrent.futures
import concurrent.futures.process
import contextlib
import functools
import itertools
import math
import multiprocessing
import os
import pathlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from integral_tf import ownership
from integral_tf import progress
from integral_tf import whole
from integral_tf.records import file_digest
from integral_tf.records import schema

# Shards whose people are made before a process is free.
_AHEAD = 2 * (os.cpu_count() or 1)
# People who are written before processes have started, each with TensorFlow.
_FEW = 256


def write(
    people: Sequence[tuple[str, Any]],
    divided: dict[str, Sequence[int]],
    make: Callable[[Any], schema.Person],
    folder: pathlib.Path,
    cut: Callable[[schema.Person], tuple],
    shards: int,
) -> dict[str, dict]:
    """Writes the shards of every split, and counts the people.

    Args:
        people: Pairs `(source_id, key)`.
        divided: Dict from a split to its people's places in `people`.
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
    with (
        _workers(len(people)) as pool,
        _named_death(),
        progress.bar("write", len(people), unit="people") as bar,
    ):
        write_one = functools.partial(_write_shard, make=make, cut=cut)
        for (name, path, places), found in _done(
            pool, write_one, tasks, people
        ):
            _count(splits[name], path, found)
            bar.update(len(places))
    return splits


def _done(pool, write_one, tasks, people):
    """Each task and what its shard has, in order.

    The keys of a shard are made when a process is about to be free.
    """
    waiting, begun = iter(tasks), collections.deque()
    try:
        while True:
            for task in itertools.islice(waiting, _AHEAD - len(begun)):
                _, path, places = task
                keys = [people[place][1] for place in places]
                begun.append((task, pool.submit(write_one, path, keys)))
            if not begun:
                return
            task, job = begun.popleft()
            yield task, job.result()
    finally:
        for _, job in begun:
            job.cancel()


def _workers(people):
    """One process for each core, or a thread for few people."""
    if people <= _FEW:
        return concurrent.futures.ThreadPoolExecutor(1)
    # Spawned, not forked: TensorFlow's threads do not survive a fork.
    return concurrent.futures.ProcessPoolExecutor(
        os.cpu_count(),
        multiprocessing.get_context("spawn"),
        ownership.end_with_parent,
    )


def _tasks(divided, folder, shards):
    """Each shard's split, path and people's places."""
    most = max(map(len, divided.values()))
    tasks = []
    for name, some in divided.items():
        count = min(math.ceil(shards * len(some) / max(most, 1)), len(some))
        for i in range(count):
            path = folder / f"{name}-{i:05d}-of-{count:05d}.tfrecord"
            tasks.append((name, path, some[i::count]))
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
    counts["shards"].append(
        {
            "file": path.name,
            "people": kept,
            "sha256": file_digest.of(path),
        }
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
