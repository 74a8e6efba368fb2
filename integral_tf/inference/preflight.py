"""What is wrong with an evaluation, found before any work is done."""

import numpy as np

from integral_tf.inference import estimator
from integral_tf.pipeline import batches
from integral_tf.records import coco
from integral_tf.records import shards


def check(config, data, model=None):
    """Checks that records, model and ground truth belong together.

    Args:
        config: A `config.EvaluateConfig`.
        data: Folder of records.
        model: The pose model, if there is one yet.

    Returns:
        The `skeletons.Skeleton` of the records, and the ground truth in COCO's
        form or None; that of a test set has no `annotations`.

    Raises:
        FileNotFoundError: there are no records, or no such ground truth.
        ValueError: two of them do not fit, in one sentence.
    """
    skeleton = shards.read_skeleton(data)
    if model is not None:
        estimator.check_skeleton(model, skeleton)
        check_joints(config.workdir, skeleton)
    shards.shard_paths(data, config.split)
    truth = None
    if config.annotations and not config.annotations.endswith(".mat"):
        known = skeleton.name not in ("coco", "lsp", "mpii")
        category = skeleton.name if known else "person"
        truth = coco.read(config.annotations, category)
    elif config.split == "val":
        truth = shards.read_annotations(data)
    if truth:
        check_truth(truth, skeleton, batches.image_ids(data, config.split))
    return skeleton, truth


def check_joints(run, skeleton):
    """Requires that a run's joints are the records', in their order.

    Raises:
        ValueError: they are not.
    """
    saved = estimator.saved_skeleton(run)
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


def check_truth(truth, skeleton, image_ids):
    """Requires that COCO's ground truth is that of these records.

    Args:
        truth: What `coco.read` returned.
        skeleton: The records' `skeletons.Skeleton`.
        image_ids: `(N,)` the records' images.

    Raises:
        ValueError: another skeleton, no image in common, or nobody to find.
    """
    (category,) = truth["categories"]
    if tuple(category["keypoints"]) != skeleton.joints:
        raise ValueError(
            f"The ground truth's category {category['name']} has other "
            f"keypoints than the records' skeleton {skeleton.name}. "
            f"Received: {', '.join(map(str, category['keypoints']))}"
        )
    known = {image["id"] for image in truth["images"]}
    asked = set(image_ids.tolist())
    strange = asked - known
    if strange:
        raise ValueError(
            "The ground truth is of another split: it lacks images of these "
            f"records. Received: {len(strange)} of {len(asked)} image ids are "
            f"not in it, such as {min(strange)}"
        )
    if "annotations" not in truth:
        return
    images = [
        row["image_id"]
        for row in truth["annotations"]
        if row["num_keypoints"] and not row["iscrowd"]
    ]
    if not images:
        raise ValueError(
            "The ground truth has nobody with labelled keypoints, so nothing "
            f"can be scored. Received: {len(truth['annotations'])} annotations"
        )
    unseen = int(np.count_nonzero(~np.isin(images, list(asked))))
    if unseen:
        print(
            f"{unseen} of the {len(images)} people to find are in images "
            "without a record: nobody will find them"
        )
