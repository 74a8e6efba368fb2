"""Cuts a person's crop as Simple Baselines and MMPose do, with OpenCV.

The crop is resampled bilinearly, without antialiasing, and lies a part of a
pixel beside that of `records.windows.cut`: their `get_affine_transform` takes
edges for points, so that the centre of a crop's first pixel lies on the corner
of its region. Networks trained on such crops need them to reproduce the
authors' joints.
"""

import numpy as np

from integral_tf import coordinates


def cut(
    image: np.ndarray, box: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts the crop around a person's box.

    Args:
        image: `(H, W, 3)` uint8.
        box: `(4,)` x, y, width, height in image pixels.
        width, height: Size of the crop in pixels.

    Returns:
        `(height, width, 3)` float32, black outside of the image, and the
        `(2, 3)` affine map from crop to image.
    """
    import cv2  # imported late: exported networks of other crops need no OpenCV

    region = coordinates.region_around(box, width / height)
    (x, y), (sx, sy) = region[:2], region[2:] / (width, height)
    to_image = np.array([[sx, 0, x], [0, sy, y]])
    crop = cv2.warpAffine(
        np.ascontiguousarray(image),
        coordinates.invert(to_image),
        (width, height),
        flags=cv2.INTER_LINEAR,
    )
    return crop.astype(np.float32), to_image
