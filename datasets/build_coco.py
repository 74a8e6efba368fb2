r"""COCO's keypoint files, or your own in their form -> TFRecords.

    python datasets/build_coco.py --out=data/coco \
        --train_annotations=coco/annotations/person_keypoints_train2017.json \
        --train_images=coco/train2017 \
        --val_annotations=coco/annotations/person_keypoints_val2017.json \
        --val_images=coco/val2017 --image_size=256 --image_width=192

Either pair may be left out; `--val_share` then takes validation from the
training images. One person with labelled keypoints becomes one record. With
`--val_boxes`, a detector's result file, the validation records are its boxes in
place of the annotated ones, as an AP that is to be compared wants them. The
validation's ground truth is kept beside the records.
"""

import dataclasses
import pathlib
import re

from absl import app
from absl import flags

from integral_tf import settings
from integral_tf import sides
from integral_tf import skeletons
from integral_tf.records import coco
from integral_tf.records import coco_skeleton
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
    "category",
    "",
    "Category that has the keypoints, or several of one skeleton, as dog,cat; "
    "all takes those with the first one's. Empty takes person where the file "
    "has it, else all.",
)
_KEYPOINTS = flags.DEFINE_string(
    "keypoints",
    "",
    "Names of the joints where the file has none: with commas between them, "
    "or a file of one a line.",
)
_VAL_SHARE = flags.DEFINE_float(
    "val_share",
    0.0,
    "Share of the training photographs kept for validation, where there are "
    "no --val_annotations.",
    lower_bound=0.0,
    upper_bound=1.0,
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
    except KeyboardInterrupt:
        raise SystemExit("build_coco: interrupted; nothing written") from None
    print(shards.describe(manifest))
    print(f"records: {_OUT.value}")


def _build():
    said = []
    truths = {
        split: coco.read(
            flag.value,
            _CATEGORY.value or None,
            keypoints=_read_keypoints(),
            say=said.append,
        )
        for split, flag in _ANNOTATIONS.items()
        if flag.value
    }
    if not truths or (_VAL_BOXES.value and "val" not in truths):
        raise ValueError(
            "Give --train_annotations, --val_annotations or both; --val_boxes "
            "wants the latter, which say what images there are. "
            f"Received: {', '.join(truths) or 'neither'}"
        )
    # What both files have is said once.
    for line in dict.fromkeys(said):
        print(line)
    skeleton = _skeleton(truths)
    images = {split: flag.value for split, flag in _IMAGES.items()}
    if _VAL_SHARE.value and "val" in truths:
        raise ValueError(
            "--val_share is for annotations without a validation set. "
            f"Received: --val_share={_VAL_SHARE.value:g} and --val_annotations"
        )
    if _VAL_SHARE.value:
        parts = coco.parted(truths["train"], _VAL_SHARE.value)
        truths, images["val"] = dict(zip(images, parts)), images["train"]
    people = []
    for split, truth in truths.items():
        if split == "val" and _VAL_BOXES.value:
            people += coco.detections(
                truth,
                images[split],
                _VAL_BOXES.value,
                split,
                _MIN_BOX_SCORE.value,
            )
        else:
            people += coco.people(truth, images[split], split)
    paths = [flag.value for flag in (*_ANNOTATIONS.values(), _VAL_BOXES)]
    return shards.write(
        people,
        coco.person,
        _OUT.value,
        skeleton,
        _IMAGE_SIZE.value,
        coco.split_of,
        source=", ".join(pathlib.Path(path).name for path in paths if path),
        # About 100 MB each of all of COCO.
        shards=min(64, 1 + len(people) // 1000),
        aspect=shards.aspect_of(_IMAGE_SIZE.value, _IMAGE_WIDTH.value),
        annotations=truths.get("val"),
    )


def _skeleton(truths):
    """The one skeleton of all files, and what was guessed of its sides."""
    found = [
        coco_skeleton.of_truth(truth, _read_sigmas())
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
    given, joints = _read_keypoints(), skeleton.joints
    if given and tuple(given) != joints:
        raise ValueError(
            f"The file has names for its joints: {', '.join(joints)}. "
            f"Received: --keypoints={_KEYPOINTS.value}"
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


def _read_keypoints():
    names = re.split(r"[,\n]", _text(_KEYPOINTS))
    return [name.strip() for name in names if name.strip()]


def _text(flag):
    """A flag's value, or what is in the file that it names."""
    path = pathlib.Path(flag.value)
    return path.read_text() if flag.value and path.is_file() else flag.value


def _read_sigmas():
    values = re.split(r"[\s,\[\]]+", _text(_SIGMAS))
    try:
        return [float(value) for value in values if value] or None
    except ValueError:
        raise ValueError(
            "--sigmas are numbers, or a file of numbers. "
            f"Received: --sigmas={_SIGMAS.value}"
        ) from None


if __name__ == "__main__":
    app.run(main, flags_parser=settings.parse)
