"""Checks a manifest, and that the shards belong to it."""

import concurrent.futures
import dataclasses
import functools
import hashlib
import io
import json
import os
import pathlib
import re
from collections.abc import Container

import tensorflow as tf
from PIL import Image

from integral_tf import skeletons
from integral_tf import units
from integral_tf.records import schema

_LARGEST = 65535  # side of a JPEG
_MISSING = "that the manifest names is missing"


def check(manifest: dict) -> None:
    """Requires every key of a manifest, with a value of the right type.

    Args:
        manifest: The content of `manifest.json`.

    Raises:
        ValueError: a key is missing or has a wrong value.
    """
    _require(isinstance(manifest, dict), "it is no object")
    try:
        skeleton(manifest)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"its skeleton: {error}") from None
    side, aspect = manifest.get("window_size"), manifest.get("aspect")
    _require(is_count(side) and 0 < side <= _LARGEST, "its window_size")
    _require(
        isinstance(aspect, int | float)
        and not isinstance(aspect, bool)
        and 1e-3 < aspect < 1e3,
        "its aspect",
    )
    fields = manifest.get("fields", [])
    _require(fields == [] or skeletons.are_names(fields), "its fields")
    _check_unit(manifest)
    splits = manifest.get("splits")
    _require(isinstance(splits, dict), "its splits")
    files = set()
    for name in {"train", "val", *splits}:
        _check_split(splits.get(name), name, files)


def _check_unit(manifest):
    text = manifest.get("normalise_by", "box")
    try:
        units.named(text, skeleton(manifest))
    except (ValueError, AttributeError):
        raise ValueError("its normalise_by") from None


def _check_split(split, name, files):
    _require(isinstance(split, dict), f"no split {name}")
    dropped, shards = split.get("dropped"), split.get("shards")
    _require(
        isinstance(dropped, dict) and all(map(is_count, dropped.values())),
        f"the dropped of {name}",
    )
    _require(is_count(split.get("joints_outside")), f"joints_outside, {name}")
    _require(isinstance(shards, list), f"the shards of {name}")
    for shard in shards:
        file = shard.get("file") if isinstance(shard, dict) else None
        # A shard must be in the folder itself, and be named once.
        _require(
            isinstance(file, str)
            and re.fullmatch(r"[\w-][\w.-]{0,99}", file)
            and file not in files
            and is_count(shard.get("people"))
            and isinstance(shard.get("sha256"), str),
            f"a shard of {name}",
        )
        files.add(file)
    _require(
        is_count(split.get("people"))
        and split["people"] == sum(shard["people"] for shard in shards),
        f"the people of {name}",
    )
    negatives = split.get("negatives", 0)
    _require(
        is_count(negatives) and negatives <= split["people"],
        f"the negatives of {name}",
    )


def is_count(value: object) -> bool:
    """Whether a value is a whole number from 0."""
    return type(value) is int and value >= 0


def _require(holds, what):
    if not holds:
        raise ValueError(what)


def skeleton(manifest: dict) -> skeletons.Skeleton:
    """The `Skeleton` of a manifest, which holds a known name or all fields."""
    stored = manifest["skeleton"]
    if isinstance(stored, dict):
        return skeletons.from_dict(stored)
    return skeletons.get(stored)


