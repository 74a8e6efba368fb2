"""Drawn people with MPII's joints, to train and test on where MPII is not.

A body is posed in three dimensions and drawn part by part, each a tapered tube
with a printed surface, into a picture and a map of depths; the depths say what
hides what. Nothing here is from the paper: every number is ours.

Letters: K joints, H and W the picture's sides, T texels along a print's side.
The *view frame* has x to the right, y down and z towards the viewer, in body
heights; in pixels its x and y are the image frame. A body's own axes are its
left, down and front: x, y and z if it faces the viewer.
"""

import colorsys
import dataclasses

import cv2
import numpy as np

from integral_tf import skeletons
from integral_tf.records import schema
from integral_tf.records import synthetic_levers

_TEXELS = 32
_ROW, _COLUMN = np.mgrid[:_TEXELS, :_TEXELS]
# Lowest and highest degrees: aside, forwards, elbow's bend, hand inwards.
_ARMS = np.array([
    [(3, 25), (-20, 25), (0, 40), (0, 60)],  # hanging
    [(3, 15), (0, 0), (10, 80), (0, 40)],  # walking: forwards by the stride
    [(0, 30), (25, 105), (5, 110), (0, 50)],  # in front
    [(75, 170), (-10, 25), (0, 110), (-100, 20)],  # raised
    [(35, 55), (-30, -5), (75, 105), (60, 80)],  # hand on hip
    [(0, 110), (-30, 100), (0, 130), (-40, 90)],  # any
    synthetic_levers.ACROBAT_ARMS,
])  # fmt: skip
# Aside, forwards, knee's bend; the spine's lean.
_LEGS = np.array([
    [(0, 14), (-8, 12), (0, 15), (-8, 18)],  # standing
    [(0, 8), (0, 0), (5, 40), (-8, 18)],  # walking
    [(0, 25), (65, 100), (55, 100), (-5, 20)],  # sitting
    [(5, 35), (50, 115), (80, 135), (10, 50)],  # crouching
    [(5, 50), (-15, 80), (0, 90), (-10, 35)],  # any
    synthetic_levers.ACROBAT_LEGS,
])  # fmt: skip
# Of either side, as they grow: start, end, length, radius at either end.
_LIMBS = (
    ("thorax", "shoulder", 0.105, 0.03, 0.03),
    ("shoulder", "elbow", 0.165, 0.036, 0.028),
    ("elbow", "wrist", 0.145, 0.028, 0.018),
    ("wrist", "hand", 0.06, 0.02, 0.021),
    ("pelvis", "hip", 0.055, 0.052, 0.052),
    ("hip", "knee", 0.24, 0.056, 0.037),
    ("knee", "ankle", 0.235, 0.038, 0.023),
    ("ankle", "toes", 0.095, 0.026, 0.023),
)
_TONES = np.float32([(250, 214, 185), (205, 150, 110), (105, 68, 48)])


@dataclasses.dataclass
class _Part:
    """A tapered tube.

    Attributes:
        ends: `(2, 3)` where its axis starts and ends, view frame.
        turn: `(3, 3)` the limb's axes; columns are left, down and front.
        radii: `(2,)` half its width at either end.
        print: `(T, T, 3)` float32 RGB; rows run from start to end, columns
            around from the back by the right, the front and the left.
        flat: Its thickness over its width.
        cap: How far it is rounded off beyond its ends; its radius if zero.
    """

    ends: np.ndarray
    turn: np.ndarray
    radii: np.ndarray
    print: np.ndarray
    flat: float = 1.0
    cap: float = 0.0


def person(seed, index, *, levers=()):
    """Draws person number `index` of collection `seed`, always the same.

    Args:
        seed: Another draws other people.
        index: Another draws another person.
        levers: Some of `synthetic_levers.LEVERS`: what makes people more like
            those of photographs.

    Returns:
        A `schema.Person` with `skeletons.MPII`'s joints, unlabelled and zero
        outside the picture; at least six are labelled. `box` is the whole
        body's extent, in the picture or not; `head_size` the length of its head
        segment, upper neck to head top; `area` its pixels in the picture.
    """
    synthetic_levers.check(levers)
    rng = np.random.default_rng([seed, index])
    visible = np.zeros(len(skeletons.MPII), np.int64)
    while np.count_nonzero(visible) < 6:
        image, joints, visible, box, body = _photograph(rng, levers)
    neck, top = joints[skeletons.MPII.indices(skeletons.MPII.head)]
    joints, name = np.where(visible[:, None], joints, 0.0), f"{index:08d}"
    sizes = float(np.linalg.norm(top - neck)), float(np.sum(body))
    return schema.Person(image, index, name, joints, visible, box, *sizes)


