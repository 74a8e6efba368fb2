"""Skeletons: the ordered joints of a dataset or of a user."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from integral_tf import former

# ours: OKS standard deviation of joints without one: the mean of COCO's 17.
DEFAULT_SIGMA = 0.067


@dataclasses.dataclass(frozen=True)
class Skeleton:
    """An ordered set of joints.

    Attributes:
        name: Name of the skeleton in records, manifests and flags.
        joints: Joint names; a joint's position here is its index everywhere.
        sides: Pairs of names that trade places when the image is mirrored.
        limbs: Pairs of names that a drawing connects by a line.
        groups: PCKh's columns, pairs of a name and its joints, in the order of
            Table 6.
        head: The two ends of the head segment; None if they are not labelled.
        in_mean: Joints in PCKh's mean; empty for all.
        sigmas: OKS standard deviations per joint; empty if the dataset has
            none.
        categories: Category ids of these joints in COCO's files and results;
            the first is the one that is written.
    """

    name: str
    joints: tuple[str, ...]
    sides: tuple[tuple[str, str], ...]
    limbs: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    head: tuple[str, str] | None = None
    in_mean: tuple[str, ...] = ()
    sigmas: tuple[float, ...] = ()
    categories: tuple[int, ...] = (1,)

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def mirrored_order(self) -> list[int]:
        """Indices that exchange left and right: `points[mirrored_order]`."""
        other = dict(self.sides)
        other.update((right, left) for left, right in self.sides)
        return [self.joints.index(other.get(j, j)) for j in self.joints]

    def indices(self, names: Iterable[str]) -> list[int]:
        """Positions of these joints, in the order of `names`."""
        return [self.joints.index(name) for name in names]

    @property
    def mean_indices(self) -> list[int]:
        """Positions of the joints in PCKh's mean."""
        return self.indices(self.in_mean or self.joints)


def _sides(*parts):
    return tuple((f"left_{part}", f"right_{part}") for part in parts)


def _both(first, second):
    return tuple((f"{s}_{first}", f"{s}_{second}") for s in ("left", "right"))


def _pair(part):
    return (f"left_{part}", f"right_{part}")


_LIMBS = (
    *_both("ankle", "knee"),
    *_both("knee", "hip"),
    *_both("wrist", "elbow"),
    *_both("elbow", "shoulder"),
)
_GROUPS = (
    ("Sho.", _pair("shoulder")),
    ("Elb.", _pair("elbow")),
    ("Wri.", _pair("wrist")),
    ("Hip", _pair("hip")),
    ("Knee", _pair("knee")),
    ("Ank.", _pair("ankle")),
)

MPII = Skeleton(
    name="mpii",
    joints=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "pelvis",
        "thorax",
        "upper_neck",
        "head_top",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
    ),
    sides=_sides("ankle", "knee", "hip", "wrist", "elbow", "shoulder"),
    limbs=(
        *_LIMBS,
        ("left_hip", "pelvis"),
        ("right_hip", "pelvis"),
        ("pelvis", "thorax"),
        ("left_shoulder", "thorax"),
        ("right_shoulder", "thorax"),
        ("thorax", "upper_neck"),
        ("upper_neck", "head_top"),
    ),
    groups=(("Head", ("upper_neck", "head_top")), *_GROUPS),
    head=("upper_neck", "head_top"),
    # The MPII toolkit leaves pelvis and thorax out of the mean.
    in_mean=("upper_neck", "head_top", *(j for _, g in _GROUPS for j in g)),
)

LSP = Skeleton(
    name="lsp",
    joints=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "neck",
        "head_top",
    ),
    sides=_sides("ankle", "knee", "hip", "wrist", "elbow", "shoulder"),
    limbs=(
        *_LIMBS,
        ("left_hip", "right_hip"),
        ("left_shoulder", "neck"),
        ("right_shoulder", "neck"),
        *_both("shoulder", "hip"),
        ("neck", "head_top"),
    ),
    groups=(("Head", ("neck", "head_top")), *_GROUPS),
    head=("neck", "head_top"),
)

# cocodataset.org/#keypoints-eval: k_i = 2 sigma_i, here sigma_i.
_COCO_SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072,
    0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
)  # fmt: skip

