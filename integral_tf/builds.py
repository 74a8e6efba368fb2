"""What a folder of records is built from: one dataclass per dataset."""

import dataclasses

from integral_tf import settings
from integral_tf import skeletons
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class BuildConfig(settings.Checked):
    """What every builder asks."""

    out: str = setting("", "Folder to write; it must not exist.", required=True)
    image_size: int = setting(
        256,
        "Height of the largest network input to serve.",
        low=8,
        high=4096,
        main=True,
    )
    image_width: int = setting(
        0, "Width of it; 0 makes it square.", low=0, high=4096, main=True
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
        "Joints of the records; mpii scores models of MPII's joints, and "
        "leaves pelvis and thorax unlabelled.",
        ("lsp", "mpii"),
    )


@dataclasses.dataclass(frozen=True)
class MpiiConfig(BuildConfig):
    """MPII Human Pose."""

    source: str = setting(
        "", "The .mat, a JSON, or a folder with one.", required=True
    )
    images: str = setting(
        "",
        "Folder of photographs; empty takes images/ beside the source.",
        main=True,
    )
    val_list: str = setting(
        "",
        "Who is validation: Simple Baselines' valid.json, or lines of image "
        "names.",
        main=True,
    )
    val_share: float = setting(
        0.1,
        "Share of photographs kept for it where there is no list.",
        low=0,
        high=1,
        main=True,
    )
    people: str = setting(
        "all",
        "Everyone; only those well apart; or whom the single-person test "
        "scores.",
        ("all", "single", "test"),
        main=True,
    )
    zero_based: bool = setting(
        False, "The JSON counts pixels from 0, unlike MATLAB."
    )


@dataclasses.dataclass(frozen=True)
class CocoConfig(BuildConfig):
    """COCO's keypoint files, or one's own in their form."""

    train_annotations: str = setting(
        "", "Keypoint JSON of the train split.", main=True
    )
    train_images: str = setting("", "Folder of its images.", main=True)
    val_annotations: str = setting(
        "", "Keypoint JSON of the val split.", main=True
    )
    val_images: str = setting("", "Folder of its images.", main=True)
    val_boxes: str = setting(
        "",
        "JSON of a detector's boxes in the validation images, in COCO's "
        "result form; empty takes the annotated ones.",
        main=True,
    )
    min_box_score: float = setting(
        0.0, "Leave out boxes that the detector scored lower."
    )
    category: str = setting(
        "",
        "Category that has the keypoints, or several of one skeleton, as "
        "dog,cat; all takes those with the first one's. Empty takes person "
        "where the file has it, else all.",
        main=True,
    )
    keypoints: str = setting(
        "",
        "Names of the joints where the file has none: with commas between "
        "them, or a file of one a line.",
    )
    val_share: float = setting(
        0.0,
        "Share of the training photographs kept for validation, where there "
        "are no --val_annotations.",
        low=0,
        high=1,
        main=True,
    )
    sigmas: str = setting(
        "",
        "OKS standard deviations of the joints: numbers, or a file of them; "
        "empty takes COCO's for COCO's joints and "
        f"{skeletons.DEFAULT_SIGMA} for others.",
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
        "With commas, what makes people more like those of photographs: poses, "
        "cloth, scenes, bystanders, camera.",
    )
    val_share: float = setting(
        0.1, "Share kept for validation.", low=0, high=1, main=True
    )
