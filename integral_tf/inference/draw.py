"""Draws joints on pictures.

Each person has a colour of the outline and a number. Inside the outline, left
and right have different colours. The width of strokes grows with the person,
within limits: visible in the picture, and not covering the face.
"""

import functools
import math
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

# RGB. Left and right differ, because a network may confuse them.
_LEFT, _RIGHT, _MIDDLE = (40, 160, 255), (255, 120, 40), (90, 220, 90)
TRUTH = (255, 255, 255)
# Colours of outlines and labels; person 1 has the first.
PEOPLE = (
    (20, 20, 20), (250, 220, 40), (220, 40, 160), (0, 200, 190),
    (150, 80, 230), (230, 60, 60), (180, 230, 60), (235, 235, 235),
)  # fmt: skip
# ours: score from which a joint is drawn opaque, and the least opacity.
_SURE, _FAINTEST = 0.5, 0.25
# Height in pixels below which a label is not written.
_LEGIBLE = 7
# Coordinates are clipped to this size.
_FAR = 1e4
_JPEG = (".jfif", ".jpe", ".jpeg", ".jpg")


def people(
    image: np.ndarray,
    poses: Sequence[Any],
    *,
    least: float = 0.0,
    ellipses: bool = False,
) -> np.ndarray:
    """Draws the people of a picture, each with its number and score.

    Args:
        image: `(H, W, 3)` uint8 RGB; not changed.
        poses: List of `pose.Pose`.
        least: Joints with a lower score are left out.
        ellipses: Draw each joint's one-sigma ellipse.

    Returns:
        `(H, W, 3)` uint8 RGB, a drawn copy.

    Raises:
        ValueError: `ellipses` is True, and a pose has no covariance.
    """
    if ellipses:
        require_covariances(poses)
    for each in poses:
        image = pose(
            image,
            each.joints,
            np.asarray(each.scores) >= least,
            each.skeleton,
            scores=each.scores,
            outline=PEOPLE[(each.number - 1) % len(PEOPLE)],
            label=f"{each.number}  {each.score:.2f}",
            covariance=each.covariance if ellipses else None,
        )
    return image


def require_covariances(poses: Sequence[Any]) -> None:
    """Requires that poses have covariances, for their ellipses.

    Args:
        poses: List of `pose.Pose`.

    Raises:
        ValueError: a pose has none.
    """
    for each in poses:
        if each.covariance is None:
            raise ValueError(
                "Ellipses are drawn of covariances, which this model does not "
                "give: an integral's Keras model does, an exported one and "
                f"one that reads a maximum do not. Received: {each!r}"
            )


def pose(
    image: np.ndarray,
    joints: np.ndarray,
    visible: np.ndarray,
    skeleton: Any,
    colour: tuple[int, int, int] | None = None,
    *,
    scores: np.ndarray | None = None,
    outline: tuple[int, int, int] = PEOPLE[0],
    label: str = "",
    covariance: np.ndarray | None = None,
) -> np.ndarray:
    """Draws one person's limbs and joints.

    Args:
        image: `(H, W, 3)` uint8 RGB; not changed.
        joints: `(K, 2)` x, y in pixels of the image.
        visible: `(K,)` non-zero for the joints to draw.
        skeleton: The `skeletons.Skeleton`.
        colour: One RGB colour for the whole person; by default left is blue,
            right orange and the middle green.
        scores: `(K,)`; unsure joints, and limbs to them, are faint. None draws
            all joints opaque.
        outline: RGB colour of the outline and of the label's ground.
        label: Text above the person.
        covariance: `(K, 2, 2)` in square pixels, to draw one-sigma ellipses.

    Returns:
        `(H, W, 3)` uint8 RGB, a drawn copy.
    """
    image = np.ascontiguousarray(image).copy()
    joints = np.asarray(joints, np.float64)
    shown = (np.asarray(visible) > 0) & np.isfinite(joints).all(axis=-1)
    if not shown.any():
        return image
    joints = np.clip(joints, -_FAR, _FAR)
    width = _stroke(joints[shown], image.shape)
    alphas = np.ones(len(joints))
    if scores is not None:
        alphas = np.clip(np.asarray(scores) / _SURE, _FAINTEST, 1.0)
    rings = {}
    if covariance is not None:
        rings = {
            k: _ellipse(joints[k], covariance[k]) for k in np.flatnonzero(shown)
        }
    layer = _Layer(image.shape, [joints[shown], *rings.values()], 3 * width + 2)
    names = skeleton.joints
    for k, ring in rings.items():
        side = colour or _side(skeleton, names[k])
        layer.ring(ring, side, alphas[k], max(1.0, width / 3))
    limbs = [skeleton.indices(limb) for limb in skeleton.limbs]
    limbs = [limb for limb in limbs if shown[limb].all()]
    for casing in (True, False):
        for limb in limbs:
            side = colour or _side(skeleton, *(names[k] for k in limb))
            layer.line(
                joints[limb],
                outline if casing else side,
                alphas[limb].min(),
                width + max(2.0, 0.7 * width) if casing else width,
            )
    for k in np.flatnonzero(shown):
        side = colour or _side(skeleton, names[k])
        layer.dot(joints[k], side, outline, alphas[k], 0.9 * width + 1)
    drawn = layer.on(image)
    if label:
        _write(drawn, label, joints[shown], outline, width)
    return np.asarray(drawn)


