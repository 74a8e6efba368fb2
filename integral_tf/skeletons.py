"""The joints each dataset labels. Data only; everything else asks this file."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Skeleton:
    """An ordered set of joints.

    Attributes:
        name: What records, manifests and flags call this skeleton.
        joints: Joint names; a joint's position here is its index everywhere.
        sides: Pairs of names that trade places when the image is mirrored.
        limbs: Pairs of names to join by a line in a drawing.
        groups: PCKh's columns, name -> joints, in the order of Table 6.
        head: The two ends of the head segment, where they are labelled.
        in_mean: Joints that the mean over joints pools; all when empty.
        sigmas: OKS standard deviations per joint, where the dataset has them.
    """

    name: str
    joints: tuple[str, ...]
    sides: tuple[tuple[str, str], ...]
    limbs: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    head: tuple[str, str] | None = None
    in_mean: tuple[str, ...] = ()
    sigmas: tuple[float, ...] = ()

    def __len__(self):
        return len(self.joints)

    @property
    def mirrored_order(self):
        """Indices that undo a mirroring: `points[mirrored_order]`."""
        other = dict(self.sides)
        other.update((right, left) for left, right in self.sides)
        return [self.joints.index(other.get(j, j)) for j in self.joints]

    def indices(self, names):
        """Positions of these joints, in the order asked for."""
        return [self.joints.index(name) for name in names]

    @property
    def mean_indices(self):
        """Positions of the joints that the mean over joints pools."""
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
    in_mean=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "upper_neck",
        "head_top",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
    ),
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
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
        ("neck", "head_top"),
    ),
    groups=(("Head", ("neck", "head_top")), *_GROUPS),
    head=("neck", "head_top"),
)

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
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("left_eye", "left_ear"),
        ("right_eye", "right_ear"),
    ),
    groups=(
        ("Face", ("nose", *_pair("eye"), *_pair("ear"))),
        *_GROUPS,
    ),
    # cocodataset.org/#keypoints-eval: k_i = 2 sigma_i, here sigma_i.
    sigmas=(
        0.026,
        0.025,
        0.025,
        0.035,
        0.035,
        0.079,
        0.079,
        0.072,
        0.072,
        0.062,
        0.062,
        0.107,
        0.107,
        0.087,
        0.087,
        0.089,
        0.089,
    ),  # fmt: skip
)

KNOWN = {skeleton.name: skeleton for skeleton in (MPII, LSP, COCO)}


def get(name):
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
