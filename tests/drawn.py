"""Records of drawn people, for tests that want some records or other."""

from integral_tf import skeletons
from integral_tf.records import shards
from integral_tf.records import synthetic


def person(index):
    return synthetic.person(0, index)


def records(folder, people, val_share, first=0, count=1):
    """Writes records of MPII's joints, for a network of 64 pixels.

    Args:
        folder: Folder to write.
        people: How many are drawn.
        val_share: Share of them in the validation split.
        first: The first one's number.
        count: Shards of the larger split.

    Returns:
        The folder.
    """
    people = [(f"{i:08d}", first + i) for i in range(people)]
    shards.write(
        people,
        person,
        folder,
        skeletons.MPII,
        64,
        split=val_share,
        source="",
        shards=count,
    )
    return folder