def sheet(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str],
    columns: int = 6,
    side: int = 200,
    *,
    heading: str = "",
) -> np.ndarray:
    """Lays pictures out in rows, each with a line of text above.

    Args:
        pictures: List of `(H, W, 3)` uint8 RGB.
        captions: One text per picture.
        columns: Pictures in a row.
        side: Side in pixels of the square for each picture.
        heading: A line of text above all pictures; empty for none.

    Returns:
        `(H, W, 3)` uint8 RGB.
    """
    bar = 20
    top = bar if heading else 0
    rows = math.ceil(len(pictures) / columns)
    drawn = Image.new("RGB", (columns * side, top + rows * (side + bar)))
    pen = ImageDraw.Draw(drawn)
    pen.text((4, 3), heading, fill=TRUTH, font=_font(12))
    for i, (picture, caption) in enumerate(zip(pictures, captions)):
        x, y = i % columns * side, top + i // columns * (side + bar)
        tile = Image.fromarray(np.ascontiguousarray(picture))
        scale = side / max(tile.size)
        size = [max(1, round(scale * length)) for length in tile.size]
        pen.rectangle((x, y, x + side - 1, y + bar - 1), fill=(30, 30, 30))
        pen.text((x + 4, y + 3), caption, fill=TRUTH, font=_font(12))
        tile = tile.resize(size, Image.Resampling.LANCZOS)
        drawn.paste(tile, (x, y + bar))
    return np.asarray(drawn)


def save(image: np.ndarray, path: str | os.PathLike) -> None:
    """Writes RGB uint8 as PNG or JPEG, by the path's ending.

    Raises:
        OSError: the file cannot be written.
    """
    path = pathlib.Path(path)
    # Half the colour resolution would blur thin coloured lines.
    is_jpeg = path.suffix.lower() in _JPEG
    options = {"quality": 92, "subsampling": 0} if is_jpeg else {}
    try:
        Image.fromarray(np.ascontiguousarray(image)).save(
            path, "JPEG" if is_jpeg else None, **options
        )
    except ValueError as error:  # of an ending
        raise OSError(
            f"The picture could not be written: {error}. Received: {path}"
        ) from None


def names_for(paths: Sequence[pathlib.Path]) -> list[str]:
    """File names of the drawings, all different.

    The drawing of a JPEG is a JPEG; that of any other picture is a PNG.
    """
    # ours: if two names differ only in their endings, as dog.png and dog.webp,
    # every PNG has the ending of its source in its name: dog.webp.png.
    differ = len({path.stem for path in paths}) == len(paths)
    return [
        path.name
        if path.suffix.lower() in _JPEG
        else f"{path.stem if differ else path.name}.png"
        for path in paths
    ]


