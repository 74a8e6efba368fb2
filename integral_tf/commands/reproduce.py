r"""Reproduces a table or a figure of the paper: trains, scores, writes a page.

    integral-tf reproduce --table=2 --budget=small \
        --data=data/lsp --out=runs/lsp

After an interrupt the same command continues: it resumes the interrupted run,
and trains the missing ones. Runs are kept in OUT/runs and shared between
tables, so each set of records needs an OUT of its own. Files in OUT:

    table2.md      the paper's and our figures, differences, and each claim
    figure2.png    heat maps of both ankles and a wrist, of H1 and I1
    heads.md       heads and readings of after the paper, with --table=heads
    figure3.png    PCKh over alpha of H1, R1, I* and I1

`--budget=paper` is Section 6.1 and needs GPUs. `--budget=small` trains a small
network with few steps for every row, on two cores in an evening.
"""

import dataclasses
import pathlib

from integral_tf import flagfiles
from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class ReproduceConfig(settings.Checked):
    """A table or a figure of the paper."""

    table: str = setting(
        "0",
        "Table of the paper; 0 for none. heads: the heads and readings of "
        "after the paper, on the same people.",
        ("0", "2", "3", "4", "5", "7", "heads"),
        main=True,
    )
    figure: str = setting(
        "0", "Figure of the paper; 0 for none.", ("0", "2", "3"), main=True
    )
    data: str = setting("", "Folder of records.", required=True)
    out: str = setting("", "Folder for the runs and the pages.", required=True)
    budget: str = setting(
        "small",
        "Preset of every run, or the path of a flag file; paper needs GPUs, "
        "faces is for boxes of faces.",
        main=True,
    )
    refined: bool = setting(
        False,
        "Read the maxima of H1 to H3 by a quarter pixel's shift and by DARK, "
        "too, in rows of their own.",
        main=True,
    )
    seeds: int = setting(
        1, "Runs of every row, with seeds 0, 1, ...", low=1, main=True
    )
    heatmap_epochs: int = setting(
        0,
        "I1 to I3: epochs with the heat-map loss alone, for records on which "
        "the budget's are too few; 0 takes the budget's.",
        low=0,
        main=True,
    )
    normalise_by: str = setting(
        "",
        "Length that divides the errors, as of evaluate; empty takes that of "
        "the records.",
        main=True,
    )
    alpha: str = setting(
        "",
        "Two thresholds in this length, such as 0.1,0.05, in the places of the "
        "paper's 0.5 and 0.1.",
        main=True,
    )
    person: int = setting(
        -1,
        "Figure 2: index of the person in the validation split; -1 takes the "
        "person with the least error of both models.",
        low=-1,
    )


CONFIG = ReproduceConfig
INTERRUPTED = "the same command goes on"


def call(asked: ReproduceConfig) -> None:
    from integral_tf.experiments import reproduce
    from integral_tf.experiments import tables

    runs = reproduce.Runs(
        _budget(asked.budget),
        asked.data,
        asked.out,
        asked.heatmap_epochs,
        normalise_by=asked.normalise_by,
        alpha=asked.alpha,
    )
    reproduce.reproduce(
        tables.HEADS if asked.table == "heads" else int(asked.table),
        int(asked.figure),
        runs,
        asked.seeds,
        asked.person,
        refined=asked.refined,
    )


def _budget(name):
    """Path of a budget: of a flag file, or of a preset."""
    if name.endswith(".flags"):
        return pathlib.Path(name)
    return flagfiles.preset(name)
