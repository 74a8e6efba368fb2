"""Splits MPII's people by a share of the photographs, or by a list."""

import dataclasses
import json
import pathlib

import numpy as np

from integral_tf import checks
from integral_tf.records import shards

# Two people's objpos are further apart than this, in pixels.
_SAME_PERSON = 2
# What `_read_list` raises where a list has another form.


def by_share(val_share):
    """A split by a hash of the photograph's name: its people stay together.

    Args:
        val_share: Share of the photographs in the validation split.

    Returns:
        Function from a source_id to "train" or "val".
    """

    def split(source_id):
        return shards.split_of(source_id.rpartition("_")[0], val_share)

    return split


def by_list(listed, path):
    """A split by a list of the validation set.

    The list may be a JSON in Simple Baselines' form (their valid.json, 2,958
    people), which names people by photograph and centre. Or it may be a text
    file, whose lines are names of photographs, all of whose people are in the
    validation set, or source_ids. If the list names people, the other people of
    their photographs are left out of both splits, as in Simple Baselines.

    Args:
        listed: What `mpii.people` returned.
        path: The list.

    Returns:
        `(listed, split, line)`: the people, some now marked as left out, the
        function from a source_id to "train" or "val", and a line that counts.

    Raises:
        FileNotFoundError: there is no such list.
        ValueError: the list cannot be read, or names nobody.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            "`val_list` is a text file of image names, or a JSON list such as "
            f"Simple Baselines' valid.json. Received: val_list={str(path)!r}"
        )
    try:
        centres, names = _read_list(path)
    except checks.OTHER_FORM as error:
        raise ValueError(
            "`val_list` is lines of image names or a JSON list of {image, "
            f"center: [x, y]}} ({type(error).__name__}: {error!s:.200}). "
            f"Received: val_list={str(path)!r}"
        ) from None
    chosen = {
        name
        for name, annotation in listed
        if {name, annotation.stem} & names
        or _is_near(annotation.centre, centres.get(annotation.stem, []))
    }
    photographs_chosen = {name.rpartition("_")[0] for name in chosen}
    if not chosen:
        raise ValueError(
            "The validation list names nobody of these annotations. "
            f"Received: val_list={str(path)!r}"
        )
    marked, reserved = [], set(chosen)
    for name, annotation in listed:
        if annotation.stem in photographs_chosen and name not in chosen:
            reserved.add(name)
            annotation = dataclasses.replace(
                annotation,
                left_out="in a validation image, but not on the list",
            )
        marked.append((name, annotation))
    entries = sum(map(len, centres.values())) + len(names)
    return (
        marked,
        lambda source_id: "val" if source_id in reserved else "train",
        f"{path.name}, {entries} entries for {len(chosen)} people",
    )


def _read_list(path):
    """A list's centres by photograph, and its names without a centre."""
    text = path.read_text()
    centres, names = {}, set()
    if path.suffix != ".json":
        lines = [line.strip() for line in text.splitlines()]
        return {}, {pathlib.PurePosixPath(line).stem for line in lines if line}
    for entry in json.loads(text):
        stem = pathlib.PurePosixPath(entry["image"]).stem
        if "center" in entry:
            centre = np.asarray(entry["center"], np.float64).reshape(2) - 1
            centres.setdefault(stem, []).append(centre)
        else:
            names.add(stem)
    return centres, names


def _is_near(centre, centres):
    return centre is not None and any(
        np.abs(centre - other).max() < _SAME_PERSON for other in centres
    )
