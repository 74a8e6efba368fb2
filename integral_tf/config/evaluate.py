"""Settings of `integral-tf evaluate`."""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@settings.with_former_names
@dataclasses.dataclass(frozen=True)
class EvaluateConfig(settings.Checked):
    """One evaluation of a run."""

    workdir: str = setting("", "Folder of the run to evaluate.", main=True)
    data: str = setting(
        "", "Folder of records; empty takes the run's own.", main=True
    )
    split: str = setting("val", "Split of the records to score.", main=True)
    out: str = setting(
        "", "Folder to write; empty is WORKDIR/evaluation.", main=True
    )
    batch_size: int = setting(64, "People per step.", low=1)
    limit: int = setting(
        0, "Score only this many people; 0 scores them all.", low=0, main=True
    )
    flip_test: bool = setting(
        False,
        "Average each person with its mirror image (Section 6.1).",
        main=True,
    )
    flip_merge: str = setting(
        "auto",
        "What the flip test averages: maps or joints. auto averages maps for "
        "the methods that read a maximum, and joints for the others.",
        ("auto", "maps", "joints"),
    )
    read_by: str = setting(
        "",
        "How joints are read from the heat maps: argmax; shift, the maximum "
        "and a quarter of a pixel; dark, the maximum of a Gaussian; integral. "
        "Empty reads as the method does.",
        ("", "argmax", "shift", "dark", "integral"),
        main=True,
    )
    weights: str = setting(
        "auto",
        "Weights to score: finished, the run's model.keras; best or last, its "
        "best.keras or last.keras, and last is model.keras once a run has "
        "finished; auto, the first of these that the run has; each, every "
        "checkpoint that the run kept; or average, the mean of these "
        "checkpoints' weights. each and average write folders OUT-NAME, such "
        "as OUT-epoch_3.",
        ("auto", "finished", "best", "last", "each", "average"),
        main=True,
        former="checkpoints",
    )
    annotations: str = setting(
        "",
        "COCO's ground truth; empty takes the one that the records hold. Or "
        "MPII's .mat, to write MPII's test submission.",
        main=True,
    )
    rescore: bool = setting(
        True, "Multiply a box's score by the mean of its joints' scores."
    )
    rescore_threshold: float = setting(
        0.2,
        "Only joints with a higher score enter the mean of --rescore.",
        low=0,
        high=1,
    )
    oks_nms: str = setting(
        "hard",
        "COCO: of people in an image who are too similar, hard drops all but "
        "the surest; soft lowers the scores of the others; none keeps all.",
        ("hard", "soft", "none"),
    )
    oks_threshold: float = setting(
        0.9,
        "OKS above which two poses are one person.",
        low=0,
        high=1,
        former="nms_threshold",
    )
    normalise_by: str = setting(
        "",
        "Length that divides the errors: the distance of two joints, "
        "left_eye,right_eye, or box, the geometric mean of the box's sides. "
        "Empty takes that of the records: the length that their builder was "
        "given, else heads, else tenths of the box's longer side.",
        main=True,
    )
    alpha: str = setting(
        "",
        "Thresholds of PCK in this length: 0.05,0.1. The largest is also where "
        "AUC ends, and a mean error above it is a failure. Empty is 0.5,0.1 "
        "for heads and tenths of the box, else 0.1,0.05.",
        main=True,
    )
    joint_weights: str = setting(
        "",
        "Weights of joints in PCKh's mean and AUC, in the mean error and in "
        "OKS: left_wrist=2,knee=0.5. Others weigh 1; 0 leaves a joint out.",
    )
    sigmas: str = setting(
        "",
        "OKS standard deviations in AP and OKS-NMS: left_wrist=0.05,knee=0.09, "
        "or one number for all joints. Others keep the records'.",
    )
    compare: str = setting(
        "",
        "Folder of another evaluation of these people; the difference of the "
        "two is written, with an interval.",
        main=True,
    )
    compat: str = setting(
        "none",
        "hrnet adds a row of PCKh as Simple Baselines and HRNet print it.",
        ("none", "hrnet"),
    )
    self_test: bool = setting(
        False,
        "Score the ground truth itself, which must give PCKh 100 and AP 1. "
        "Needs only --data, no run.",
    )
