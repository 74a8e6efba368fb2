r"""Builds records from MPII Human Pose.

    integral-tf build-mpii --source=/data/mpii --out=data/mpii \
        --val_list=/data/mpii/valid.json

`--source` is the official mpii_human_pose_v1_u12_1.mat, a JSON in Simple
Baselines' form, or a folder that holds one of these. Each person of the
training images becomes one record: a window around the person, 16 joints and
the head size. `--val_list` names the validation set; without it a tenth of the
photographs, chosen by a hash of their name, is validation. The records of
`--people=test` have no joints; `integral-tf evaluate --annotations=FILE.mat`
writes their submission.
"""

from integral_tf import builds

CONFIG = builds.MpiiConfig


def call(asked: builds.MpiiConfig) -> None:
    from integral_tf.records import build
    from integral_tf.records import shards

    print(shards.describe(build.build_mpii(asked)))
    print(f"records: {asked.out}")
