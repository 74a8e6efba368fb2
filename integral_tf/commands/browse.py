"""Records -> one page to look through before training on them.

    integral-tf browse --data=data/coco --out=coco.html

The page holds whom the builder kept and dropped and why, how large the people
are, how many of their joints are labelled, and some of them, drawn. It is one
file that loads nothing else.
"""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class BrowseConfig(settings.Checked):
    """Records, and the page to write."""

    data: str = setting("", "Folder of records.", required=True)
    out: str = setting("", "HTML file to write.", required=True)
    people: int = setting(
        48, "How many of each split to draw.", low=0, main=True
    )


CONFIG = BrowseConfig


def call(asked: BrowseConfig) -> None:
    from integral_tf.evaluation import browse

    browse.write(asked.data, asked.out, asked.people)
    print(f"page: {asked.out}")
