"""Reads MPII's annotations, in either of their two forms.

    read_release  mpii_human_pose_v1_u12_1.mat, its authors' struct RELEASE
    read_json     the list that Simple Baselines, HRNet and MMPose read

Both forms count pixels from 1, as MATLAB does, so 1 is subtracted from every
point and every centre. `scale` is the person's height divided by 200 pixels.

Reference: Andriluka et al., "2D Human Pose Estimation: New Benchmark and State
of the Art Analysis", CVPR 2014; the fields are those of its README.
"""

import dataclasses
import json
import pathlib

import numpy as np

from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.records import matlab

# The toolkit's head size is this times the head box's diagonal.
HEAD_SHARE = 0.6
# ours: objpos is above the body's middle. Hourglass [29] and Simple Baselines
# move it down by the same length, in units of scale.
CENTRE_DOWN = 15.0

JOINTS = len(skeletons.MPII)
_LARGEST_SCALE = 100.0  # 20,000 pixels


@dataclasses.dataclass(frozen=True, eq=False)
class Annotation:
    """One person of a photograph.

    Attributes:
        image: File name of the photograph.
        number: Number of the person in the photograph, from 1 as in RELEASE.
        joints: `(16, 2)` x, y in the image frame; 0 where unlabelled.
        visible: `(16,)` 0 unlabelled, 1 labelled but hidden, 2 seen.
        centre: `(2,)` objpos in the image frame, or None.
        scale: Height divided by 200 pixels; 0 if unknown.
        head_size: In image pixels; 0 if unknown.
        apart: "Sufficiently separated" from others (RELEASE.single_person).
        path: Path of the photograph.
        image_id: The photograph's number.
        left_out: Reason to make no record of this person, if any.
    """

    image: str
    number: int
    joints: np.ndarray
    visible: np.ndarray
    centre: np.ndarray | None = None
    scale: float = 0.0
    head_size: float = 0.0
    apart: bool = False
    path: str = ""
    image_id: int = 0
    left_out: str = ""

    @property
    def stem(self):
        """Name of the photograph without its ending."""
        return pathlib.PurePosixPath(self.image).stem

    @property
    def source_id(self):
        return f"{self.stem}_{self.number}"

    @property
    def box(self):
        """The `(4,)` square of side 200 scale around the person, or None."""
        if self.centre is None or not self.scale:
            return None
        centre = self.centre + (0, CENTRE_DOWN * self.scale)
        half = 100 * self.scale
        return coordinates.box_around([centre - half, centre + half], 1.0)


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A photograph's file name, its `Annotation`s, and their use."""

    name: str
    people: tuple
    training: bool = True


def read_release(path):
    """Reads the official `.mat`.

    A missing value may be a missing field, an empty field, or no struct at all.
    An array of one struct is stored as the struct.

    Args:
        path: Path of `mpii_human_pose_v1_u12_1.mat`.

    Returns:
        List of `Photograph`, test images included, in the file's order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is another one.
    """
    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(
            "MPII's annotations are mpii_human_pose_v1_u12_1.mat. "
            f"Received: {str(path)!r}"
        )
    try:
        release = matlab.read(path, "RELEASE", squeeze=True)
        images = _items(release.annolist)
        training = np.atleast_1d(release.img_train).ravel()
        apart = release.single_person
        # Reading squeezes a cell array of one cell.
        apart = [apart] if len(images) == 1 else list(apart)
        if not len(images) == len(training) == len(apart):
            raise ValueError("its parts have different lengths")
        return [
            Photograph(
                str(image.image.name),
                _people_of(image, set(np.ravel(alone).astype(int).tolist())),
                bool(train),
            )
            for image, train, alone in zip(images, training, apart)
        ]
    except Exception as error:  # of many kinds where the file is another
        raise ValueError(
            "This is not MPII's .mat, whose struct RELEASE has annolist, "
            f"img_train and single_person ({type(error).__name__}: {error}). "
            f"Received: {str(path)!r}"
        ) from None


