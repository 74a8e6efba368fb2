"""What an evaluation of a run is."""

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
        "What the flip test averages: maps, joints, or maps for the methods "
        "that read a maximum and joints for others.",
        ("auto", "maps", "joints"),
    )
    checkpoints: str = setting(
        "last",
        "What is scored: the run's model.keras, each checkpoint that it kept, "
        "or the average of their weights; these of an unfinished run, too.",
        ("last", "each", "average"),
        main=True,
    )
    annotations: str = setting(
        "",
        "COCO's ground truth, if not what the records hold; or MPII's .mat, "
        "to write its test submission.",
        main=True,
    )
    rescore: bool = setting(
        True, "Multiply a box's score by the mean of its joints' scores."
    )
    rescore_threshold: float = setting(
        0.2, "Only joints with a higher score enter this mean.", low=0, high=1
    )
    oks_nms: str = setting(
        "hard",
        "COCO: drop whoever is too similar to someone surer, or lower their "
        "scores first (soft).",
        ("hard", "soft", "none"),
    )
    oks_threshold: float = setting(
        0.9,
        "OKS above which two are one person.",
        low=0,
        high=1,
        former="nms_threshold",
    )
    compat: str = setting(
        "none",
        "Add a row of PCKh as Simple Baselines and HRNet print it.",
        ("none", "hrnet"),
    )
    self_test: bool = setting(
        False,
        "Score the truth itself: it must have 100, or AP 1. Needs no run, "
        "only --data.",
    )
