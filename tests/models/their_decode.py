"""How Simple Baselines gets from a photograph to joints, for the tests.

Its `lib/utils/transforms.py`, `lib/core/inference.py` and the crop of
`JointsDataset`, written down from what they do, person by person and joint by
joint, in float64. It shares nothing with the package.
"""

import numpy as np

PIXEL_STD = 200


def centre_and_scale(box, aspect):
    """`_xywh2cs`: the middle of a box, and its sides in units of 200 pixels."""
    x, y, w, h = box
    middle = np.array([x + w * 0.5, y + h * 0.5])
    if w > aspect * h:
        h = w / aspect
    elif w < aspect * h:
        w = h * aspect
    return middle, np.array([w, h]) / PIXEL_STD * 1.25


def affine_transform(centre, scale, output_size, inverse=False):
    """`get_affine_transform` without a rotation, by three pairs of points."""
    width, height = output_size

    def corner(a, b):
        direct = a - b
        return b + np.array([-direct[1], direct[0]])

    there = np.array([width * 0.5, height * 0.5])
    source = [centre, centre + [0, -0.5 * scale[0] * PIXEL_STD]]
    target = [there, there + [0, -0.5 * width]]
    source.append(corner(*source))
    target.append(corner(*target))
    if inverse:
        source, target = target, source
    known = np.hstack([np.array(source), np.ones((3, 1))])
    return np.linalg.solve(known, np.array(target)).T


def crop(image, box, size):
    """`(height, width, 3)` uint8 of a photograph, and what decodes it."""
    import cv2

    middle, scale = centre_and_scale(box, size[0] / size[1])
    matrix = affine_transform(middle, scale, size)
    picture = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
    return picture, middle, scale


def final_cells(maps):
    """`get_max_preds`, then the quarter of a pixel of `get_final_preds`.

    Args:
        maps: `(B, K, h, w)`.

    Returns:
        `(B, K, 2)` x, y in pixels of the maps.
    """
    batch, joints, height, width = maps.shape
    found = np.zeros((batch, joints, 2))
    for b in range(batch):
        for k in range(joints):
            one = maps[b, k]
            y, x = divmod(int(one.argmax()), width)
            if one[y, x] <= 0:
                continue
            found[b, k] = x, y
            if 1 < x < width - 1 and 1 < y < height - 1:
                right = one[y, x + 1] - one[y, x - 1]
                down = one[y + 1, x] - one[y - 1, x]
                found[b, k] += np.sign([right, down]) * 0.25
    return found


def in_image(cells, centre, scale, size):
    """`transform_preds`: pixels of the maps to pixels of the photograph."""
    matrix = affine_transform(centre, scale, size, inverse=True)
    return cells @ matrix[:, :2].T + matrix[:, 2]