COCO = Skeleton(
    name="coco",
    joints=(
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    sides=_sides(
        "eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"
    ),
    limbs=(
        *_LIMBS,
        ("left_hip", "right_hip"),
        ("left_shoulder", "right_shoulder"),
        *_both("shoulder", "hip"),
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        *_both("eye", "ear"),
        *_both("ear", "shoulder"),
        ("left_eye", "right_eye"),
    ),
    groups=(("Face", ("nose", *_pair("eye"), *_pair("ear"))), *_GROUPS),
    sigmas=_COCO_SIGMAS,
)

KNOWN = {skeleton.name: skeleton for skeleton in (MPII, LSP, COCO)}


def get(name: str) -> Skeleton:
    """Returns the skeleton called `name`.

    Raises:
        ValueError: there is no such skeleton.
    """
    if name not in KNOWN:
        raise ValueError(
            f"A skeleton is one of {', '.join(sorted(KNOWN))}. "
            f"Received: {name!r}"
        )
    return KNOWN[name]


def to_dict(skeleton: Skeleton) -> dict[str, Any]:
    """A skeleton's fields as a dict that JSON can hold."""
    return dataclasses.asdict(skeleton)


def from_dict(fields: Mapping[str, Any]) -> Skeleton:
    """Inverse of `to_dict`, also for fields that were written as JSON.

    Raises:
        ValueError: `fields` are not those of a skeleton.
    """
    sentence = (
        "A skeleton is a dict of name, joints, sides, limbs and the rest of "
        "`Skeleton`."
    )
    try:
        skeleton = Skeleton(**{n: _tuples(v) for n, v in fields.items()})
    except (TypeError, AttributeError):  # no dict, or of other fields
        raise ValueError(f"{sentence} Received: {fields!r:.200}") from None
    for name, is_valid in _VALID.items():
        try:
            valid = is_valid(skeleton)
        except (TypeError, ValueError):
            valid = False
        if not valid:
            value = getattr(skeleton, name)
            raise ValueError(f"{sentence} Received: {name}={value!r:.200}")
    return skeleton


def are_names(names: Any) -> bool:
    """Whether `names` is a list of unique strings, not empty."""
    if not isinstance(names, (list, tuple)) or not names:
        return False
    texts = all(isinstance(name, str) and name for name in names)
    return texts and len(set(names)) == len(names)


def _are_joints(skeleton, names):
    return set(names) <= set(skeleton.joints)


def _are_pairs(skeleton, pairs):
    return all(len(p) == 2 and _are_joints(skeleton, p) for p in pairs)


def _are_sides(skeleton):
    paired = [joint for pair in skeleton.sides for joint in pair]
    # A joint may be in one pair only.
    is_once = len(set(paired)) == len(paired)
    return _are_pairs(skeleton, skeleton.sides) and is_once


def _are_groups(skeleton):
    return all(
        isinstance(name, str) and _are_joints(skeleton, joints)
        for name, joints in skeleton.groups
    )


def _are_sigmas(skeleton):
    return len(skeleton.sigmas) in (0, len(skeleton)) and all(
        0 < sigma < float("inf") for sigma in skeleton.sigmas
    )


# For each field a function that says whether a skeleton's is valid.
_VALID = {
    "joints": lambda skeleton: are_names(skeleton.joints),
    "name": lambda skeleton: isinstance(skeleton.name, str),
    "sides": _are_sides,
    "limbs": lambda skeleton: _are_pairs(skeleton, skeleton.limbs),
    "groups": _are_groups,
    "head": lambda skeleton: (
        skeleton.head is None or _are_pairs(skeleton, [skeleton.head])
    ),
    "in_mean": lambda skeleton: _are_joints(skeleton, skeleton.in_mean),
    "sigmas": _are_sigmas,
    "categories": lambda skeleton: (
        len(skeleton.categories) > 0
        and all(type(number) is int for number in skeleton.categories)
    ),
}


def _tuples(value):
    if isinstance(value, (list, tuple)):
        return tuple(_tuples(item) for item in value)
    return value


__getattr__ = former.names(__name__)
