"""The points of 300W, WFLW and MTFL: names, order, mirrored pairs, limbs.

They go along the face as the viewer sees it, from the left of the picture. Here
left and right are the person's own, as in COCO: the first jaw point is the
right one. A mirror exchanges names that differ only in the side.

    300W  68 points   https://ibug.doc.ic.ac.uk/resources/300-W/
    WFLW  98 points   https://wywu.github.io/projects/LAB/WFLW.html
    MTFL   5 points   Zhang et al., "Facial Landmark Detection by Deep
                      Multi-task Learning" (2014)

The distance of MTFL's eyes divides its errors. The outer corners of the eyes,
whose distance divides the errors of the other two, are
`right_eye_outer` and `left_eye_outer`: points 37 and 46 of 300W, counted from
1, and 60 and 72 of WFLW, counted from 0.
"""

from integral_tf import sides
from integral_tf.records.conversion import annotations as of

_FACE = "face"


def _numbered(part, count):
    return [f"{part}_{number}" for number in range(1, count + 1)]


def _across(right, *middle):
    """Names from the right side over the middle to the left."""
    return [*right, *middle, *map(_left, reversed(right))]


def _left(name):
    return name.replace("right", "left", 1)


def _eyes(count):
    """Both eyes, each clockwise in the picture, `count` points on a lid."""
    top = _numbered("right_eye_top", count)
    bottom = _numbered("right_eye_bottom", count)
    outer, inner = "right_eye_outer", "right_eye_inner"
    left = [inner, *reversed(top), outer, *bottom]
    return [outer, *top, inner, *reversed(bottom), *map(_left, left)]


def _lips(kind, corner, count):
    """A closed line around lips, clockwise, from the right corner."""
    upper = [corner, *_numbered(f"right_upper_lip{kind}", count)]
    lower = [*_numbered(f"left_lower_lip{kind}", count), f"lower_lip{kind}"]
    right = _numbered(f"right_lower_lip{kind}", count)
    return [*_across(upper, f"upper_lip{kind}"), *lower, *reversed(right)]


def _nose():
    return [
        *_numbered("nose_bridge", 4),
        *_across(_numbered("right_nostril", 2), "nose_base"),
    ]


def _mouth():
    outer = _lips("", "right_mouth_corner", 2)
    return [*outer, *_lips("_inside", "right_mouth_corner_inside", 1)]


def _of_300w():
    return [
        *_across(_numbered("right_jaw", 8), "chin"),
        *_across(_numbered("right_brow", 5)),
        *_nose(),
        *_eyes(2),
        *_mouth(),
    ]


def _of_wflw():
    # Brows are closed lines: the upper edge, then the lower one back.
    brow = _numbered("right_brow", 9)
    left = [*reversed(brow[:5]), *reversed(brow[5:])]
    return [
        *_across(_numbered("right_jaw", 16), "chin"),
        *brow,
        *map(_left, left),
        *_nose(),
        *_eyes(3),
        *_mouth(),
        "right_pupil",
        "left_pupil",
    ]


def _category(names, lines, loops):
    """The category of these names.

    Args:
        names: Names of the points.
        lines: Pairs of the first and the last point, from 0, of open lines.
        loops: The same of closed lines.
    """
    numbers = {name: number for number, name in enumerate(names, 1)}
    limbs = [
        (k + 1, k + 2)
        for first, last in (*lines, *loops)
        for k in range(first, last)
    ]
    limbs += [(last + 1, first + 1) for first, last in loops]
    return of.Category(
        _FACE,
        tuple(names),
        tuple(limbs),
        tuple((numbers[a], numbers[b]) for a, b in sides.pairs(names)),
    )


IBUG = _category(
    _of_300w(),
    ((0, 16), (17, 21), (22, 26), (27, 30), (31, 35)),
    ((36, 41), (42, 47), (48, 59), (60, 67)),
)
MTFL = _category(
    [
        *("right_eye", "left_eye", "nose"),
        *("right_mouth_corner", "left_mouth_corner"),
    ],
    (),
    (),
)
WFLW = _category(
    _of_wflw(),
    ((0, 32), (51, 54), (55, 59)),
    ((33, 41), (42, 50), (60, 67), (68, 75), (76, 87), (88, 95)),
)
