"""Writes an HTML page to look through records before training on them.

    integral-tf browse --data=data/coco --out=coco.html

The page shows how many people the builder kept, how many it dropped and why,
the sizes of the people, the numbers of their labelled joints, and drawings of
some people, which open large. Selections choose a joint, a split and an order.
`--predictions=runs/i1/evaluation` draws an evaluation's predictions, too, with
the error of each joint. The page is a single file that loads nothing.
"""

import dataclasses
import os

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class BrowseConfig(settings.Checked):
    """Records, and the page to write."""

    data: str = setting("", "Folder of records.", required=True)
    out: str = setting("", "HTML file to write.", required=True)
    people: int = setting(
        48, "How many people of each split to draw.", low=0, main=True
    )
    predictions: str = setting(
        "",
        "Folder that `integral-tf evaluate` wrote of these records; its "
        "predictions are drawn with the truth.",
        main=True,
    )


CONFIG = BrowseConfig


def call(asked: BrowseConfig) -> None:
    from integral_tf.evaluation import browse

    browse.write(asked.data, asked.out, asked.people, asked.predictions)
    size = os.path.getsize(asked.out) / 1e6
    print(f"page: {asked.out}, {size:.1f} MB")
