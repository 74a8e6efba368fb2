"""Checks of an evaluation, before any work is done."""

import array
import os
import pathlib

import keras
import numpy as np

from integral_tf import config as configs
from integral_tf import joint_numbers
from integral_tf import runs
from integral_tf import skeletons
from integral_tf import units
from integral_tf.models import loading
from integral_tf.pipeline import batches
from integral_tf.records import coco
from integral_tf.records import json_rows
from integral_tf.records import mpii
from integral_tf.records import mpii_annotations
from integral_tf.records.folder import Records


def check(
    config: configs.EvaluateConfig,
    records: Records,
    out: pathlib.Path | None = None,
    model: keras.Model | None = None,
) -> dict | None:
    """Checks that records, model and ground truth belong together.

    Args:
        config: A `config.EvaluateConfig`.
        records: The `Records`.
        out: Folder to write, or None.
        model: The pose model, or None.

    Returns:
        The ground truth in COCO's form, or None. A test set's has no
        `annotations`. With `config.limit` the truth has only the images of
        these people.

    Raises:
        FileExistsError: `out` exists and is not an earlier evaluation.
        FileNotFoundError: there are no records, or no such ground truth.
        ValueError: two of them do not belong together.
    """
    if out and out.exists() and not (out / runs.METRICS).exists():
        raise FileExistsError(
            "An evaluation is written to a new folder, or replaces an earlier "
            f"one. Received: --out={out}, which is neither"
        )
    skeleton = records.skeleton
    if model is not None:
        loading.check_skeleton(model, skeleton)
        check_joints(config.workdir, skeleton)
    if config.compat == "hrnet" and skeleton.joints != skeletons.MPII.joints:
        raise ValueError(
            "HRNet's reading of PCKh is for MPII's joints. "
            f"Received: --compat=hrnet for {skeleton.name}"
        )
    joint_numbers.weights(config.joint_weights, skeleton)
    if config.normalise_by:
        units.named(config.normalise_by, skeleton)
    if config.alpha:
        units.alphas(config.alpha)
    image_ids, source_ids = batches.ids(records, config.split, config.limit)
    if config.annotations.endswith(".mat"):
        check_tested(config.annotations, source_ids)
        return None
    truth = None
    if config.annotations:
        truth = read_truth(config.annotations, skeleton)
    elif config.split == "val":
        truth = records.annotations()
    if truth and config.limit:
        truth = restricted(truth, image_ids)
    if truth:
        check_truth(truth, skeleton, image_ids)
    return truth


def read_truth(
    annotations: str | os.PathLike, skeleton: skeletons.Skeleton
) -> dict:
    """Reads the ground truth of a skeleton's categories.

    Prints a line for each reason why annotations are left out.

    Args:
        annotations: Path of a JSON in COCO's form.
        skeleton: The records' `skeletons.Skeleton`.

    Raises:
        FileNotFoundError, ValueError: as in `coco.read`.
    """
    names = list(skeleton.joints)
    try:
        truth = coco.read(
            annotations, list(skeleton.categories), keypoints=names
        )
    except coco.NoSuchCategory:
        # Records from before version 0.2 lack their category's number.
        truth = coco.read(annotations, keypoints=names)
    for reason, (count, example) in truth.get("left_out", {}).items():
        print(f"{count} left out of the truth: {reason}, such as {example}")
    return truth


def restricted(truth: dict, image_ids: np.ndarray) -> dict:
    """The ground truth of these images only.

    Args:
        truth: Ground truth in COCO's form.
        image_ids: `(N,)` ids of the images.

    Raises:
        ValueError: it is a test set's, whose submission has everyone.
    """
    wanted = set(image_ids.tolist())
    if "annotations" not in truth:
        raise ValueError(
            "A submission has everyone of the test set. Received: --limit"
        )
    print(f"AP is over the {len(wanted)} images of these people alone")
    return {
        **truth,
        "images": [row for row in truth["images"] if row["id"] in wanted],
        "annotations": json_rows.Rows(
            row for row in truth["annotations"] if row["image_id"] in wanted
        ),
    }


def check_tested(
    annotations: str | os.PathLike, source_ids: np.ndarray
) -> None:
    """Requires that the records are all people whom MPII's test scores.

    Args:
        annotations: Path of MPII's `.mat`.
        source_ids: `(N,)` bytes of the records' people.

    Raises:
        FileNotFoundError: there is no such `.mat`.
        ValueError: people are missing, or there are others.
    """
    release = mpii_annotations.read_release(annotations)
    tested = mpii.tested_names(release)
    found = {name.decode() for name in source_ids}
    if found != tested:
        raise ValueError(
            "MPII's submission is for records of build-mpii --people=test, "
            f"all {len(tested)} of them. Received: {len(found & tested)} of "
            f"these, {len(found - tested)} others"
        )


def check_joints(run: str | os.PathLike, skeleton: skeletons.Skeleton) -> None:
    """Requires that a run has the records' joints, in the same order.

    Args:
        run: The run's folder.
        skeleton: The records' `skeletons.Skeleton`.

    Raises:
        ValueError: the joints or their order differ.
    """
    saved = loading.saved_skeleton(run)
    if saved and saved.joints != skeleton.joints:
        different = [
            f"{a} for {b}" for a, b in zip(saved.joints, skeleton.joints)
            if a != b
        ]  # fmt: skip
        raise ValueError(
            "The model has other joints than the records, in their order: "
            f"{', '.join(different[:3])}. Received: the skeletons "
            f"{saved.name} and {skeleton.name}"
        )


def check_truth(
    truth: dict, skeleton: skeletons.Skeleton, image_ids: np.ndarray
) -> None:
    """Requires that COCO's ground truth is that of these records.

    Args:
        truth: Ground truth from `coco.read`.
        skeleton: The records' `skeletons.Skeleton`.
        image_ids: `(N,)` ids of the records' images.

    Raises:
        ValueError: the truth has another skeleton, lacks an image of the
            records, or has nobody with labelled keypoints; or the skeleton has
            no sigmas.
    """
    category, *_ = truth["categories"]
    if tuple(category["keypoints"]) != skeleton.joints:
        raise ValueError(
            f"The ground truth's category {category['name']} has other "
            f"keypoints than the records' skeleton {skeleton.name}. "
            f"Received: {', '.join(map(str, category['keypoints']))}"
        )
    if len(skeleton.sigmas) != len(skeleton):
        raise ValueError(
            "COCO's figures want a sigma for each joint. "
            f"Received: the skeleton {skeleton.name}, without"
        )
    known = array.array("q", (image["id"] for image in truth["images"]))
    asked = np.unique(image_ids)
    strange = np.setdiff1d(asked, known)
    if strange.size:
        raise ValueError(
            "The ground truth is of another split: it lacks images of these "
            f"records. Received: {len(strange)} of {len(asked)} image ids are "
            f"not in it, such as {strange[0]}"
        )
    if "annotations" not in truth:
        return
    images, has_zero = array.array("q"), False
    for row in truth["annotations"]:
        has_zero |= row["id"] == 0
        if row["num_keypoints"] and not row["iscrowd"]:
            images.append(row["image_id"])
    if has_zero:
        print(
            "an annotation has the id 0, which pycocotools takes for none, and "
            "misses; here it counts"
        )
    if not images:
        raise ValueError(
            "The ground truth has nobody with labelled keypoints, so nothing "
            f"can be scored. Received: {len(truth['annotations'])} annotations"
        )
    missed = int(np.count_nonzero(~np.isin(images, asked)))
    if missed:
        print(
            f"{missed} of the {len(images)} people to find are in images "
            "without a record: nobody will find them"
        )
