r"""MPII Human Pose -> TFRecords.

    python datasets/build_mpii.py --source=/data/mpii --out=data/mpii \
        --val_list=/data/mpii/valid.json

`--source` is the official mpii_human_pose_v1_u12_1.mat, a JSON in Simple
Baselines' form, or a folder that holds one of either. One person of the
training images becomes one record: a window around them, their 16 joints and
their head size. `--val_list` names the validation set; without it a tenth of
the photographs, chosen by a hash of their name, is validation. The records of
`--people=test` have no joints: evaluate.py with `--annotations` the .mat writes
their submission.
"""

from absl import app
from absl import flags

from integral_tf import settings
from integral_tf import skeletons
from integral_tf.records import mpii
from integral_tf.records import shards

_SOURCE = flags.DEFINE_string(
    "source", None, "The .mat, a JSON, or a folder with one.", required=True
)
_OUT = flags.DEFINE_string(
    "out", None, "Folder to write; it must not exist.", required=True
)
_IMAGES = flags.DEFINE_string(
    "images", None, "Folder of photographs; default: images/ by the source."
)
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", 256, "Height of the largest network input to serve."
)
_IMAGE_WIDTH = flags.DEFINE_integer(
    "image_width", 0, "Width of it; 0 makes it square."
)
_VAL_LIST = flags.DEFINE_string(
    "val_list",
    None,
    "Who is validation: Simple Baselines' valid.json, or lines of image names.",
)
_VAL_SHARE = flags.DEFINE_float(
    "val_share",
    0.1,
    "Share of photographs kept for it where there is no list.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_PEOPLE = flags.DEFINE_enum(
    "people",
    "all",
    ["all", "single", "test"],
    "Everyone; only those well apart; or whom the single-person test scores.",
)
_ZERO_BASED = flags.DEFINE_bool(
    "zero_based", False, "The JSON counts pixels from 0, unlike MATLAB."
)
_HEAD = {
    ".mat": "0.6 of the head box's diagonal",
    ".json": "head segment, not the official one",
}


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    try:
        file = mpii.find(_SOURCE.value)
        make = mpii.person
        if _PEOPLE.value == "test":
            if _VAL_LIST.value or _ZERO_BASED.value:
                raise ValueError(
                    "The test set has no validation list, and its pixels count "
                    f"from 1. Received: --val_list={_VAL_LIST.value} "
                    f"--zero_based={_ZERO_BASED.value}"
                )
            make, line = mpii.tested_person, "the test set, joints unknown"
            people = mpii.test_people(_SOURCE.value, _IMAGES.value)
            split = 1.0
        else:
            people = mpii.people(
                _SOURCE.value, _IMAGES.value, _PEOPLE.value, _ZERO_BASED.value
            )
            split = mpii.by_share(_VAL_SHARE.value)
            line = f"{_VAL_SHARE.value:g} of the photographs"
            if _VAL_LIST.value:
                people, split, line = mpii.by_list(people, _VAL_LIST.value)
        manifest = shards.write(
            people,
            make,
            _OUT.value,
            skeletons.MPII,
            _IMAGE_SIZE.value,
            split,
            source=f"MPII, {file.name}; people: {_PEOPLE.value}; head size: "
            f"{_HEAD[file.suffix]}; validation: {line}",
            aspect=shards.aspect_of(_IMAGE_SIZE.value, _IMAGE_WIDTH.value),
        )
    except (ValueError, OSError) as error:
        raise SystemExit(f"build_mpii: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit("build_mpii: interrupted; nothing written") from None
    print(f"validation: {line}")
    print(shards.describe(manifest))
    print(f"records: {_OUT.value}")


if __name__ == "__main__":
    app.run(main, flags_parser=settings.parse)