def _photograph(rng, levers=()):
    """Returns the image, `(K, 2)` joints, `(K,)` visibility, `(4,)` box and
    `(H, W)` bool of the body before anything is put in front of it."""
    joints, parts = _body(rng, levers)
    size, scale, offset, box = _place(rng, parts)
    joints = joints * scale + offset
    light = rng.normal(size=3) * [1, 1, 0.5] + [0, -0.5, 1]
    light *= rng.uniform(0.35, 0.6) / np.linalg.norm(light)
    image = _background(rng, size, light, levers)
    depth = np.full(image.shape[:2], -np.inf, np.float32)
    for part in sorted(parts, key=lambda part: part.ends[:, 2].sum()):
        _paint(image, depth, part, light)
    body = depth > -np.inf
    if rng.random() < 0.2:
        x, y = joints[rng.integers(len(joints)), :2] + rng.normal(0, 9, 2)
        _paint(image, depth, _bar(rng, (x, y, 1e3), scale), light)
    pixel = np.rint(joints[:, :2]).astype(int)
    column, row = pixel.clip(0, size - 1).T
    # Further behind what is seen than a body is thick.
    hidden = depth[row, column] - joints[:, 2] > 0.12 * scale
    inside = ((pixel >= 0) & (pixel < size)).all(-1)
    visible = np.where(inside, np.where(hidden, 1, 2), 0)
    image = cv2.GaussianBlur(image, (3, 3), rng.uniform(0.1, 0.8))
    gains = rng.uniform(0.6, 1.2) * rng.uniform(0.88, 1.1, 3)
    image, noise = image * gains.astype(np.float32), rng.integers(2, 14)
    image += rng.integers(-noise, noise + 1, image.shape, np.int8)
    return np.uint8(image.clip(0, 255)), joints[:, :2], visible, box, body


def _body(rng, levers):
    """Returns `(K, 3)` joints and the `_Part`s around them, body heights."""
    heading = rng.normal(rng.choice([0, 0, 0, 180, 180]), 35)
    points, turns = _pose(rng, heading, levers)
    parts = _dress(rng, points, turns, levers)
    joints = np.stack([points[name] for name in skeletons.MPII.joints])
    if "camera" in levers:
        joints = synthetic_levers.perspective(rng, parts, joints)
    return joints, parts


def _turn(forwards=0.0, around=0.0, aside=0.0):
    """`(3, 3)`; degrees that turn down to the front, then front to the left,
    then down to the left."""
    angles = np.radians((forwards, around, aside))
    (a, b, c), (d, e, f) = np.cos(angles), np.sin(angles)
    turn = np.array([(b, 0, e), (0, 1, 0), (-e, 0, b)])
    turn = turn @ np.array([(1, 0, 0), (0, a, -d), (0, d, a)])
    return np.array([(c, f, 0), (-f, c, 0), (0, 0, 1)]) @ turn


