"""Settings of the dataset builders: one dataclass per dataset."""

import dataclasses

from integral_tf import settings
from integral_tf import skeletons
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class BuildConfig(settings.Checked):
    """Settings of every builder."""

    out: str = setting("", "Folder to write; it must not exist.", required=True)
    image_size: int = setting(
        256,
        "Height in pixels of the largest network input that these records "
        "will feed.",
        low=8,
        high=4096,
        main=True,
    )
    image_width: int = setting(
        0,
        "Width of that input; 0 makes it square.",
        low=0,
        high=4096,
        main=True,
    )


@dataclasses.dataclass(frozen=True)
class LspConfig(BuildConfig):
    """Leeds Sports Pose, or its extension."""

    source: str = setting(
        "", "Folder with joints.mat and images/.", required=True
    )
    val_share: float = setting(
        0.1, "Share kept for validation.", low=0, high=1, main=True
    )
    skeleton: str = setting(
        "lsp",
        "Joints of the records. With mpii, models of MPII's joints can be "
        "scored; pelvis and thorax are unlabelled.",
        ("lsp", "mpii"),
    )


@dataclasses.dataclass(frozen=True)
class MpiiConfig(BuildConfig):
    """MPII Human Pose."""

    source: str = setting(
        "", "The .mat, a JSON, or a folder that holds one.", required=True
    )
    images: str = setting(
        "",
        "Folder of photographs; empty takes images/ beside the source.",
        main=True,
    )
    val_list: str = setting(
        "",
        "File that names the validation set: Simple Baselines' valid.json, or "
        "a text with an image name a line.",
        main=True,
    )
    val_share: float = setting(
        0.1,
        "Share of photographs kept for validation, without a --val_list.",
        low=0,
        high=1,
        main=True,
    )
    people: str = setting(
        "all",
        "People to keep: all; single, those well apart from others; or test, "
        "those whom the single-person test scores.",
        ("all", "single", "test"),
        main=True,
    )
    zero_based: bool = setting(
        False, "The JSON counts pixels from 0, unlike MATLAB."
    )


@dataclasses.dataclass(frozen=True)
class CocoConfig(BuildConfig):
    """COCO's keypoint files, or your own in the same form."""

    train_annotations: str = setting(
        "", "Keypoint JSON of the train split.", main=True
    )
    train_images: str = setting(
        "", "Folder of the train split's images.", main=True
    )
    val_annotations: str = setting(
        "", "Keypoint JSON of the val split.", main=True
    )
    val_images: str = setting(
        "", "Folder of the val split's images.", main=True
    )
    val_boxes: str = setting(
        "",
        "JSON of a detector's boxes in the validation images, in COCO's "
        "result form; empty takes the annotated boxes.",
        main=True,
    )
    min_box_score: float = setting(
        0.0, "Leave out --val_boxes with a lower score."
    )
    category: str = setting(
        "",
        "Category that has the keypoints, or several that share a skeleton: "
        "dog,cat. all takes every category with the first one's keypoints. "
        "Empty takes person where the file has it, else all.",
        main=True,
    )
    keypoints: str = setting(
        "",
        "Names of the joints, where the annotations have none: separated by "
        "commas, or a file with a name a line.",
    )
    field: str = setting(
        "",
        "Fields of the annotations, or else of their images, that the records "
        "carry, for train --balance: species, or several: species,site.",
    )
    normalise_by: str = setting(
        "",
        "Length that divides the errors in all figures: the distance of two "
        "joints, left_eye,right_eye, or box, the geometric mean of the box's "
        "sides. People without this length are in no figure. Empty takes a "
        "tenth of the box's longer side.",
        main=True,
    )
    empty_pictures: float = setting(
        0.0,
        "Pictures of each split without anybody to keep, so that a training "
        "learns empty maps: below 1 a share of them, from 1 a number.",
        low=0,
    )
    val_share: float = setting(
        0.0,
        "Share of the training photographs kept for validation, without "
        "--val_annotations.",
        low=0,
        high=1,
        main=True,
    )
    sigmas: str = setting(
        "",
        "OKS standard deviations of the joints: numbers, or a file of them. "
        "Empty takes COCO's for COCO's joints, and "
        f"{skeletons.DEFAULT_SIGMA} for other joints.",
    )


@dataclasses.dataclass(frozen=True)
class SyntheticConfig(BuildConfig):
    """Drawn people."""

    people: int = setting(
        8000, "How many people to draw.", low=1, high=10**8, main=True
    )
    seed: int = setting(0, "Another seed draws other people.", low=0, main=True)
    levers: str = setting(
        "",
        "What makes the pictures more like photographs, separated by commas: "
        "poses, cloth, scenes, bystanders, camera.",
    )
    val_share: float = setting(
        0.1, "Share kept for validation.", low=0, high=1, main=True
    )