def read_json(path, zero_based=False):
    """Reads the JSON of Simple Baselines, HRNet and MMPose.

    The JSON has no head boxes, so `head_size` is the distance from upper neck
    to head top. PCKh by this length is not the official figure. The JSON does
    not tell hidden joints from visible ones; all labelled joints count as seen.

    Args:
        path: Path of a list of `{image, joints (16, 2), joints_vis (16,),
            center, scale}`; center (-1, -1) or scale -1 is unknown.
        zero_based: The file counts pixels from 0, unlike Simple Baselines'.

    Returns:
        List of `Photograph`, in the file's order. An entry of another form
        gives a person who is `left_out`.

    Raises:
        ValueError: the file is not such a list, or no entry is of this form.
    """
    people, error, fits = {}, "it has no entry", False
    try:
        entries = list(json.loads(pathlib.Path(path).read_text()))
    except (ValueError, TypeError, RecursionError) as wrong:
        entries, error = [], f"{type(wrong).__name__}: {wrong}"
    for place, entry in enumerate(entries, 1):
        name = entry.get("image") if isinstance(entry, dict) else None
        is_named = isinstance(name, str) and name
        name = name if is_named else f"entry {place}"
        others = people.setdefault(name, [])
        try:
            one = _of_entry(entry, len(others) + 1, zero_based)
            fits = fits or is_named
        except (ValueError, TypeError, KeyError, OverflowError) as wrong:
            error = f"{type(wrong).__name__}: {wrong}"
            is_named = False
        if not is_named:
            one = Annotation(
                image=name,
                number=len(others) + 1,
                joints=np.zeros((JOINTS, 2)),
                visible=np.zeros(JOINTS, int),
                left_out="entry that is not of the form of MPII's JSON",
            )
        others.append(one)
    if not fits:
        raise ValueError(
            "MPII's JSON is a list of {image, joints: 16 of [x, y], joints_vis:"
            " 16 of 0 or 1, center: [x, y], scale: height / 200} "
            f"({error:.200}). Received: {str(path)!r}"
        )
    return [Photograph(name, tuple(group)) for name, group in people.items()]


def _of_entry(entry, number, zero_based):
    first = 0 if zero_based else 1
    joints = np.asarray(entry["joints"], np.float64)
    labelled = np.asarray(entry["joints_vis"], np.float64) > 0
    centre = np.asarray(entry["center"], np.float64)
    scale = float(entry["scale"])
    shapes = joints.shape, labelled.shape, centre.shape
    if shapes != ((JOINTS, 2), (JOINTS,), (2,)):
        raise ValueError(f"a person with the shapes {shapes}")
    if scale > _LARGEST_SCALE:
        raise ValueError(f"scale {scale:g} would be {200 * scale:g} pixels")
    labelled &= np.isfinite(joints).all(axis=1)
    joints = np.where(labelled[:, None], joints - first, 0.0)
    neck, top = skeletons.MPII.indices(skeletons.MPII.head)
    head = float(np.hypot(*(joints[neck] - joints[top])))  # never overflows
    known = scale > 0 and _is_near(centre) and any(centre != -1)
    return Annotation(
        image=str(entry["image"]),
        number=number,
        joints=joints,
        visible=np.where(labelled, 2, 0),
        centre=centre - first if known else None,
        scale=scale if known else 0.0,
        # ours: the JSON has no head box.
        head_size=head
        if labelled[[neck, top]].all() and head < coordinates.LARGEST_BOX
        else 0.0,
    )


def _is_near(point):
    return (np.abs(point) < coordinates.LARGEST_BOX).all()


def _people_of(image, alone):
    people = []
    for number, rect in enumerate(_items(getattr(image, "annorect", None)), 1):
        joints, visible = np.zeros((JOINTS, 2)), np.zeros(JOINTS, int)
        for point in _items(_field(_field(rect, "annopoints"), "point")):
            place = np.array([_number(point, "x"), _number(point, "y")])
            joint = _number(point, "id")
            if np.isfinite(place).all() and joint in range(JOINTS):
                joints[int(joint)] = place - 1
                # ours: a joint without `is_visible` counts as seen.
                hidden = _number(point, "is_visible") == 0
                visible[int(joint)] = 1 if hidden else 2
        objpos = _field(rect, "objpos")
        centre = np.array([_number(objpos, "x"), _number(objpos, "y")]) - 1
        scale = _number(rect, "scale")
        # A difference of coordinates: no 1 to subtract.
        head = np.hypot(
            _number(rect, "x2") - _number(rect, "x1"),
            _number(rect, "y2") - _number(rect, "y1"),
        )
        people.append(
            Annotation(
                image=str(image.image.name),
                number=number,
                joints=joints,
                visible=visible,
                centre=centre if _is_near(centre) else None,
                scale=scale if 0 < scale <= _LARGEST_SCALE else 0.0,
                head_size=HEAD_SHARE * head
                if head < coordinates.LARGEST_BOX
                else 0.0,
                apart=number in alone,
            )
        )
    return tuple(people)


def _items(value):
    """A struct array, one struct or nothing, as a list."""
    if value is None:
        return []
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]


def _field(struct, name):
    """A field of one struct; None where it is absent or empty."""
    value = getattr(struct, name, None)
    if isinstance(value, np.ndarray) and value.size < 2:
        return value.item() if value.size else None
    return value


def _number(struct, name):
    """A field that is a number or its digits; NaN where it is neither."""
    try:
        return float(_field(struct, name))
    except (TypeError, ValueError):
        return np.nan
