"""A region of a photograph as a small picture, resampled once, antialiased."""

import numpy as np
from PIL import Image

# Half the width of Pillow's cubic kernel, in pixels of the smaller picture.
_RADIUS = 2.0
# Black that is always kept, so that the box of an ordinary cut is not rounded.
_BLACK = 4096


def cut(image, region, width, height):
    """Cuts a region out of an image.

    Black further out than the kernel reaches from the image is never made: of
    a huge region the memory is that of the image, and for each of its rows
    that of eight pixels of the picture, in pixels of the image.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        region: `(4,)` x, y, width, height in the image; may leave it.
        width, height: Size of the picture in pixels.

    Returns:
        A Pillow image, black where the region lies outside the photograph;
        `coordinates.region_to_pixels` is its affine map to the image.
    """
    x, y, w, h = np.asarray(region, np.float64)
    columns = _Side(x, w, image.shape[1], width)
    rows = _Side(y, h, image.shape[0], height)
    picture = Image.new("RGB", (width, height))
    if columns.is_black or rows.is_black:
        return picture
    seen = Image.fromarray(image[rows.seen, columns.seen])
    # In this order whatever the sizes, where Pillow takes the cheaper one.
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
    """One axis of a region, and what of it is not black whatever is done.

    Args:
        edge, size: Where the region begins in the image, and its length.
        pixels: Pixels of the image.
        count: Pixels of the picture.

    Attributes:
        seen: Slice of the image that the region has.
        before, length: Black pixels to put before that, and pixels in all.
        start, end: The region's part in these, as edges.
        first, count: Pixels of the picture that this part is to become.
        is_black: There are none.
    """

    def __init__(self, edge, size, pixels, count):
        step = size / count
        # From where the image ends to the last pixel that the kernel, there,
        # brings into the picture; and as far again to what that pixel sees.
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
