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

_TEXELS = 32
# Behind what is seen by more than a body is thick: hidden (body heights).
_THICKNESS = 0.12
# Lowest and highest degrees: aside, forwards, elbow's bend, hand inwards.
_ARMS = np.array([
    [(3, 25), (-20, 25), (0, 40), (0, 60)],  # hanging
    [(3, 15), (0, 0), (10, 80), (0, 40)],  # walking: forwards by the stride
    [(0, 30), (25, 105), (5, 110), (0, 50)],  # in front
    [(75, 170), (-10, 25), (0, 110), (-100, 20)],  # raised
    [(35, 55), (-30, -5), (75, 105), (60, 80)],  # hand on hip
    [(0, 110), (-30, 100), (0, 130), (-40, 90)],  # any
])  # fmt: skip
# Aside, forwards, knee's bend; the spine's lean.
_LEGS = np.array([
    [(0, 14), (-8, 12), (0, 15), (-8, 18)],  # standing
    [(0, 8), (0, 0), (5, 40), (-8, 18)],  # walking
    [(0, 25), (65, 100), (55, 100), (-5, 20)],  # sitting
    [(5, 35), (50, 115), (80, 135), (10, 50)],  # crouching
    [(5, 50), (-15, 80), (0, 90), (-10, 35)],  # any
])  # fmt: skip
# Of either side, as they grow: start, end, length, radius at either end.
_LIMBS = (
    ("thorax", "shoulder", 0.105, (0.03, 0.03),
    ("shoulder", "elbow", 0.165, (0.036, 0.028),
    ("elbow", "wrist", 0.145, (0.028, 0.018),
    ("wrist", "hand", 0.06, (0.02, 0.021),
    ("pelvis", "hip", 0.055, (0.052, 0.052),
    ("hip", "knee", 0.24, (0.056, 0.037),
    ("knee", "ankle", 0.235, (0.038, 0.023),
    ("ankle", "toes", 0.095, (0.026, 0.023),
)
_TONES = np.float32([(250, 214, 185), (205, 150, 110), (105, 68, 48)])


@dataclasses.dataclass
class _Part:
    """A tapered tube.

    Attributes:
        ends: `(2, 3)` where its axis starts and ends, view frame.
        turn: `(3, 3)` the limb's axes; columns are left, down and front.
        radii: `(2,)` half its width at either end.
        print: `(T, T, 3)` or `(3,)` RGB; rows run from start to end, columns
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


def person(seed, index):
    """Draws one person, always the same one for the same arguments.

    Args:
        seed: Which collection of people.
        index: Which person of it.

    Returns:
        A `schema.Person` with `skeletons.MPII`'s joints. Joints outside the
        picture are unlabelled and zero; at least six are labelled. `box` is
        the whole body's extent, even where that leaves the picture. `head_size`
        is the length of the head segment, upper neck to head top, labelled or
        not. `area` counts the body's pixels inside the picture.
    """
    rng = np.random.default_rng([seed, index])
    visible = np.zeros(len(skeletons.MPII), np.int64)
    while np.count_nonzero(visible) < 6:
        image, joints, visible, box, body = _photograph(rng)
    neck, top = joints[skeletons.MPII.indices(skeletons.MPII.head)]
    head_size, area = np.linalg.norm(top - neck), np.count_nonzero(body)
    joints, name = np.where(visible[:, None] > 0, joints, 0.0), f"{index:08d}"
    sizes = float(head_size), float(area)
    return schema.Person(image, index, name, joints, visible, box, *sizes)


def _photograph(rng):
    """Returns the image, `(K, 2)` joints, `(K,)` visibility, `(4,)` box and
    `(H, W)` bool of the body before anything is put in front of it."""
    # Facing the viewer rather more often than not.
    points, turns = _pose(rng, rng.choice([0, 0, 0, 180, 180]))
    parts = _dress(rng, points, turns)
    (width, height), scale, offset, box = _place(rng, parts)
    joints = np.stack([points[name] for name in skeletons.MPII.joints])
    joints = joints * scale + offset

    light = rng.normal(size=3) * [1, 1, 0.5] + [0, -0.5, 1]
    light *= rng.uniform(0.35, 0.6) / np.linalg.norm(light)
    image = _background(rng, width, height, light)
    depth = np.full((height, width), -np.inf, np.float32)
    for part in sorted(parts, key=lambda part: part.ends[:, 2].sum()):
        _paint(image, depth, part, light)
    body = depth > -np.inf
    if rng.random() < 0.2:
        x, y = joints[rng.integers(len(joints)), :2] + rng.normal(0, 9, 2)
        _paint(image, depth, _bar(rng, (x, y, 1e3), scale), light)

    column, row = np.rint(joints[:, :2]).astype(int).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    front = depth[row.clip(0, height - 1), column.clip(0, width - 1)]
    hidden = front - joints[:, 2] > _THICKNESS * scale
    visible = np.where(inside, np.where(hidden, 1, 2), 0)

    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (3, 3), rng.uniform(0.4, 0.9))
    gains = rng.uniform(0.6, 1.2) * rng.uniform(0.88, 1.1, 3)
    image, noise = image * gains.astype(np.float32), rng.integers(2, 14)
    image += rng.integers(-noise, noise + 1, image.shape, np.int8)
    return np.uint8(image.clip(0, 255)), joints[:, :2], visible, box, body


def _turn(forwards=0.0, around=0.0, aside=0.0):
    """`(3, 3)`; degrees that turn down to the front, then front to the left,
    then down to the left."""
    angles = np.radians((forwards, around, aside))
    (c, ca, cs), (s, sa, ss) = np.cos(angles), np.sin(angles)
    forwards = np.array([(1, 0, 0), (0, c, -s), (0, s, c)])
    around = np.array([(ca, 0, sa), (0, 1, 0), (-sa, 0, ca)])
    return np.array([(cs, ss, 0), (-ss, cs, 0), (0, 0, 1)]) @ around @ forwards


def _pose(rng, heading):
    """Poses a body that faces the viewer (0), his right (90) or away (180).

    Returns:
        Two dicts by joint, with "hand" and "toes" of either side besides:
        `(3,)` points, view frame, the pelvis at 0; and `(3, 3)` turns of the
        limbs that end there.
    """
    kind = rng.choice(len(_LEGS), p=[0.35, 0.3, 0.13, 0.1, 0.12])
    lean = rng.uniform(*_LEGS[kind, 3])
    root = _turn(aside=np.clip(rng.normal(0, 12), -30, 30))
    root = root @ _turn(rng.normal(0, 6))
    root = root @ _turn(around=heading + rng.normal(0, 35))
    spine = root @ _turn(-lean, rng.normal(0, 12), rng.normal(0, 9))
    # Whoever bends over still looks ahead.
    head = spine @ _turn(0.8 * lean + rng.normal(-4, 9))
    head = head @ _turn(0, rng.normal(0, 22), rng.normal(0, 9))
    turns = {"pelvis": root, "thorax": spine, "head_top": head}
    points = {"pelvis": np.zeros(3)}
    back, neck, skull = rng.normal((0.29, 0.05, 0.165), (0.02, 0.003, 0.009))
    points["thorax"] = -back * spine[:, 1]
    points["upper_neck"] = points["thorax"] - neck * head[:, 1]
    points["head_top"] = points["upper_neck"] - skull * head[:, 1]
    stride = rng.choice([-1, 1]) * rng.uniform(10, 40)
    stretch = rng.normal(1, 0.07, len(_LIMBS)).clip(0.85, 1.15)
    for side, sign in (("left_", 1), ("right_", -1)):
        style = rng.choice(len(_ARMS), p=[0.25, 0.15, 0.18, 0.22, 0.1, 0.1])
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
        for limb, turn, share in zip(_LIMBS, chain, stretch):
            start, end, length = limb[:3]
            start = points[start if start in points else side + start]
            points[side + end] = start + share * length * turn[:, 1]
            turns[side + end] = turn
    return points, turns


def _colour(rng):
    """RGB, 0 to 255."""
    hue, saturation, value = rng.random(3) * (1, 0.9, 0.85) + (0, 0, 0.15)
    return [255 * c for c in colorsys.hsv_to_rgb(hue, saturation, value)]


def _cloth(rng):
    """`(T, T, 3)` print of one colour, hoops, stripes, checks, dots, noise."""
    row, column = np.mgrid[:_TEXELS, :_TEXELS]
    step = rng.choice([2, 4, 8])
    figures = (
        row < 0,
        row // step % 2,
        column // step % 2,
        (row // step + column // step) % 2,
        (row % 8 - 4) ** 2 + (column % 8 - 4) ** 2 < 1.5 * step,
        rng.random((8, 8)).repeat(4, 0).repeat(4, 1) < 0.4,
    )
    figure = figures[rng.choice(6, p=[0.3, 0.18, 0.12, 0.15, 0.12, 0.13])]
    return np.float32([_colour(rng), _colour(rng)])[figure.astype(int)]


def _face(rng, skin, hair):
    """`(T, T, 3)` print of a head, chin first."""
    face = np.full((_TEXELS, _TEXELS, 3), skin, np.float32)
    row, column = np.mgrid[:_TEXELS, :_TEXELS]
    face[9:11, 13:19] = (150, 50, 50)
    face[17:20, 11:21] = 245
    face[17:20, 14:18] = skin
    face[17:20, [12, 13, 18, 19]] = 20
    face[row > rng.integers(22, 27)] = hair
    edge = rng.uniform(6.5, 9.5) + (20 - row) / 8
    face[(row > 5) & (abs(column - 15.5) > edge)] = hair
    return face


def _dress(rng, points, turns):
    """Returns the `_Part`s of a posed body, in body heights."""
    girth, skin = rng.uniform(0.85, 1.3), rng.dirichlet(np.ones(3)) @ _TONES
    hair = np.multiply(_colour(rng), rng.uniform(0.15, 0.9))
    shirt, trousers, shoe = _cloth(rng), _cloth(rng), np.array(_colour(rng))
    sleeves, legs = np.tile(shirt, (2, 1, 1)), np.tile(trousers, (2, 1, 1))
    sleeves[int(rng.choice([0.1, 0.6, 1.6, 2]) * _TEXELS) :] = skin
    legs[int(rng.choice([0.4, 0.9, 1.9, 2]) * _TEXELS) :] = skin
    (sleeve, cuff), (thigh, shin) = np.split(sleeves, 2), np.split(legs, 2)
    prints = shirt, sleeve, cuff, skin, thigh, thigh, shin, shoe
    parts = []

    def add(start, end, turn, radii, *looks):
        ends = np.stack([start, end])
        parts.append(_Part(ends, turn, np.array(radii), *looks))

    for side in ("left_", "right_"):
        for (start, end, _, *radii), cloth in zip(_LIMBS, prints):
            start = points[start if start in points else side + start]
            end, turn = points[side + end], turns[side + end]
            add(start, end, turn, girth * np.array(radii), cloth)
    # The chest is told from the back by its neckline, and often by a badge.
    torso = shirt.copy()
    torso[26:, 13:19] = skin
    if rng.random() < 0.6:
        torso[rng.integers(9, 16) : 22, 12:20] = _colour(rng)
    spine, head = turns["thorax"], turns["head_top"]
    low, high = points["upper_neck"], points["head_top"]
    radii = girth * rng.uniform((0.085, 0.105), (0.11, 0.12))
    add(points["pelvis"], points["thorax"], spine, radii, torso, 0.62, 0.03)
    add(points["thorax"], low, spine, (0.033, 0.033), skin, 1.0, 0.02)
    # The skull is round: its axis ends a radius short of chin and crown.
    low, high = low - 0.05 * head[:, 1], high + 0.06 * head[:, 1]
    add(low, high, head, (0.052, 0.06), _face(rng, skin, hair), 1.15)
    if rng.random() < 0.4:
        low = low + head @ (0, rng.uniform(0.02, 0.14), -0.03)
        high = high + head @ (0, 0.02, -0.03)
        add(low, high, head, (0.05, 0.057), hair)
    return parts


def _place(rng, parts):
    """Scales and moves a body's parts into a picture.

    Returns:
        `(2,)` width and height; pixels per body height; `(3,)` where the view
        frame's origin comes to lie and `(4,)` box, both in the image frame.
    """
    scale = rng.uniform(105, 165)
    ends = np.concatenate([part.ends[:, :2] for part in parts]) * scale
    radii = np.concatenate([part.radii for part in parts])[:, None] * scale
    low, high = (ends - radii).min(0), (ends + radii).max(0)
    extent = high - low
    size = np.maximum(rng.integers(160, 260, 2), (extent + 5).astype(int))
    corner = rng.uniform(2, size - extent - 1)
    if rng.random() < _TRUNCATED:
        axis = rng.integers(2)
        out = rng.uniform(0.1, 0.45) * extent[axis]
        # Legs are cut off more often than heads.
        first = rng.random() < (0.5, 0.25)[axis]
        corner[axis] = -out if first else size[axis] + out - extent[axis]
    offset = np.append(corner - low, 0)
    for part in parts:
        part.ends = part.ends * scale + offset
        part.radii, part.cap = part.radii * scale, part.cap * scale
    # The picture's edge lies half a pixel before its first centre.
    return size, scale, offset, np.concatenate([corner + 0.5, extent])


def _paint(image, depth, part, light):
    """Draws a `_Part`, in pixels, where nothing drawn lies in front of it.

    `image` is `(H, W, 3)` float32 RGB and `depth` `(H, W)` float32 z; both are
    painted in place. `light`, `(3,)`, points to the light; its length is its
    strength.
    """
    reach = part.radii.max() + 1
    low, high = part.ends[:, :2].min(0) - reach, part.ends[:, :2].max(0) + reach
    x0, y0 = low.clip(0).astype(int)
    x1, y1 = (high + 1).clip(0, depth.shape[::-1]).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    # Python's floats: NumPy's would make every array below a float64 one.
    (ax, ay, az), (bx, by, bz) = part.ends.tolist()
    (lx, ly, lz), (sx, sy, sz) = part.turn.T[0].tolist(), light.tolist()
    fx, fy, fz = (part.flat * part.turn[:, 2]).tolist()
    r0, r1 = part.radii.tolist()
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
    cap = part.cap or radius
    over = (along - inner) / cap
    radius *= shown
    across /= radius
    middle = across * across + over * over
    bulge = np.sqrt((1 - middle).clip(0))
    z = az + (bz - az) / length * inner + bulk * bulge
    patch = np.s_[y0:y1, x0:x1]
    alpha = (1 - np.sqrt(middle)) * np.minimum(radius, cap) + 0.5
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
    half = np.append(rng.normal(size=2), 0)
    half *= scale * rng.uniform(0.08, 0.3) / np.linalg.norm(half)
    radii, turn = (
        scale * rng.uniform(0.02, 0.07, 2),
        _turn(0, rng.uniform(0, 360)),
    )
    ends, cap = np.stack([centre - half, centre + half]), rng.integers(2)
    return _Part(ends, turn, radii, _cloth(rng), cap=float(cap))


def _background(rng, width, height, light):
    """`(H, W, 3)` float32 RGB of what no body hides."""
    size = (int(width), int(height))
    coarse = np.float32([_colour(rng) for _ in range(4)]).reshape(2, 2, 3)
    coarse += rng.uniform(0, 0.8) * (coarse.mean(-1, keepdims=True) - coarse)
    image = cv2.resize(coarse, size)
    for cells in rng.choice([3, 8, 20, 60], 2):
        grain = rng.normal(0, rng.uniform(3, 28), (cells, cells, 3))
        grain[..., 1:] += rng.random() * (grain[..., :1] - grain[..., 1:])
        image += cv2.resize(grain.astype(np.float32), size)
    for _ in range(rng.integers(0, 8)):
        shape = rng.integers(-45, 45, (rng.integers(3, 6), 2), np.int32)
        shape += rng.integers(0, size, dtype=np.int32)
        pen = int(rng.choice([cv2.FILLED, 3]))
        cv2.drawContours(image, [shape], 0, _colour(rng), pen)
    depth = np.full(image.shape[:2], -np.inf, np.float32)
    for _ in range(rng.integers(0, 6)):
        centre = np.append(rng.uniform((0, 0), size), 0)
        _paint(image, depth, _bar(rng, centre, 130), light)
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 2.5))
    return image
