r"""Drawn people -> TFRecords; nothing is downloaded.

    integral-tf build-synthetic --people=8000 --out=data/synthetic \
        --seed=0

Clothed, articulated figures on cluttered backgrounds with MPII's 16 joints:
enough for a small network to learn from in minutes, and to try every command
with. A tenth of the people, chosen by a hash of their number, is validation.
"""

from integral_tf import builds

CONFIG = builds.SyntheticConfig


def call(asked: builds.SyntheticConfig) -> None:
    from integral_tf.records import build
    from integral_tf.records import shards

    print(shards.describe(build.build_synthetic(asked)))
    print(f"records: {asked.out}")
