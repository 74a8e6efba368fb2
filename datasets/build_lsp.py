r"""Leeds Sports Pose (or its extension) -> TFRecords.

    python datasets/build_lsp.py --source=/data/lspet --out=data/lspet

`--source` holds `joints.mat` and `images/`, as the archives unpack. One person
becomes one record: a window around them, their 14 joints and their head size.
A tenth of the people, chosen by a hash of the file name, is validation.
"""

import functools

from absl import app
from absl import flags

from integral_tf import settings
from integral_tf import skeletons
from integral_tf.records import lsp
from integral_tf.records import shards

_SOURCE = flags.DEFINE_string(
    "source", None, "Folder with joints.mat and images/.", required=True
)
_OUT = flags.DEFINE_string(
    "out", None, "Folder to write; it must not exist.", required=True
)
_SKELETON = flags.DEFINE_enum(
    "skeleton",
    "lsp",
    ["lsp", "mpii"],
    "Joints of the records; mpii scores models of MPII's joints, and leaves "
    "pelvis and thorax unlabelled.",
)
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", 256, "Height of the largest network input to serve."
)
_IMAGE_WIDTH = flags.DEFINE_integer(
    "image_width", 0, "Width of it; 0 makes it square."
)
_VAL_SHARE = flags.DEFINE_float(
    "val_share",
    0.1,
    "Share kept for validation.",
    lower_bound=0.0,
    upper_bound=1.0,
)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    skeleton = skeletons.get(_SKELETON.value)
    try:
        manifest = shards.write(
            lsp.people(_SOURCE.value),
            functools.partial(lsp.person, skeleton=skeleton),
            _OUT.value,
            skeleton,
            _IMAGE_SIZE.value,
            _VAL_SHARE.value,
            source="Leeds Sports Pose, joints.mat",
            aspect=shards.aspect_of(_IMAGE_SIZE.value, _IMAGE_WIDTH.value),
        )
    except (ValueError, OSError) as error:
        raise SystemExit(f"build_lsp: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit("build_lsp: interrupted; nothing written") from None
    print(shards.describe(manifest))
    print(f"records: {_OUT.value}")


if __name__ == "__main__":
    app.run(main, flags_parser=settings.parse)