def _pose(rng, heading, levers=()):
    """Poses a body that faces the viewer (0), his right (90) or away (180).

    Returns dicts of `(3,)` points, view frame, by joint ("hand" and "toes" are
    joints here), and of the `(3, 3)` turns of the limbs that end there.
    """
    wild = 0.5 * ("poses" in levers)
    usual = np.array([0.35, 0.3, 0.13, 0.1, 0.12])
    kind = rng.choice(len(_LEGS), p=[*usual * (1 - wild), wild])
    tilt = 35 if kind == len(_LEGS) - 1 else 6
    lean = rng.uniform(*_LEGS[kind, 3])
    root = _turn(rng.normal(0, tilt), heading, rng.triangular(-30, 0, 30))
    spine = root @ _turn(-lean, rng.normal(0, 12), rng.normal(0, 9))
    # Whoever bends over still looks ahead.
    nod = 0.8 * lean + rng.normal(-4, 9)
    head = spine @ _turn(nod, rng.normal(0, 22), rng.normal(0, 9))
    turns = {"pelvis": root, "thorax": spine, "head_top": head}
    back, neck, skull = rng.normal((0.29, 0.05, 0.165), (0.02, 0.003, 0.009))
    points = {"pelvis": np.zeros(3), "thorax": -back * spine[:, 1]}
    points["upper_neck"] = points["thorax"] - neck * head[:, 1]
    points["head_top"] = points["upper_neck"] - skull * head[:, 1]
    stride = rng.choice([-1, 1]) * rng.uniform(10, 40)
    stretch = rng.normal(1, 0.07, len(_LIMBS)).clip(0.85, 1.15)
    for side, sign in (("left_", 1), ("right_", -1)):
        usual = np.array([0.25, 0.15, 0.18, 0.22, 0.1, 0.1])
        style = rng.choice(len(_ARMS), p=[*usual * (1 - wild), wild])
        aside, forwards, bend, inwards = rng.uniform(*_ARMS[style].T)
        forwards += sign * stride * (style == 1)
        upper = spine @ _turn(forwards, 0, sign * aside)
        lower = upper @ _turn(around=-sign * inwards) @ _turn(bend)
        hand = lower @ _turn(rng.normal(0, 20))
        aside, forwards, bend, _ = rng.uniform(*_LEGS[kind].T)
        forwards -= sign * stride * (kind == 1)
        thigh = root @ _turn(forwards, 0, sign * aside)
        thigh = thigh @ _turn(around=sign * rng.normal(8, 10))
        shin = thigh @ _turn(-bend)
        foot = shin @ _turn(rng.normal(70, 12))
        level = _turn(aside=sign * rng.normal(86, 4))
        yoke, girdle = spine @ level, root @ level
        chain = yoke, upper, lower, hand, girdle, thigh, shin, foot
        for (start, end, length, *_), turn, by in zip(_LIMBS, chain, stretch):
            start = points[start if start in points else side + start]
            points[side + end] = start + by * length * turn[:, 1]
            turns[side + end] = turn
    return points, turns


def _colour(rng):
    """RGB, 0 to 255."""
    hue, saturation, value = rng.random(3) * (1, 0.9, 0.85) + (0, 0, 0.15)
    return [255 * c for c in colorsys.hsv_to_rgb(hue, saturation, value)]


def _cloth(rng):
    """`(T, T, 3)` print of one colour, hoops, stripes, checks, dots, noise."""
    step = rng.choice([2, 4, 8])
    hoops, stripes = _ROW // step % 2, _COLUMN // step % 2
    dots = (_ROW % 8 - 4) ** 2 + (_COLUMN % 8 - 4) ** 2 < 1.5 * step
    patches = rng.random((8, 8)).repeat(4, 0).repeat(4, 1) < 0.4
    figures = 0 * _ROW, hoops, stripes, hoops ^ stripes, dots, patches
    figure = figures[rng.choice(6, p=[0.3, 0.18, 0.12, 0.15, 0.12, 0.13])]
    return np.float32([_colour(rng), _colour(rng)])[figure.astype(int)]


def _face(rng, skin, hair):
    """`(T, T, 3)` print of a head, chin first."""
    face = np.full((_TEXELS, _TEXELS, 3), skin, np.float32)
    face[9:11, 13:19] = (150, 50, 50)
    face[17:20, [11, 13, 18, 20]] = 245
    face[17:20, [12, 19]] = 20
    face[_ROW > rng.integers(22, 27)] = hair
    edge = rng.uniform(6.5, 9.5) + (20 - _ROW) / 8
    face[(_ROW > 5) & (abs(_COLUMN - 15.5) > edge)] = hair
    return face