class _Layer:
    """Antialiased strokes over the part of an image that a person fills.

    Args:
        shape: Shape of the image.
        points: List of `(M, 2)` x, y of all drawn points, in image pixels.
        margin: Pixels around these points.
    """

    def __init__(self, shape, points, margin):
        points = np.concatenate(points)
        size = np.array(shape[1::-1])
        low = np.clip(np.floor(points.min(axis=0) - margin), 0, size)
        high = np.clip(np.ceil(points.max(axis=0) + margin), 0, size)
        self.corner = low.astype(int)
        self.size = np.maximum(high - low, 1).astype(int)
        # Pillow's strokes are jagged; drawn larger and averaged they are not.
        area = self.size.prod()
        self.scale = 4 if area < 500_000 else 2 if area < 8_000_000 else 1
        self.picture = Image.new("RGBA", tuple(self.scale * self.size))
        self.pen = ImageDraw.Draw(self.picture)

    def line(self, ends, colour, alpha, width):
        start, end = self._placed(ends)
        width = max(1, round(width * self.scale))
        fill = _with_alpha(colour, alpha)
        self.pen.line([start, end], fill=fill, width=width)
        for x, y in (start, end):  # round ends
            self._disc(x, y, width / 2, fill)

    def dot(self, point, colour, outline, alpha, radius):
        ((x, y),) = self._placed([point])
        radius *= self.scale
        self._disc(x, y, radius, _with_alpha(outline, alpha))
        self._disc(x, y, 0.75 * radius, _with_alpha(colour, alpha))

    def ring(self, points, colour, alpha, width):
        corners = self._placed(points)
        self.pen.polygon(corners, fill=_with_alpha(colour, 0.3 * alpha))
        line = _with_alpha(colour, alpha)
        width = max(1, round(width * self.scale))
        self.pen.line([*corners, corners[0]], fill=line, width=width)

    def on(self, image):
        """The strokes on a copy of the image, as a Pillow image."""
        smooth = self.picture.resize(
            tuple(self.size), Image.Resampling.BOX, reducing_gap=None
        )
        drawn = Image.fromarray(image)
        drawn.paste(smooth, tuple(self.corner), smooth)
        return drawn

    def _placed(self, points):
        # A pixel's centre has integer coordinates, also in the larger picture.
        placed = (np.asarray(points) - self.corner + 0.5) * self.scale - 0.5
        return [tuple(point) for point in placed.tolist()]

    def _disc(self, x, y, radius, fill):
        box = (x - radius, y - radius, x + radius, y + radius)
        self.pen.ellipse(box, fill=fill)


def _stroke(points, shape):
    """Width of a limb in pixels, by the sizes of the person and the picture."""
    extent = float(np.max(np.ptp(points, axis=0)))
    wanted = max(extent / 65, max(shape[:2]) / 300)
    # A limb must not cover the face of a small person in a large picture.
    return max(1.0, min(wanted, extent / 35))


def _ellipse(point, covariance):
    """`(48, 2)` x, y of the one-sigma ellipse around a joint."""
    values, vectors = np.linalg.eigh(np.asarray(covariance, np.float64))
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    radii = np.sqrt(np.maximum(values, 0))
    return np.clip(point + circle * radii @ vectors.T, -_FAR, _FAR)


def _write(picture, text, points, colour, width):
    """Writes a label above a person, on a ground of this colour."""
    height = min(max(5 * width + 4, 11), min(picture.size) / 10)
    if height < _LEGIBLE:  # in a small picture a label would hide the person
        return
    font = _font(round(height))
    pen = ImageDraw.Draw(picture)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    pad = max(2, round(width))
    size = np.array([right - left, bottom - top]) + 2 * pad
    low, high = points.min(axis=0), points.max(axis=0)
    at = np.array([(low[0] + high[0] - size[0]) / 2, low[1] - size[1]])
    at[1] -= 3 * width
    x, y = np.clip(at, 0, np.maximum(np.array(picture.size) - size, 0))
    pen.rectangle((x, y, x + size[0], y + size[1]), fill=colour)
    dark = np.dot(colour, (0.3, 0.59, 0.11)) < 128
    ink = (255, 255, 255) if dark else (0, 0, 0)
    pen.text((x + pad - left, y + pad - top), text, fill=ink, font=font)


@functools.cache
def _font(size):
    try:
        return ImageFont.load_default(size)
    except (ImportError, OSError):  # a Pillow without FreeType
        return ImageFont.load_default()


def _side(skeleton, *names):
    """Colour of the side that all of these joints are on."""
    lefts, rights = zip(*skeleton.sides) if skeleton.sides else ((), ())
    if set(names) <= set(lefts):
        return _LEFT
    return _RIGHT if set(names) <= set(rights) else _MIDDLE


def _with_alpha(colour, alpha):
    return (*colour, round(255 * float(alpha)))
