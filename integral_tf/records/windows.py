"""A region of a photograph as a small picture, resampled once, antialiased."""

import numpy as np
from PIL import Image


def cut(image, region, width, height):
    """Cuts a region out of an image.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        region: `(4,)` x, y, width, height in the image; may leave it.
        width, height: Size of the picture in pixels.

    Returns:
        A Pillow image, black where the region lies outside the photograph;
        `coordinates.region_to_pixels` is its affine map to the image.
    """
    region = np.asarray(region, np.float64)
    low = np.floor(region[:2]).astype(int)
    high = np.ceil(region[:2] + region[2:]).astype(int)
    # Not Pillow's crop, which takes a large photograph for an attack.
    around = np.zeros((*(high - low)[::-1], 3), np.uint8)
    left, top = np.clip(low, 0, image.shape[1::-1])
    right, bottom = np.clip(high, 0, image.shape[1::-1])
    around[top - low[1] : bottom - low[1], left - low[0] : right - low[0]] = (
        image[top:bottom, left:right]
    )
    edges = (*(region[:2] - low), *(region[:2] + region[2:] - low))
    return Image.fromarray(around).resize(
        (width, height), Image.Resampling.BICUBIC, edges
    )
