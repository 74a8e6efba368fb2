r"""Drawn people -> TFRecords; nothing is downloaded.

    python datasets/build_synthetic.py --people=8000 --out=data/synthetic \
        --seed=0

Clothed, articulated figures on cluttered backgrounds with MPII's 16 joints:
enough for a small network to learn from in minutes, and to try every command
with. A tenth of the people, chosen by a hash of their number, is validation.
"""

import functools

from absl import app
from absl import flags

from integral_tf import settings
from integral_tf import skeletons
from integral_tf.records import shards
from integral_tf.records import synthetic
from integral_tf.records import synthetic_levers

_PEOPLE = flags.DEFINE_integer(
    "people",
    8000,
    "How many people to draw.",
    lower_bound=1,
    upper_bound=10**8,
)
_OUT = flags.DEFINE_string(
    "out", None, "Folder to write; it must not exist.", required=True
)
_SEED = flags.DEFINE_integer(
    "seed", 0, "Another seed draws other people.", lower_bound=0
)
_LEVERS = flags.DEFINE_multi_enum(
    "levers",
    [],
    synthetic_levers.LEVERS,
    "What makes people more like those of photographs; may be repeated.",
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
    try:
        manifest = shards.write(
            [(f"{i:08d}", i) for i in range(_PEOPLE.value)],
            functools.partial(
                synthetic.person, _SEED.value, levers=_LEVERS.value
            ),
            _OUT.value,
            skeletons.MPII,
            _IMAGE_SIZE.value,
            _VAL_SHARE.value,
            source=", ".join(
                [f"drawn with seed {_SEED.value}", *_LEVERS.value]
            ),
            aspect=shards.aspect_of(_IMAGE_SIZE.value, _IMAGE_WIDTH.value),
        )
    except (ValueError, OSError) as error:
        raise SystemExit(f"build_synthetic: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(
            "build_synthetic: interrupted; nothing written"
        ) from None
    print(shards.describe(manifest))
    print(f"records: {_OUT.value}")


if __name__ == "__main__":
    app.run(main, flags_parser=settings.parse)
