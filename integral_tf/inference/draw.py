"""Joints on pictures: people look rather than read."""

import cv2
import numpy as np

# RGB. Left and right are told apart, as the network must.
_LEFT, _RIGHT, _MIDDLE = (40, 160, 255), (255, 120, 40), (90, 220, 90)
TRUTH = (255, 255, 255)


def pose(image, joints, visible, skeleton, colour=None):
    """Draws one person's limbs and joints.

    Args:
        image: `(H, W, 3)` uint8 RGB; left as it is.
        joints: `(K, 2)` x, y in its frame.
        visible: `(K,)` non-zero for the joints to draw.
        skeleton: The `skeletons.Skeleton`.
        colour: One RGB colour for all of it; by default left is blue, right
            orange and the middle green.

    Returns:
        The drawn copy.
    """
    image = np.ascontiguousarray(image).copy()
    # Scaled with the person, so that a face is not covered by dots.
    drawn = np.asarray(joints)[np.asarray(visible) > 0]
    drawn = drawn[np.isfinite(drawn).all(axis=-1)]
    if not len(drawn):
        return image
    extent = float(np.max(np.ptp(drawn, axis=0)))
    width = max(1, round(extent / 90))
    shown = {
        name: joints[i]
        for i, name in enumerate(skeleton.joints)
        if visible[i] > 0 and np.isfinite(joints[i]).all()
    }
    for first, second in skeleton.limbs:
        if first in shown and second in shown:
            _line(
                image,
                shown[first],
                shown[second],
                colour or _side(skeleton, first, second),
                width,
            )
    for name, point in shown.items():
        _dot(image, point, colour or _side(skeleton, name), width + 1)
    return image


def sheet(pictures, captions, columns=6, side=200):
    """Lays pictures out in rows, each with a line of text.

    Args:
        pictures: List of `(H, W, 3)` uint8 RGB.
        captions: One text per picture.
        columns: Pictures in a row.
        side: Side of each in the sheet, in pixels.

    Returns:
        `(H, W, 3)` uint8 RGB.
    """
    tiles = []
    for picture, caption in zip(pictures, captions):
        scale = side / max(picture.shape[:2])
        tile = cv2.resize(
            picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )[:side, :side]
        tile = np.pad(
            tile,
            ((0, side - tile.shape[0]), (0, side - tile.shape[1]), (0, 0)),
        )
        text = np.full((20, side, 3), 30, np.uint8)
        cv2.putText(
            text, caption, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4,
            (255, 255, 255), 1, cv2.LINE_AA,
        )  # fmt: skip
        tiles.append(np.concatenate([text, tile]))
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % columns)
    rows = [
        np.concatenate(tiles[i : i + columns], axis=1)
        for i in range(0, len(tiles), columns)
    ]
    return np.concatenate(rows)


def save(image, path):
    """Writes RGB uint8 as PNG or JPEG, by the path's ending."""
    if not cv2.imwrite(str(path), image[..., ::-1]):
        raise OSError(f"The picture could not be written. Received: {path}")


def _side(skeleton, *names):
    """The colour of the side that all of these joints are on."""
    lefts, rights = zip(*skeleton.sides) if skeleton.sides else ((), ())
    if set(names) <= set(lefts):
        return _LEFT
    return _RIGHT if set(names) <= set(rights) else _MIDDLE


# OpenCV draws at fixed-point positions: 4 fractional bits.
def _fixed(point):
    return tuple(int(round(float(v) * 16)) for v in np.clip(point, -1e4, 1e4))


def _line(image, start, end, colour, width):
    start, end = _fixed(start), _fixed(end)
    cv2.line(image, start, end, colour, width, cv2.LINE_AA, 4)


def _dot(image, point, colour, radius):
    centre = _fixed(point)
    cv2.circle(image, centre, radius * 16, colour, -1, cv2.LINE_AA, 4)
    cv2.circle(image, centre, radius * 16, (0, 0, 0), 1, cv2.LINE_AA, 4)
