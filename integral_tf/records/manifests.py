"""Whether a manifest is whole, and the shards are what the manifest says."""

import concurrent.futures
import dataclasses
import functools
import hashlib
import io
import json
import os
import pathlib
import re

import tensorflow as tf
from PIL import Image

from integral_tf import skeletons

_LARGEST = 65535  # side of a JPEG


def check(manifest: dict) -> None:
    """Requires every key that a reader asks for, with a value of its kind.

    Args:
        manifest: What `manifest.json` holds.

    Raises:
        ValueError: what is wrong, in a few words.
    """
    _require(isinstance(manifest, dict), "it is no object")
    try:
        skeleton(manifest)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"its skeleton: {error}") from None
    side, aspect = manifest.get("window_size"), manifest.get("aspect")
    _require(_is_count(side) and 0 < side <= _LARGEST, "its window_size")
    _require(
        isinstance(aspect, int | float)
        and not isinstance(aspect, bool)
        and 1e-3 < aspect < 1e3,
        "its aspect",
    )
    splits = manifest.get("splits")
    _require(isinstance(splits, dict), "its splits")
    files = set()
    for name in {"train", "val", *splits}:
        _check_split(splits.get(name), name, files)


def _check_split(split, name, files):
    _require(isinstance(split, dict), f"no split {name}")
    dropped, shards = split.get("dropped"), split.get("shards")
    _require(
        isinstance(dropped, dict) and all(map(_is_count, dropped.values())),
        f"the dropped of {name}",
    )
    _require(_is_count(split.get("joints_outside")), f"joints_outside, {name}")
    _require(isinstance(shards, list), f"the shards of {name}")
    for shard in shards:
        file = shard.get("file") if isinstance(shard, dict) else None
        # A shard lies in the folder itself, and counts once.
        _require(
            isinstance(file, str)
            and re.fullmatch(r"[\w-][\w.-]*", file)
            and file not in files
            and _is_count(shard.get("people"))
            and isinstance(shard.get("sha256"), str),
            f"a shard of {name}",
        )
        files.add(file)
    _require(
        _is_count(split.get("people"))
        and split["people"] == sum(shard["people"] for shard in shards),
        f"the people of {name}",
    )


def _is_count(value):
    return type(value) is int and value >= 0


def _require(holds, what):
    if not holds:
        raise ValueError(what)


def skeleton(manifest: dict) -> skeletons.Skeleton:
    """The `Skeleton` of a manifest: a known one's name, or the whole."""
    stored = manifest["skeleton"]
    if isinstance(stored, dict):
        return skeletons.from_dict(stored)
    return skeletons.get(stored)


def digest(manifest: dict) -> str:
    """What two folders of records have in common if and only if they are one.

    It is a function of joints, their sides, windows, and the order and bytes
    of the shards; not of the folder's name.
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


def read_truth(path: pathlib.Path, sha256: str | None) -> dict | None:
    """The ground truth beside the shards, or None where there is none.

    Args:
        path: Of its JSON.
        sha256: What the manifest says of it; None in one of before 0.2, and
            where none was built.

    Raises:
        ValueError: it is not what was built with the records.
    """
    there = path.is_file()
    if not there and sha256 is None:
        return None
    text = path.read_bytes() if there else b""
    try:
        if sha256 in (None, hashlib.sha256(text).hexdigest()):
            return json.loads(text)
    except (ValueError, RecursionError):
        pass  # Of before 0.2, and damaged.
    raise ValueError(
        "The ground truth beside these records is "
        f"{'altered or damaged' if there else 'missing'}; build the records "
        f"again. Received: {str(path)!r}"
    )


@dataclasses.dataclass(frozen=True)
class _Content:
    """What a shard holds: people, digest, and of its first record the joints
    and the window's side. A cut shard has no digest."""

    people: int
    sha256: str = ""
    joints: int | None = None
    side: int | None = None


def check_shards(
    folder: str | os.PathLike, manifest: dict, split: str
) -> list[str]:
    """Requires that a split's shards are those of which the manifest tells.

    Each is read whole, once in a process while it stays as it is.

    Args:
        folder: Folder of records.
        manifest: Its manifest.
        split: Name of the split.

    Returns:
        The shards' paths, in order.

    Raises:
        FileNotFoundError: a shard is not there.
        ValueError: a shard is damaged, or of other records.
    """
    shards = manifest["splits"][split]["shards"]
    paths = [pathlib.Path(folder) / shard["file"] for shard in shards]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(
                "A shard that the manifest names is missing; build the "
                f"records again. Received: {str(path)!r}"
            )
    # Threads: hashing leaves Python's lock alone.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for path, shard, content in zip(paths, shards, pool.map(_read, paths)):
            if (content.people, content.sha256) != (
                shard["people"],
                shard["sha256"],
            ):
                raise ValueError(
                    "A shard is not what the manifest says: "
                    f"{_difference(path, shard, content)}; build the records "
                    f"again. Received: {str(path)!r}"
                )
            _check_content(content, folder, manifest)
    return [str(path) for path in paths]


def _check_content(content, folder, manifest):
    """Requires that the manifest tells the joints and windows of a shard."""
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


def _read(path):
    status = os.stat(path)
    return _content(path, status.st_size, status.st_mtime_ns)


# ours: the whole file is hashed, and not only its length or its first records.
@functools.lru_cache(maxsize=4096)
def _content(path, size, mtime):
    del mtime  # Of an altered file the content is another.
    whole, people, first = hashlib.sha256(), 0, b""
    with open(path, "rb") as file:
        # A record: 8 bytes of length, 4 of its sum, the bytes, 4 of theirs.
        while size:
            head = file.read(12)
            length = int.from_bytes(head[:8], "little") + 4
            size -= len(head) + length
            if len(head) < 12 or size < 0:
                return _Content(people)
            body = file.read(length)
            whole.update(head)
            whole.update(body)
            first = first or body[:-4]
            people += 1
    return _Content(people, whole.hexdigest(), *_first(first))


def _first(record):
    """Joints and window's side of a record; None where it is none."""
    try:
        example = tf.train.Example.FromString(record)
        features = example.features.feature
        (window,) = features["image/encoded"].bytes_list.value
        with Image.open(io.BytesIO(window)) as picture:
            side = picture.width
    except Exception:  # No record of a person; what it is, nobody asks here.
        return None, None
    return len(features["image/object/keypoint/x"].float_list.value), side


def _difference(path, shard, content):
    """What a shard has, in words, that the manifest has otherwise."""
    whole = 0
    try:
        for _ in tf.data.TFRecordDataset(str(path)):
            whole += 1
    except tf.errors.DataLossError:
        return f"its record {whole}, counted from 0, is cut or damaged"
    if content.people != shard["people"]:
        return f"{content.people} people, to be {shard['people']}"
    return "other people"
