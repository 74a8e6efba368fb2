"""What makes drawn people more like photographs, each to be left out alone.

`LEVERS` are measured in docs/starter.md. The letters are `synthetic`'s.
"""

import cv2
import numpy as np

# poses: acrobatics, in three dimensions; cloth: as most people wear it, with
# folds, or little of it; scenes: horizons, walls, windows and leaves behind;
# bystanders: other people behind; camera: perspective.
LEVERS = ("poses", "cloth", "scenes", "bystanders", "camera")
# Aside, forwards, knee's bend; the spine's lean.
ACROBAT_LEGS = [(-10, 90), (-60, 130), (0, 150), (-50, 80)]
# Aside, forwards, elbow's bend, hand inwards.
ACROBAT_ARMS = [(0, 180), (-60, 180), (0, 130), (-90, 90)]
_WORN = np.float32([
    (235, 235, 232), (205, 205, 200), (130, 130, 130), (35, 35, 38),
    (18, 18, 20), (45, 60, 95), (70, 90, 130), (110, 90, 65), (150, 30, 35),
    (30, 80, 50), (195, 175, 140), (40, 70, 140),
])  # fmt: skip


def check(levers):
    """Requires names of `LEVERS`.

    Raises:
        ValueError: there is another.
    """
    unknown = [name for name in levers if name not in LEVERS]
    if unknown:
        raise ValueError(
            f"`levers` are some of {', '.join(LEVERS)}. "
            f"Received: levers={tuple(levers)!r}"
        )


def dress(rng, skin, hair, shirt, trousers):
    """Colours most clothes, in place, as shops sell them; some shirts are off.

    Args:
        rng: Draws the colours.
        skin, hair: RGB.
        shirt, trousers: `(T, T, 3)` prints.

    Returns:
        RGB of the shoes, and of the hair.
    """
    if rng.random() < 0.75:
        shirt[:] = _worn(rng) if rng.random() < 0.8 else skin
    if rng.random() < 0.8:
        trousers[:] = _worn(rng)
    shoe = _worn(rng)
    if rng.random() < 0.7:
        hair = rng.choice([10, 25, 60, 150]) * np.array([1.1, 0.85, 0.6])
    return shoe, hair


def _worn(rng):
    return _WORN[rng.integers(len(_WORN))] * rng.uniform(0.8, 1.1)


def folds(rng, cloth):
    """Shades a `(T, T, 3)` print, or one colour spread over it, unevenly."""
    shade = rng.normal(0, 0.13, (6, 6)).astype(np.float32)
    shade = cv2.resize(shade, cloth.shape[:2], interpolation=cv2.INTER_CUBIC)
    return (cloth * (1 + shade[..., None])).clip(0, 255)


def perspective(rng, parts, joints):
    """Brings what is nearer to the camera nearer to its edge, and larger.

    Args:
        rng: Draws the camera's distance, in body heights.
        parts: `_Part`s in body heights, changed in place.
        joints: `(K, 3)`, view frame.

    Returns:
        The joints as the camera sees them.
    """
    distance = rng.uniform(1.3, 6)
    middle = joints.mean(0)

    def seen(points):
        near = distance / (distance - (points[:, 2:] - middle[2]).clip(-2, 1))
        flat = middle[:2] + (points[:, :2] - middle[:2]) * near
        return np.concatenate([flat, points[:, 2:]], 1), near[:, 0]

    for part in parts:
        part.ends, near = seen(part.ends)
        part.radii, part.cap = part.radii * near, part.cap * near.mean()
    return seen(joints)[0]


def scene(rng, size):
    """`(H, W, 3)` float32 RGB of a place: sky or wall, ground, things."""
    width, height = size.tolist()
    image = np.empty((height, width, 3), np.float32)
    image[:] = _matter(rng)
    horizon = int(height * rng.uniform(0.2, 1.1))
    _textured(rng, image[:horizon])
    if horizon < height:
        image[horizon:] = _matter(rng)
        _textured(rng, image[horizon:])
    for _ in range(rng.integers(0, 7)):
        _thing(rng, image)
    gradient = np.linspace(*rng.uniform(0.75, 1.2, 2), width, dtype=np.float32)
    image *= gradient[None, :, None]
    return cv2.GaussianBlur(image, (9, 9), 0.3 + rng.gamma(1.0, 1.2))


def _matter(rng):
    """RGB of something: mostly dull, warm or cold."""
    value = rng.uniform(20, 235)
    tint = rng.normal(0, 0.12) * np.float32([1, 0.1, -1])
    tint += rng.normal(0, 0.05, 3).astype(np.float32)
    if rng.random() < 0.2:
        tint *= 3
    return (value * (1 + tint)).clip(0, 255).astype(np.float32)


def _textured(rng, image):
    """Adds the noise of leaves, stone or cloud, or courses of stones."""
    height, width = image.shape[:2]
    if height < 2 or width < 2:
        return
    strength, fall = rng.gamma(1.5, 9), rng.uniform(0.3, 1.1)
    for cells in (2, 4, 8, 16, 32, 64):
        grain = rng.normal(
            0, strength / (cells / 2) ** (fall - 0.3), (cells, cells, 1)
        )
        grain = grain + rng.normal(0, strength / 8, (1, 1, 3))
        image += cv2.resize(grain.astype(np.float32), (width, height))
    if rng.random() < 0.3:
        step, dark = int(rng.integers(6, 40)), rng.uniform(-60, 30)
        thick = int(rng.integers(1, 4))
        for line in range(int(rng.integers(step)), max(height, width), step):
            image[line : line + thick] += dark
            if rng.random() < 0.7:
                image[:, line : line + thick] += dark


def _thing(rng, image):
    """A window, a post, a beam, a disc or a bush."""
    height, width = image.shape[:2]
    kind = rng.integers(4)
    colour = tuple(map(float, _matter(rng)))
    x, y = (int(rng.uniform(-0.1, 1) * side) for side in (width, height))
    if kind == 0:
        w, h = (int(rng.uniform(0.05, 0.4) * side) for side in (width, height))
        x0, y0 = max(x, 0), max(y, 0)
        patch = image[y0 : y + h, x0 : x + w]
        if patch.size:
            patch[:] = colour
            _textured(rng, patch)
    elif kind == 1:
        angle = rng.choice([0, 90, rng.uniform(0, 180)])
        reach = 400 * np.array(
            [np.cos(np.radians(angle)), np.sin(np.radians(angle))]
        )
        start, end = (x - reach[0], y - reach[1]), (x + reach[0], y + reach[1])
        start, end = (tuple(map(int, point)) for point in (start, end))
        cv2.line(image, start, end, colour, int(rng.integers(2, 16)))
    elif kind == 2:
        cv2.circle(image, (x, y), int(rng.integers(4, 40)), colour, -1)
    else:
        for _ in range(int(rng.integers(10, 60))):
            px, py = (rng.normal(0, 18, 2) + (x, y)).astype(int).tolist()
            shade = rng.uniform(0.5, 1.3)
            leaf = tuple(shade * each for each in colour)
            cv2.circle(image, (px, py), int(rng.integers(1, 6)), leaf, -1)
