"""Photographs from disk."""

import numpy as np
from PIL import Image

from integral_tf.records import schema


def read(path):
    """Reads a photograph as `(H, W, 3)` uint8 RGB.

    Raises:
        schema.Dropped: it is missing, truncated or not a picture.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except FileNotFoundError:
        raise schema.Dropped("image file missing") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise schema.Dropped("image unreadable or truncated") from None
