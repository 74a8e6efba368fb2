"""Builds records from Leeds Sports Pose, or from its extension.

    integral-tf build-lsp --source=/data/lspet --out=data/lspet

`--source` holds `joints.mat` and `images/`, as the archives unpack. Each person
becomes one record: a window around the person, 14 joints and the head size. A
tenth of the people, chosen by a hash of the file name, is validation.
"""

from integral_tf import builds

CONFIG = builds.LspConfig


def call(asked: builds.LspConfig) -> None:
    from integral_tf.records import build
    from integral_tf.records import shards

    print(shards.describe(build.build_lsp(asked)))
    print(f"records: {asked.out}")
