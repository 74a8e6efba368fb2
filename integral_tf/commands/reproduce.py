r"""Reproduces a table or a figure of the paper: every run, then the page.

    integral-tf reproduce --table=2 --budget=small \
        --data=data/lsp --out=runs/lsp

Runs what is missing and takes up what was interrupted: the same command goes
on. Runs are kept in OUT/runs and shared between tables, so give each set of
records an OUT of its own. Written to OUT:

    table2.md      paper beside measured, the difference, and each claim
    figure2.png    heat maps of both ankles and a wrist under H1 and I1
    figure3.png    PCKh over alpha of H1, R1, I* and I1

`--budget=paper` is Section 6.1 and needs GPUs; `--budget=small` makes every row
a small network and few steps, for two cores and an evening.
"""

import dataclasses

from integral_tf import flagfiles
from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class ReproduceConfig(settings.Checked):
    """A table or a figure of the paper."""

    table: str = setting(
        "0", "Table.", ("0", "2", "3", "4", "5", "7"), main=True
    )
    figure: str = setting("0", "Figure.", ("0", "2", "3"), main=True)
    data: str = setting("", "Folder of records.", required=True)
    out: str = setting("", "Folder for the runs and the pages.", required=True)
    budget: str = setting(
        "small", "Cost of each row.", ("small", "paper"), main=True
    )
    seeds: int = setting(
        1, "Runs of every row, with seeds 0, 1, ...", low=1, main=True
    )
    heatmap_epochs: int = setting(
        0,
        "I1 to I3: epochs of heat-map loss alone, where maps take longer to "
        "form than the budget gives them; 0 takes the budget's.",
        low=0,
        main=True,
    )
    person: int = setting(
        -1,
        "Figure 2: place of the person in the validation split; by default "
        "the one whom both models find best.",
        low=-1,
    )


CONFIG = ReproduceConfig
INTERRUPTED = "the same command goes on"


def call(asked: ReproduceConfig) -> None:
    from integral_tf.experiments import reproduce

    runs = reproduce.Runs(
        flagfiles.preset(asked.budget),
        asked.data,
        asked.out,
        asked.heatmap_epochs,
    )
    reproduce.reproduce(
        int(asked.table),
        int(asked.figure),
        runs,
        asked.seeds,
        asked.person,
    )
