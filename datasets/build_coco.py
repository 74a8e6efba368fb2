r"""COCO's keypoint files, or your own in their form -> TFRecords.

    python datasets/build_coco.py --out=data/coco \
        --train_annotations=coco/annotations/person_keypoints_train2017.json \
        --train_images=coco/train2017 \
        --val_annotations=coco/annotations/person_keypoints_val2017.json \
        --val_images=coco/val2017 --image_size=256 --image_width=192

Either pair may be left out. One person with labelled keypoints becomes one
record. With `--val_boxes`, a detector's result file, the validation records
are its boxes in place of the annotated ones, as an AP that is to be compared
wants them. The validation's ground truth is kept beside the records.
"""

import pathlib
import re

from absl import app
from absl import flags

from integral_tf import skeletons
from integral_tf.records import coco
from integral_tf.records import shards

_ANNOTATIONS = {
    split: flags.DEFINE_string(
        f"{split}_annotations", "", f"Keypoint JSON of the {split} split."
    )
    for split in ("train", "val")
}
_IMAGES = {
    split: flags.DEFINE_string(f"{split}_images", "", "Folder of its images.")
    for split in ("train", "val")
}
_VAL_BOXES = flags.DEFINE_string(
    "val_boxes",
    "",
    "JSON of a detector's boxes in the validation images, in COCO's result "
    "form; empty takes the annotated ones.",
)
_MIN_BOX_SCORE = flags.DEFINE_float(
    "min_box_score", 0.0, "Leave out boxes that the detector scored lower."
)
_CATEGORY = flags.DEFINE_string(
    "category", "person", "Name of the category that has the keypoints."
)
_SIGMAS = flags.DEFINE_string(
    "sigmas",
    "",
    "OKS standard deviations of the joints: numbers, or a file of them; empty "
    f"takes COCO's for COCO's joints and {skeletons.DEFAULT_SIGMA} for others.",
)
_OUT = flags.DEFINE_string(
    "out", None, "Folder to write; it must not exist.", required=True
)
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", 256, "Height of the largest network input to serve."
)
_IMAGE_WIDTH = flags.DEFINE_integer(
    "image_width", 0, "Width of it; 0 makes it square."
)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    try:
        manifest = _build()
    except (ValueError, OSError) as error:
        raise SystemExit(f"build_coco: {error}") from None
    print(shards.describe(manifest))
    print(f"records: {_OUT.value}")


def _build():
    truths = {
        split: coco.read(flag.value, _CATEGORY.value)
        for split, flag in _ANNOTATIONS.items()
        if flag.value
    }
    if not truths or (_VAL_BOXES.value and "val" not in truths):
        raise ValueError(
            "Give --train_annotations, --val_annotations or both; --val_boxes "
            "wants the latter, which say what images there are. "
            f"Received: {', '.join(truths) or 'neither'}"
        )
    found = [
        skeletons.from_coco(truth["categories"][0], _read_sigmas())
        for truth in truths.values()
    ]
    if found[0] != found[-1]:
        raise ValueError(
            "Training and validation have different keypoints, limbs or "
            f"sides. Received: {found[0]} and {found[-1]}"
        )
    people = []
    for split, truth in truths.items():
        images = _IMAGES[split].value
        if split == "val" and _VAL_BOXES.value:
            people += coco.detections(
                truth, images, _VAL_BOXES.value, split, _MIN_BOX_SCORE.value
            )
        else:
            people += coco.people(truth, images, split)
    paths = [flag.value for flag in (*_ANNOTATIONS.values(), _VAL_BOXES)]
    return shards.write(
        people,
        coco.person,
        _OUT.value,
        found[0],
        _IMAGE_SIZE.value,
        coco.split_of,
        source=", ".join(pathlib.Path(path).name for path in paths if path),
        # About 100 MB each of all of COCO.
        shards=min(64, 1 + len(people) // 1000),
        aspect=(_IMAGE_WIDTH.value or _IMAGE_SIZE.value) / _IMAGE_SIZE.value,
        annotations=truths.get("val"),
    )


def _read_sigmas():
    text = _SIGMAS.value
    if pathlib.Path(text).is_file():
        text = pathlib.Path(text).read_text()
    try:
        return [float(v) for v in re.split(r"[\s,\[\]]+", text) if v] or None
    except ValueError:
        raise ValueError(
            "--sigmas are numbers, or a file of numbers. "
            f"Received: --sigmas={_SIGMAS.value}"
        ) from None


if __name__ == "__main__":
    app.run(main)