def _dress(rng, points, turns, levers=()):
    """Returns the `_Part`s of a posed body, in body heights."""
    girth, skin = rng.uniform(0.85, 1.3), rng.dirichlet(np.ones(3)) @ _TONES
    hair = np.multiply(_colour(rng), rng.uniform(0.15, 0.9))
    shirt, trousers, shoe = _cloth(rng), _cloth(rng), np.array(_colour(rng))
    if "cloth" in levers:
        shoe, hair = synthetic_levers.dress(rng, skin, hair, shirt, trousers)
    sleeves, legs = np.tile(shirt, (2, 1, 1)), np.tile(trousers, (2, 1, 1))
    sleeves[int(rng.choice([0.1, 0.6, 1.6, 2]) * _TEXELS) :] = skin
    legs[int(rng.choice([0.4, 0.9, 1.9, 2]) * _TEXELS) :] = skin
    (sleeve, cuff), (thigh, shin) = np.split(sleeves, 2), np.split(legs, 2)
    prints = shirt, sleeve, cuff, skin, thigh, thigh, shin, shoe
    parts = []

    def add(start, end, turn, radii, cloth, *shape):
        ends, radii = np.stack([start, end]), np.array(radii)
        cloth = np.full((_TEXELS, _TEXELS, 3), cloth, np.float32)
        if "cloth" in levers:
            cloth = synthetic_levers.folds(rng, cloth)
        parts.append(_Part(ends, turn, radii, cloth, *shape))

    for side in ("left_", "right_"):
        for (start, end, _, *radii), cloth in zip(_LIMBS, prints):
            start = points[start if start in points else side + start]
            end, turn = points[side + end], turns[side + end]
            add(start, end, turn, np.multiply(girth, radii), cloth)
    # The chest is told from the back by its neckline, and often by a badge.
    torso = shirt.copy()
    torso[26:, 13:19] = skin
    if rng.random() < (0.25 if "cloth" in levers else 0.6):
        torso[rng.integers(9, 16) : 22, 12:20] = _colour(rng)
    spine, head = turns["thorax"], turns["head_top"]
    low, high = points["upper_neck"], points["head_top"]
    radii = girth * rng.uniform((0.085, 0.105), (0.11, 0.12))
    add(points["pelvis"], points["thorax"], spine, radii, torso, 0.62, 0.03)
    add(points["thorax"], low, spine, (0.033, 0.033), skin, 1.0, 0.02)
    # The skull is round: its axis ends a radius short of chin and crown.
    low, high = low - 0.05 * head[:, 1], high + 0.06 * head[:, 1]
    add(low, high, head, (0.052, 0.06), _face(rng, skin, hair), 1.15)
    low = low + head @ (0, rng.uniform(-0.06, 0.12), -0.03)
    add(low, high + head @ (0, 0.02, -0.03), head, (0.05, 0.057), hair)
    return parts


def _place(rng, parts):
    """Scales and moves a body's parts into a picture.

    Returns its `(2,)` width and height, the pixels per body height, and in the
    image frame the `(3,)` origin of the view frame and the `(4,)` box.
    """
    scale = rng.uniform(105, 165)
    ends = np.concatenate([part.ends[:, :2] for part in parts]) * scale
    radii = np.concatenate([part.radii for part in parts])[:, None] * scale
    low = (ends - radii).min(0)
    extent = (ends + radii).max(0) - low
    size = np.maximum(rng.integers(160, 260, 2), (extent + 5).astype(int))
    corner = rng.uniform(2, size - extent - 1)
    if rng.random() < 0.15:
        axis, out = rng.integers(2), rng.uniform(0.1, 0.45) * extent
        # Legs are cut off more often than heads.
        first = rng.random() < (0.5, 0.25)[axis]
        corner[axis] = (-out if first else size + out - extent)[axis]
    offset = np.append(corner - low, 0)
    for part in parts:
        part.ends = part.ends * scale + offset
        part.radii, part.cap = part.radii * scale, part.cap * scale
    # The picture's edge lies half a pixel before its first centre.
    return size, scale, offset, np.concatenate([corner + 0.5, extent])