def digest(manifest: dict) -> str:
    """A text, equal for two folders if and only if their records are.

    It depends on the joints, their sides, the windows, and the order and bytes
    of the shards; not on the folder's name.
    """
    kind = skeleton(manifest)
    same = {
        "joints": kind.joints,
        "sides": kind.sides,
        "window_size": manifest["window_size"],
        "aspect": float(manifest["aspect"]),
        "splits": {
            name: [shard["sha256"] for shard in split["shards"]]
            for name, split in sorted(manifest["splits"].items())
        },
    }
    return hashlib.sha256(json.dumps(same).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class _Content:
    """A shard's number of people and digest, and its first record's joints and
    window side. A truncated shard has no digest."""

    people: int
    sha256: str = ""
    joints: int | None = None
    side: int | None = None


def check_shards(
    folder: str | os.PathLike,
    manifest: dict,
    split: str,
    left_out: Container[str] = (),
) -> list[str]:
    """Requires that a split's shards are those of the manifest.

    Each shard is read once by a process, and again if the file changed.

    Args:
        folder: Folder of records.
        manifest: Its manifest.
        split: Name of the split.
        left_out: Files of shards that are not looked at.

    Returns:
        The other shards' paths, in order.

    Raises:
        FileNotFoundError: a shard is missing.
        ValueError: a shard is damaged, or of other records.
    """
    remedy = "build the records again"
    if split == "train":
        remedy += ", or train without it by --skip_damaged"
    for path, reason in _faults(folder, manifest, split, left_out):
        gone = FileNotFoundError if reason == _MISSING else ValueError
        raise gone(f"A shard {reason}; {remedy}. Received: {str(path)!r}")
    shards = manifest["splits"][split]["shards"]
    files = [shard["file"] for shard in shards]
    return [
        str(pathlib.Path(folder) / file)
        for file in files
        if file not in left_out
    ]


def damaged_shards(
    folder: str | os.PathLike, manifest: dict, split: str
) -> dict[str, str]:
    """Finds a split's shards that are damaged or missing.

    Args:
        folder: Folder of records.
        manifest: Its manifest.
        split: Name of the split.

    Returns:
        Dict from a shard's file to a line that says what is wrong with it.
    """
    shards = manifest["splits"][split]["shards"]
    people = {shard["file"]: shard["people"] for shard in shards}
    return {
        path.name: f"{path}, {people[path.name]} people: it {reason}"
        for path, reason in _faults(folder, manifest, split)
    }


def _faults(folder, manifest, split, left_out=()):
    """Yields the path of each shard that is not the manifest's, and a reason.

    Missing shards come first: nothing needs to be read for them.
    """
    shards = manifest["splits"][split]["shards"]
    there = []
    for shard in shards:
        path = pathlib.Path(folder) / shard["file"]
        if shard["file"] in left_out:
            continue
        if path.is_file():
            there.append((path, shard))
        else:
            yield path, _MISSING
    # Threads suffice: hashing releases Python's global lock.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        contents = pool.map(_read, [path for path, _ in there])
        for (path, shard), content in zip(there, contents):
            if (content.people, content.sha256) == (
                shard["people"],
                shard["sha256"],
            ):
                _check_content(content, folder, manifest)
            else:
                difference = _difference(path, shard, content)
                yield path, f"is not what the manifest says: {difference}"


def _check_content(content, folder, manifest):
    """Requires that a shard has the manifest's joints and windows."""
    said = {
        "joints": len(skeleton(manifest)),
        "side": manifest["window_size"],
    }
    for name, value in said.items():
        found = getattr(content, name)
        if found is not None and found != value:
            raise ValueError(
                "The manifest.json of these records is damaged; build them "
                f"again: the {name} of its records is {found}, not {value}. "
                f"Received: data={str(folder)!r}"
            )


def check_records(paths: list[str], manifest: dict) -> None:
    """Requires that every record of some shards can be read.

    `check_shards` passes a shard that was written with damaged records.

    Args:
        paths: Paths of the shards.
        manifest: The manifest of the folder.

    Raises:
        ValueError: a record cannot be read; it is named.
    """
    joints, side = len(skeleton(manifest)), manifest["window_size"]
    for path in paths:
        number = 0
        try:
            for record in tf.data.TFRecordDataset(path):
                person = schema.parse(record, joints)
                window = tf.io.decode_jpeg(person["encoded"], channels=3)
                tf.ensure_shape(window, [side, side, 3])
                number += 1
        except (tf.errors.OpError, ValueError):
            raise ValueError(
                f"Record {number} of a shard, counted from 0, is damaged; "
                f"build the records again. Received: {path!r}"
            ) from None


def _read(path):
    status = os.stat(path)
    return _content(path, status.st_size, status.st_mtime_ns)


# ours: the entire file is hashed, not only its length or its first records.
@functools.lru_cache(maxsize=4096)
def _content(path, size, mtime):
    del mtime  # a key of the cache: a changed file is read again
    digest, people, first = hashlib.sha256(), 0, b""
    with open(path, "rb") as file:
        # A record: 8 bytes of length, 4 bytes of its checksum, the data, and 4
        # bytes of the data's checksum.
        while size:
            head = file.read(12)
            length = int.from_bytes(head[:8], "little") + 4
            size -= len(head) + length
            if len(head) < 12 or size < 0:
                return _Content(people)
            body = file.read(length)
            digest.update(head)
            digest.update(body)
            first = first or body[:-4]
            people += 1
    return _Content(people, digest.hexdigest(), *_first(first))


def _first(record):
    """Number of joints and window side of a record; None if it is no record."""
    try:
        example = tf.train.Example.FromString(record)
        features = example.features.feature
        (window,) = features["image/encoded"].bytes_list.value
        with Image.open(io.BytesIO(window)) as picture:
            side = picture.width
    except Exception:  # not a record of a person
        return None, None
    return len(features["image/object/keypoint/x"].float_list.value), side


def _difference(path, shard, content):
    """Describes how a shard differs from the manifest."""
    count = 0
    try:
        for _ in tf.data.TFRecordDataset(str(path)):
            count += 1
    except tf.errors.DataLossError:
        return f"its record {count}, counted from 0, is cut or damaged"
    if content.people != shard["people"]:
        return f"{content.people} people, to be {shard['people']}"
    return "other people"
