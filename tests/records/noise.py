"""Photographs of noise with people of LSP, and records of them."""

import functools

import numpy as np
from PIL import Image

from integral_tf import skeletons
from integral_tf.records import lsp
from integral_tf.records import shards


def people(folder):
    """24 people in photographs of noise; 3 of them cannot be kept."""
    rng = np.random.default_rng(0)
    everyone = []
    for number in range(24):
        path = folder / f"im{number:05d}.jpg"
        visible = np.full(14, 2)
        joints = rng.uniform((20, 10), (80, 90), (14, 2))
        if number == 3:
            visible[:] = 0
        if number == 4:
            joints[0] = (-5, 20)
        if number not in (5, 6):
            noise = rng.integers(0, 256, (100, 100, 3), np.uint8)
            Image.fromarray(noise).save(path)
        everyone.append(
            (
                path.stem,
                lsp.Annotation(str(path), number, joints, visible),
            )
        )
    return everyone


write = functools.partial(
    shards.write,
    make=lsp.person,
    skeleton=skeletons.LSP,
    image_size=16,
    split=0.3,
    source="noise",
    shards=2,
)
