"""Builds a folder of records of Leeds Sports Pose, MPII or drawn people."""

import functools
from typing import Any

from integral_tf import builds
from integral_tf import settings
from integral_tf import skeletons
from integral_tf.records import lsp
from integral_tf.records import mpii
from integral_tf.records import mpii_split
from integral_tf.records import shards
from integral_tf.records import synthetic

_HEAD = {
    ".mat": "0.6 of the head box's diagonal",
    ".json": "head segment, not the official one",
}


def build_lsp(config: builds.LspConfig) -> dict[str, Any]:
    """Builds records of Leeds Sports Pose; returns the manifest.

    Raises:
        FileExistsError: `out` exists.
        ValueError: the source is not that dataset, or damaged.
    """
    skeleton = skeletons.get(config.skeleton)
    return shards.write(
        lsp.people(config.source),
        functools.partial(lsp.person, skeleton=skeleton),
        config.out,
        skeleton,
        config.image_size,
        split=config.val_share,
        source="Leeds Sports Pose, joints.mat",
        aspect=shards.aspect_of(config.image_size, config.image_width),
    )


def build_synthetic(config: builds.SyntheticConfig) -> dict[str, Any]:
    """Builds records of drawn people; returns the manifest.

    Raises:
        FileExistsError: `out` exists.
        ValueError: a lever is unknown.
    """
    levers = settings.listed(config.levers)
    synthetic.check_levers(levers)
    return shards.write(
        [(f"{i:08d}", i) for i in range(config.people)],
        functools.partial(synthetic.person, config.seed, levers=levers),
        config.out,
        skeletons.MPII,
        config.image_size,
        split=config.val_share,
        source=", ".join([f"drawn with seed {config.seed}", *levers]),
        aspect=shards.aspect_of(config.image_size, config.image_width),
    )


def build_mpii(config: builds.MpiiConfig) -> dict[str, Any]:
    """Builds records of MPII, and prints the split; returns the manifest.

    Raises:
        FileExistsError: `out` exists.
        ValueError: the source is not MPII, or damaged, or flags exclude each
            other.
    """
    file = mpii.find(config.source)
    people, make, split, line = _mpiis_people(config)
    manifest = shards.write(
        people,
        make,
        config.out,
        skeletons.MPII,
        config.image_size,
        split=split,
        source=f"MPII, {file.name}; people: {config.people}; head size: "
        f"{_HEAD[file.suffix]}; validation: {line}",
        aspect=shards.aspect_of(config.image_size, config.image_width),
    )
    print(f"validation: {line}")
    return manifest


def _mpiis_people(config):
    """People, the function that makes their records, the split, its text."""
    images = config.images or None
    if config.people == "test":
        if config.val_list or config.zero_based:
            raise ValueError(
                "The test set has no validation list, and its pixels count "
                f"from 1. Received: --val_list={config.val_list} "
                f"--zero_based={config.zero_based}"
            )
        people = mpii.test_people(config.source, images)
        return people, mpii.tested_person, 1.0, "the test set, joints unknown"
    people = mpii.people(
        config.source, images, config.people, config.zero_based
    )
    if config.val_list:
        people, split, line = mpii_split.by_list(people, config.val_list)
        return people, mpii.person, split, line
    line = f"{config.val_share:g} of the photographs"
    return people, mpii.person, mpii_split.by_share(config.val_share), line
