"""Cuts a region of a photograph, resampled once, antialiased."""

import numpy as np
from PIL import Image

# Half the width of Pillow's cubic kernel, in pixels of the smaller picture.
_RADIUS = 2.0
# Pixels of black that are always made, so that ordinary regions are exact.
_BLACK = 4096


def cut(image, region, width, height):
    """Cuts a region out of an image.

    Black beyond the reach of the kernel is never made. Even for a huge region,
    the memory is that of the image, and for each of its rows that of eight
    pixels of the picture, in pixels of the image.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        region: `(4,)` x, y, width, height in the image frame; may extend
            outside the image.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Returns:
        A Pillow image, black outside the photograph.
        `coordinates.region_to_pixels` is its affine map to the image.
    """
    x, y, w, h = np.asarray(region, np.float64)
    columns = _Side(x, w, image.shape[1], width)
    rows = _Side(y, h, image.shape[0], height)
    picture = Image.new("RGB", (width, height))
    if columns.is_black or rows.is_black:
        return picture
    seen = Image.fromarray(image[rows.seen, columns.seen])
    # Always in this order; Pillow's own order depends on the sizes.
    strip = Image.new("RGB", (columns.length, seen.height))
    strip.paste(seen, (columns.before, 0))
    strip = strip.resize(
        (columns.count, seen.height),
        Image.Resampling.BICUBIC,
        (columns.start, 0, columns.end, seen.height),
    )
    seen = Image.new("RGB", (columns.count, rows.length))
    seen.paste(strip, (0, rows.before))
    seen = seen.resize(
        (columns.count, rows.count),
        Image.Resampling.BICUBIC,
        (0, rows.start, columns.count, rows.end),
    )
    picture.paste(seen, (columns.first, rows.first))
    return picture


class _Side:
    """One axis of a region, and the part of it that is not black.

    Args:
        edge: The region's first edge in the image.
        size: The region's length in the image.
        pixels: Number of the image's pixels.
        count: Number of the picture's pixels.

    Attributes:
        seen: Slice of the image inside the region.
        before: Black pixels to put before the slice.
        length: Pixels of the slice with black before and after it.
        start: First edge of the region's part in these pixels.
        end: Last edge of this part.
        first: First pixel of the picture that is made from this part.
        count: Number of these pixels.
        is_black: Whether `count` is 0.
    """

    def __init__(self, edge, size, pixels, count):
        step = size / count
        # The kernel at the image's edge reaches this far outside; a pixel of
        # the picture there reaches as far again.
        reach = _RADIUS * max(step, 1.0) + 1
        black = np.ceil(max(2 * reach, _BLACK))
        low, high, first, last = np.floor(edge), np.ceil(edge + size), 0, count
        if low < -black:
            low, first = -black, np.floor((-reach - edge) / step)
        if high > pixels + black:
            high = pixels + black
            last = np.ceil((pixels + reach - edge) / step)
        first, last = np.clip([first, last], 0, count).astype(int)
        inside = np.clip([low, high], 0, pixels).astype(int)
        self.seen = slice(*inside)
        self.is_black = first >= last or inside[0] >= inside[1]
        self.before, self.length = int(inside[0] - low), int(high - low)
        self.start = edge + first * step - low
        self.end = min(edge + last * step - low, self.length)
        self.first, self.count = int(first), int(last - first)
