"""Writes a folder of shards and a manifest, completely or not at all."""

import array
import functools
import hashlib
import io
import json
import math

import numpy as np

from integral_tf import checks
from integral_tf import coordinates
from integral_tf import former
from integral_tf import skeletons
from integral_tf import whole
from integral_tf.records import file_digest
from integral_tf.records import folder
from integral_tf.records import json_rows
from integral_tf.records import listed
from integral_tf.records import schema
from integral_tf.records import windows
from integral_tf.records import writing

_TAKEN = (
    "Records are never overwritten; name another folder, or delete this one "
    "first."
)


def aspect_of(image_size, image_width=0):
    """Width divided by height of a network's input.

    Args:
        image_size: Height in pixels.
        image_width: Width in pixels; 0 for a square.

    Raises:
        ValueError: no windows can be cut for such an input.
    """
    given = {"image_size": (image_size, 8), "image_width": (image_width, 0)}
    for name, (value, least) in given.items():
        checks.whole(
            name,
            value,
            "Records serve inputs of 8 to 4096 pixels a side; a width of 0 "
            "makes them square.",
            least=least,
            most=4096,
        )
    return (image_width or image_size) / image_size


def window_size(height, aspect=1.0):
    """Side of the window from which an unaugmented crop is not enlarged."""
    return 8 * math.ceil(height * coordinates.window_margin(aspect) / 8)


def split_of(source_id, split):
    """The split of a person: `"train"` or `"val"`.

    Args:
        source_id: The person's name.
        split: Share of the people in the validation split, chosen by a hash of
            the name; or a function from the name to the split.

    Raises:
        ValueError: the share is not from 0 to 1.
    """
    if callable(split):
        return split(source_id)
    sentence = "A validation share is from 0 to 1."
    checks.number("val_share", split, sentence, least=0, most=1)
    return "val" if number_of(source_id) < split * 2**32 else "train"


def cut_window(person, size, aspect=1.0):
    """Cuts the square window around a person, resampled once, antialiased.

    Args:
        person: A `schema.Person`.
        size: Side of the window in pixels.
        aspect: Width divided by height of the crops that will be cut from it.

    Returns:
        JPEG bytes, and the `(2, 3)` affine matrix window -> image.
    """
    region = coordinates.window_around(person.box, aspect)
    window = windows.cut(person.image, region, size, size)
    jpeg = io.BytesIO()
    window.save(jpeg, "JPEG", quality=95)
    return jpeg.getvalue(), coordinates.region_to_pixels(region, size, size)


def write(
    people,
    make,
    out,
    skeleton,
    image_size,
    *,
    split,
    source,
    shards=16,
    aspect=1.0,
    annotations=None,
    fields=(),
    normalise_by="",
):
    """Writes a folder of shards and its `manifest.json`.

    Args:
        people: List of `(source_id, key)`. A `listed.Listed` makes a key
            when its shard's turn comes, so that few are in memory.
        make: Picklable function from a key to a `schema.Person`; raises
            `schema.Dropped` for a person who cannot become a record.
        out: Folder to write; it must not exist.
        skeleton: The `skeletons.Skeleton` of the joints.
        image_size: Height of the largest network input for which windows are
            cut.
        split: Share of the people in the validation split, or a function
            from a source_id to "train" or "val"; one of the two may be empty.
        source: One line for the manifest on the origin of the people.
        shards: Number of shards of the larger split; the other gets as many
            in proportion to its people.
        aspect: Width divided by height of that input.
        annotations: The validation split's ground truth in COCO's form, a
            dict, to be stored beside the shards.
        fields: Names of the fields that every person has.
        normalise_by: The unit of the people's `head_size`, as for
            `units.named`; empty for heads.

    Returns:
        The manifest, a dict.

    Raises:
        BlockingIOError: another process is writing `out`.
        ChildProcessError: a worker process was killed.
        FileExistsError: `out` exists.
        ValueError: everyone of a split was dropped.
    """
    with whole.folder(out, taken=_TAKEN) as partial:
        manifest = {
            "version": schema.VERSION,
            "skeleton": _stored(skeleton),
            "source": source,
            "window_size": window_size(image_size, aspect),
            "aspect": aspect,
            "splits": writing.write(
                people,
                _divided(people, split),
                make,
                partial,
                functools.partial(
                    cut_window,
                    size=window_size(image_size, aspect),
                    aspect=aspect,
                ),
                shards,
            ),
        }
        for name, purpose in (("train", "train"), ("val", "validate")):
            counts = manifest["splits"][name]
            found = counts["people"] - counts.get("negatives", 0)
            empty = counts["people"] or counts["dropped"] or not people
            if not found and empty:
                counts = describe(manifest).replace("\n", "; ")
                raise ValueError(
                    f"Nobody is left to {purpose} on. Received: {counts}"
                )
        if fields:
            manifest[folder.FIELDS] = list(fields)
        if normalise_by:
            manifest[folder.NORMALISE_BY] = normalise_by
        if annotations is not None:
            path = partial / folder.ANNOTATIONS
            json_rows.write(annotations, path)
            manifest[folder.ANNOTATIONS_DIGEST] = file_digest.of(path)
        (partial / folder.MANIFEST).write_text(
            json.dumps(manifest, indent=1) + "\n"
        )
    return manifest


def describe(manifest):
    """The counts of a manifest as a few lines of text."""
    lines = []
    for name, split in manifest["splits"].items():
        negatives = split.get("negatives", 0)
        lines.append(f"{name}: {split['people'] - negatives} people kept")
        if negatives:
            lines.append(f"{name}: {negatives} kept: {schema.NOBODY}")
        for reason, count in sorted(split["dropped"].items()):
            # Older manifests have no examples and no notes.
            example = split.get("examples", {}).get(reason)
            named = f", such as {example}" if example else ""
            lines.append(f"{name}: {count} dropped: {reason}{named}")
        for note, count in sorted(split.get("notes", {}).items()):
            lines.append(f"{name}: {count} kept: {note}")
        if split["joints_outside"]:
            lines.append(
                f"{name}: {split['joints_outside']} joints outside the image, "
                "taken as unlabelled"
            )
    return "\n".join(lines)


def number_of(text: str) -> int:
    """A text's hash, from 0 to 2^32 - 1: the same everywhere, spread evenly."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _stored(skeleton):
    """A known skeleton's name; all fields of any other."""
    if skeletons.KNOWN.get(skeleton.name) == skeleton:
        return skeleton.name
    return skeletons.to_dict(skeleton)


def _divided(people, split):
    """The places of each split's people, in the order of writing."""
    # Sorted by a hash: the order of the input does not matter, and people of
    # one photograph are spread over the shards.
    splits = "train", "val"
    hashes, of_split = array.array("Q"), array.array("B")
    for place in range(len(people)):
        name = listed.name(people, place)
        hashes.append(number_of(name + "#"))
        of_split.append(splits.index(split_of(name, split)))
    hashes = np.array(hashes)
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    for equal in np.unique(hashes[1:][hashes[1:] == hashes[:-1]]):
        run = slice(*np.searchsorted(hashes, [equal, equal + 1]))
        order[run] = sorted(order[run], key=lambda i: listed.name(people, i))
    of_split = np.array(of_split)[order]
    return {
        name: array.array("Q", order[of_split == number].tobytes())
        for number, name in enumerate(splits)
    }


__getattr__ = former.names(__name__)
