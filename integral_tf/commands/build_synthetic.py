r"""Builds records of synthetic people; downloads nothing.

    integral-tf build-synthetic --people=8000 --out=data/synthetic \
        --seed=0

Draws clothed, articulated figures with MPII's 16 joints on cluttered
backgrounds. A small network learns from them in minutes, so that every command
can be tried. A tenth of the people, chosen by a hash of their number, is
validation.
"""

from integral_tf import builds

CONFIG = builds.SyntheticConfig


def call(asked: builds.SyntheticConfig) -> None:
    from integral_tf.records import build
    from integral_tf.records import shards

    print(shards.describe(build.build_synthetic(asked)))
    print(f"records: {asked.out}")
