"""Builds a folder of records of keypoint files in COCO's form."""

import collections
import dataclasses
import functools
import itertools
import pathlib
import re
from typing import Any

import numpy as np

from integral_tf import builds
from integral_tf import settings
from integral_tf import sides
from integral_tf import units
from integral_tf.records import coco
from integral_tf.records import coco_skeleton
from integral_tf.records import listed
from integral_tf.records import schema
from integral_tf.records import shards


def build_coco(config: builds.CocoConfig) -> dict[str, Any]:
    """Builds the records, and prints what was guessed; returns the manifest.

    Raises:
        FileExistsError: `out` exists.
        ValueError: there are no annotations, they are damaged, or flags exclude
            each other.
    """
    truths = _read_truths(config)
    skeleton = _skeleton(config, truths)
    images = {"train": config.train_images, "val": config.val_images}
    if config.val_share and "val" in truths:
        raise ValueError(
            "--val_share is for annotations without a validation set. "
            f"Received: --val_share={config.val_share:g} and --val_annotations"
        )
    if config.val_share:
        parts = coco.parted(truths["train"], config.val_share)
        truths, images["val"] = dict(zip(images, parts)), images["train"]
    people = _people(config, truths, images)
    paths = (
        config.train_annotations,
        config.val_annotations,
        config.val_boxes,
    )
    return shards.write(
        people,
        _maker(config.normalise_by, skeleton),
        config.out,
        skeleton,
        config.image_size,
        split=coco.split_of,
        source=", ".join(pathlib.Path(path).name for path in paths if path),
        # All of COCO gives shards of about 100 MB.
        shards=min(64, 1 + len(people) // 1000),
        aspect=shards.aspect_of(config.image_size, config.image_width),
        annotations=truths.get("val"),
        fields=_read_fields(config, truths),
        normalise_by=config.normalise_by,
    )


def _maker(normalise_by, skeleton):
    """The function from an annotation to a person."""
    if not normalise_by:
        return coco.person
    units.named(normalise_by, skeleton)
    return functools.partial(
        _measured, skeleton=skeleton, normalise_by=normalise_by
    )


def _measured(annotation, skeleton, normalise_by):
    """A person with the length that divides the errors as `head_size`."""
    person = coco.person(annotation)
    (length,) = units.lengths(
        normalise_by,
        skeleton,
        person.joints[None],
        person.visible[None],
        person.box[None],
    )
    notes = person.notes
    if not length and np.any(person.visible):
        notes += (f"no distance of {normalise_by}: in no figure of errors",)
    return dataclasses.replace(person, head_size=length, notes=notes)


def _people(config, truths, images):
    """Everyone of all splits, as `listed.Listed`."""
    parts = []
    for split, truth in truths.items():
        if "empty" in truth and not (split == "val" and config.val_boxes):
            parts.append(
                coco.negatives(
                    truth, images[split], split, config.empty_pictures
                )
            )
        if split == "val" and config.val_boxes:
            parts.append(
                coco.detections(
                    truth,
                    images[split],
                    config.val_boxes,
                    split,
                    config.min_box_score,
                )
            )
        else:
            parts.append(coco.people(truth, images[split], split))
    return listed.joined(parts)


def _read_truths(config):
    """Dict from a split to its annotations; prints what is odd about them."""
    given = {
        "train": config.train_annotations,
        "val": config.val_annotations,
    }
    said = []
    truths = {
        split: coco.read(
            path,
            config.category or None,
            keypoints=_read_keypoints(config),
            say=said.append,
            fields=settings.listed(config.field),
            with_empty=config.empty_pictures > 0,
        )
        for split, path in given.items()
        if path
    }
    if not truths or (config.val_boxes and "val" not in truths):
        raise ValueError(
            "Give --train_annotations, --val_annotations or both; --val_boxes "
            "wants the latter, which say what images there are. "
            f"Received: {', '.join(truths) or 'neither'}"
        )
    # A line about both files is printed once.
    for line in dict.fromkeys(said):
        print(line)
    return truths


def _skeleton(config, truths):
    """The skeleton of all files, and a text on guesses of its sides."""
    found = [
        coco_skeleton.of_truth(truth, _read_sigmas(config))
        for truth in truths.values()
    ]
    categories = [c for truth in truths.values() for c in truth["categories"]]
    ids = [number for skeleton in found for number in skeleton.categories]
    skeleton = dataclasses.replace(
        found[0], categories=tuple(dict.fromkeys(ids))
    )
    other = dataclasses.replace(
        found[-1], name=skeleton.name, categories=skeleton.categories
    )
    if skeleton != other:
        raise ValueError(
            "Training and validation have different keypoints, limbs or "
            f"sides. Received: {found[0]} and {found[-1]}"
        )
    given, joints = _read_keypoints(config), skeleton.joints
    if given and tuple(given) != joints:
        raise ValueError(
            f"The file has names for its joints: {', '.join(joints)}. "
            f"Received: --keypoints={config.keypoints}"
        )
    pairs = [f"{left} and {right}" for left, right in skeleton.sides]
    print(f"pairs that a mirror exchanges: {', '.join(pairs) or 'none'}")
    alone = sides.unpaired(joints, skeleton.sides)
    if alone:
        print(
            f"joints with a side, but without their other: {', '.join(alone)}; "
            "a mirror leaves their names. `flip_pairs` of the category pairs "
            "joints"
        )
    doubts = sides.doubtful(joints, skeleton.sides)
    if doubts and not any("flip_pairs" in c for c in categories):
        doubts = [f"{one} and {other}" for one, other in doubts]
        print(
            f"no pairs, but l and r alone tell them apart: {', '.join(doubts)}"
            "; `flip_pairs` of the category pairs joints"
        )
    return skeleton


def _read_fields(config, truths):
    """The names of `--field`, each of which an annotation or image has.

    Prints how many annotations lack one.
    """
    names = settings.listed(config.field)
    rows = [truth.get("annotations", ()) for truth in truths.values()]
    count, lacking = sum(map(len, rows)), collections.Counter()
    if names:
        for row in itertools.chain.from_iterable(rows):
            lacking.update(name for name in names if name not in row["fields"])
    for name in names:
        without = lacking[name]
        if name == schema.CATEGORY or without == count:
            raise ValueError(
                "--field names fields of the annotations or of their images, "
                "each a text or a number; the category is carried without it. "
                f"Received: --field={config.field}, and none has {name!r}"
            )
        if without:
            print(f"{without} of {count} annotations have no {name}")
    return names


def _read_keypoints(config):
    return settings.listed(_text(config.keypoints).replace("\n", ","))


def _text(value):
    """The value of a setting, or the content of the file that it names."""
    path = pathlib.Path(value)
    if not value or not path.is_file():
        return value
    try:
        return path.read_text()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"Names and numbers are read from a text file, and this is none: "
            f"{error.reason}. Received: {value}"
        ) from None


def _read_sigmas(config):
    values = re.split(r"[\s,\[\]]+", _text(config.sigmas))
    try:
        return [float(value) for value in values if value] or None
    except ValueError:
        raise ValueError(
            "--sigmas are numbers, or a file of numbers. "
            f"Received: --sigmas={config.sigmas}"
        ) from None