def _paint(image, depth, part, light):
    """Draws a `_Part`, in pixels, where nothing drawn lies in front of it.

    Into `image`, `(H, W, 3)` RGB, and `depth`, `(H, W)` z, both float32.
    `light`, `(3,)`, points to the light and is as long as it is strong.
    """
    reach = part.radii.max() + 1
    low, high = part.ends[:, :2].min(0) - reach, part.ends[:, :2].max(0) + reach
    x0, y0 = low.clip(0).astype(int)
    x1, y1 = (high + 1).clip(0, depth.shape[::-1]).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    # Python's floats: NumPy's would make every array below a float64 one.
    (ax, ay, az), (bx, by, bz) = part.ends.tolist()
    (lx, ly, lz), _, (fx, fy, fz) = (part.turn * (1, 1, part.flat)).T.tolist()
    (sx, sy, sz), (r0, r1) = light.tolist(), part.radii.tolist()
    length = max(float(np.hypot(bx - ax, by - ay)), 1e-3)
    dx, dy = (bx - ax) / length, (by - ay) / length
    # The section's two axes as they lie across the picture, and in depth.
    side, face = ly * dx - lx * dy, fy * dx - fx * dy
    shown = max(float(np.hypot(side, face)), 0.2)
    rim, near = float(np.arctan2(side, face)), float(np.arctan2(lz, fz))
    bulk = max(float(np.hypot(lz, fz)), 0.5) * max(r0, r1)
    x = np.arange(x0, x1, dtype=np.float32) - ax
    y = np.arange(y0, y1, dtype=np.float32)[:, None] - ay
    along, across = x * dx + y * dy, y * dx - x * dy
    inner = along.clip(0, length)
    radius = inner * ((r1 - r0) / length) + r0
    over = (along - inner) / (part.cap or radius)
    rounding = np.minimum(radius * shown, part.cap or radius)
    across /= radius * shown
    middle = across * across + over * over
    bulge = np.sqrt((1 - middle).clip(0))
    z = az + (bz - az) / length * inner + bulk * bulge
    patch = np.s_[y0:y1, x0:x1]
    alpha = (1 - np.sqrt(middle)) * rounding + 0.5
    alpha = alpha.clip(0, 1) * (z > depth[patch])
    before, after = part.cap or r0, part.cap or r1
    row = (along + before) * (_TEXELS / (length + before + after))
    # Of the two points of the section seen at `across`, the nearer.
    nearer = float(np.sign(np.sin(near - rim))) * _TEXELS / (2 * np.pi)
    column = np.arccos(across.clip(-1, 1)) * nearer
    column += _TEXELS / 2 + rim * _TEXELS / (2 * np.pi)
    row, column = row.clip(0, _TEXELS - 1), column.astype(int) % _TEXELS
    lit = across * (sy * dx - sx * dy) + over * (sx * dx + sy * dy) + bulge * sz
    colour = part.print[row.astype(int), column]
    colour *= (lit.clip(-0.25) + 0.62)[..., None]
    image[patch] += alpha[..., None] * (colour - image[patch])
    np.copyto(depth[patch], z, where=alpha > 0.5)


def _bar(rng, centre, scale):
    """A `_Part` in pixels that is no one's: a limb, a post or a board."""
    turn, cap = _turn(0, *rng.uniform(0, 360, 2)), float(rng.integers(2))
    half = scale * rng.uniform(0.08, 0.3) * turn[:, 1]
    ends, radii = (centre - half, centre + half), rng.uniform(0.02, 0.07, 2)
    return _Part(np.stack(ends), turn, scale * radii, _cloth(rng), cap=cap)


def _background(rng, size, light, levers):
    """`(H, W, 3)` float32 RGB of what no body hides."""
    if "scenes" in levers and rng.random() < 0.8:
        image = synthetic_levers.scene(rng, size)
        return _bystanders(rng, image, light, levers)
    coarse = np.float32([_colour(rng) for _ in range(4)]).reshape(2, 2, 3)
    image = cv2.resize(coarse, size)
    for cells in rng.choice([3, 8, 20, 60], 2):
        grain = rng.normal(0, rng.uniform(3, 28), (cells, cells, 3))
        grain[..., 1:] += rng.random() * (grain[..., :1] - grain[..., 1:])
        image += cv2.resize(grain.astype(np.float32), size)
    for _ in range(rng.integers(0, 8)):
        shape = rng.integers(-45, 45, (rng.integers(3, 6), 2), np.int32)
        shape += rng.integers(0, size, dtype=np.int32)
        cv2.drawContours(image, [shape], 0, _colour(rng), rng.choice([-1, 3]))
    depth = np.full(image.shape[:2], -np.inf, np.float32)
    for _ in range(rng.integers(0, 6)):
        centre = np.append(rng.uniform((0, 0), size), 0)
        _paint(image, depth, _bar(rng, centre, 130), light)
    image = cv2.GaussianBlur(image, (7, 7), 0.2 + rng.gamma(0.7, 1.0))
    return _bystanders(rng, image, light, levers)


def _bystanders(rng, image, light, levers):
    """Other people, behind; they have no labels."""
    if "bystanders" not in levers or rng.random() < 0.6:
        return image
    size = np.array(image.shape[1::-1])
    for _ in range(rng.integers(1, 4)):
        _, parts = _body(rng, levers)
        scale = rng.uniform(30, 110)
        offset = np.append(rng.uniform((0, 0), size), 0)
        depth = np.full(image.shape[:2], -np.inf, np.float32)
        for part in sorted(parts, key=lambda part: part.ends[:, 2].sum()):
            part.ends = part.ends * scale + offset
            part.radii, part.cap = part.radii * scale, part.cap * scale
            _paint(image, depth, part, light)
    return cv2.GaussianBlur(image, (5, 5), 0.2 + rng.gamma(0.7, 1.0))
