"""Tests for windows of photographs, of any size and anywhere."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from integral_tf.records import windows


def padded(image, region, width, height):
    """The cut as it is meant: all of the region, black beyond the image.

    Pillow resamples the columns, then the rows.
    """
    region = np.asarray(region, np.float64)
    low = np.floor(region[:2]).astype(int)
    high = np.ceil(region[:2] + region[2:]).astype(int)
    around = np.zeros((*(high - low)[::-1], 3), np.uint8)
    left, top = np.clip(low, 0, image.shape[1::-1])
    right, bottom = np.clip(high, 0, image.shape[1::-1])
    around[top - low[1] : bottom - low[1], left - low[0] : right - low[0]] = (
        image[top:bottom, left:right]
    )
    x, y = region[:2] - low
    cubic, rows = Image.Resampling.BICUBIC, len(around)
    columns = Image.fromarray(around).resize(
        (width, rows), cubic, (x, 0, x + region[2], rows)
    )
    return np.asarray(
        columns.resize((width, height), cubic, (0, y, width, y + region[3]))
    ).astype(int)


def random_regions(count, smallest, largest):
    rng = np.random.default_rng(0)
    for _ in range(count):
        height, width = rng.integers(1, 90, 2)
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        w, h = np.exp(rng.uniform(np.log(smallest), np.log(largest), 2))
        x, y = rng.uniform(-1.1 * w, width), rng.uniform(-1.1 * h, height)
        yield image, (x, y, w, h), *map(int, rng.integers(1, 50, 2))


def test_an_ordinary_cut_is_the_padded_one():
    for image, region, width, height in random_regions(200, 0.5, 500):
        np.testing.assert_array_equal(
            windows.cut(image, region, width, height),
            padded(image, region, width, height),
        )


def test_black_that_is_left_out_changes_nothing(monkeypatch):
    monkeypatch.setattr(windows, "_BLACK", 0)
    off = []
    for image, region, width, height in random_regions(200, 50, 2000):
        got = np.asarray(windows.cut(image, region, width, height)).astype(int)
        off.append(np.abs(got - padded(image, region, width, height)).ravel())
    off = np.concatenate(off)
    # Pillow takes the region's ends in float32: now and then a level moves.
    assert off.max() <= 1 and (off > 0).mean() < 1e-3


@pytest.mark.parametrize(
    "region",
    # Around a box of 1e5 pixels, the largest, a region is up to 2.2e5 wide.
    [(-5e4, -5e4, 1e5, 1e5), (0, 0, 2.2e5, 2.2e5), (20, -1e5, 30, 2e5)],
)
def test_a_huge_region_takes_little_memory(region):
    # The padded picture of the smallest is 30 GB.
    code = (
        "import resource, numpy as np;"
        "from integral_tf.records import windows;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "image = np.full((48, 64, 3), 255, np.uint8);"
        f"cut = np.asarray(windows.cut(image, {region}, 64, 64));"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "print(cut.shape, cut.max(), after - before)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.startswith("(64, 64, 3)")
    assert int(printed.split()[-1]) < 30_000  # kB


def test_a_region_beside_the_photograph_is_black():
    image = np.full((48, 64, 3), 255, np.uint8)
    for region in ((-9, 0, 9, 9), (64, 0, 9, 9), (0, 1e8, 9, 9)):
        assert not np.asarray(windows.cut(image, region, 8, 8)).any()
