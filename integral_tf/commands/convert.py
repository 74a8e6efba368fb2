r"""Converts labels of other tools to COCO's form, and predictions to theirs.

    integral-tf convert annotations.xml --images=photos --out=train.json
    integral-tf convert dlc-project --out=train.json
    integral-tf convert out/joints.json --skeleton=runs/fish --to=sleap \
        --out=fish.slp

Reads CVAT's XML, Label Studio's JSON, folders of YOLO-pose (also Roboflow's),
labelme's files, tables of DeepLabCut and Lightning Pose, SLEAP's .slp, the
faces of WFLW's and MTFL's lists and of 300W's .pts files, and the joints of
`integral-tf predict`. The JSON is for `integral-tf build-coco`.
Labelled frames of a video that are no pictures yet are written as pictures to
OUT_frames. With `--to`, `--out` is DeepLabCut's CSV or SLEAP's .slp instead.
All that is left out is counted, with its reason and an example.
"""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class ConvertConfig(settings.Checked):
    """Labels, and the file to write."""

    source: str = setting(
        "", "File or folder of the labels.", required=True, place=1
    )
    out: str = setting("", "File to write; it must not exist.", required=True)
    format: str = setting(
        "auto",
        "Format of the source; auto finds it.",
        (
            "auto",
            "cvat",
            "label_studio",
            "yolo",
            "labelme",
            "deeplabcut",
            "lightning_pose",
            "sleap",
            "wflw",
            "mtfl",
            "pts",
            "predictions",
        ),
        main=True,
    )
    images: str = setting(
        "",
        "Folder of the pictures; empty looks beside the labels.",
        main=True,
    )
    video: str = setting(
        "",
        "Video of which the labels are, or a folder of videos; empty looks "
        "beside the labels. Its labelled frames become pictures. For "
        "predictions it is the film that SLEAP opens.",
        main=True,
    )
    keyframes: bool = setting(
        False,
        "Of tracks in a video, only the frames that are set by hand.",
    )
    split: str = setting(
        "", "Part to convert, such as train; empty for all.", main=True
    )
    to: str = setting(
        "coco",
        "Format to write.",
        ("coco", "deeplabcut", "sleap"),
        main=True,
    )
    skeleton: str = setting(
        "",
        "Joints of predictions: a skeleton's name, a skeleton.json, or a run "
        "that has one.",
    )


CONFIG = ConvertConfig


def uses(asked: ConvertConfig) -> str:
    """No command line of this names TensorFlow."""
    return "python"


def call(asked: ConvertConfig) -> None:
    from integral_tf.records.conversion import convert

    convert.convert(asked)
