"""Tests for the page that shows a folder of records."""

import base64
import json
import re

import cv2
import numpy as np
import pytest

from integral_tf.records import coco_skeleton
from integral_tf.records import schema
from integral_tf.records import shards
from tests import in_process

PAIR = coco_skeleton.from_category(
    {"name": "<pair>", "keypoints": ["left_end", "right_end"],
     "skeleton": [[1, 2]]}
)  # fmt: skip


def person(number):
    """A grey picture, someone in its middle, joints on the box's diagonal."""
    if number % 7 == 0:
        raise schema.Dropped("it is a <ghost> & gone")
    return schema.Person(
        image=np.full((100, 100, 3), 128, np.uint8),
        image_id=number,
        source_id=f"<b>{number:02d}",
        joints=np.array([[30, 20], [69, 79]]),
        visible=np.array([2, 2]),
        box=np.array([30, 20, 40, 60]),
        score=0.5 if number == 1 else 1.0,
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    out = tmp_path_factory.mktemp("records") / "pairs"
    shards.write(
        [(f"<b>{number:02d}", number) for number in range(28)],
        person,
        out,
        PAIR,
        64,
        split=lambda name: "val" if name > "<b>20" else "train",
        source="made <up>",
    )
    return out


def browse(data, out, *flags):
    return in_process.run("browse", f"--data={data}", f"--out={out}", *flags)


@pytest.fixture(scope="module")
def page(records):
    out = records.parent / "page.html"
    done = browse(records, out, "--people=5")
    assert done.returncode == 0, done.stderr
    assert not list(out.parent.glob(".*.partial*"))
    return out.read_text()


def pictures(page):
    return [
        cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), 1)
        for data in re.findall(r'src="data:image/\w+;base64,([^"]+)"', page)
    ]


def test_it_counts_whom_the_builder_kept_and_dropped(page):
    # 0 to 20 train, 21 to 27 validate; 0, 7, 14 and 21 are dropped.
    for split, count, text in (
        ("train", 18, "people kept"),
        ("train", 3, "dropped: it is a &lt;ghost&gt; &amp; gone"),
        ("val", 6, "people kept"),
        ("val", 1, "dropped: it is a &lt;ghost&gt; &amp; gone"),
    ):
        cells = (split, count, text)
        assert "".join(f"<td>{cell}</td>" for cell in cells) in page
    assert "made &lt;up&gt;" in page and "&lt;pair&gt;" in page


def test_it_loads_nothing_else(page):
    sources = re.findall(r'(?:src|href)="([^"]{12})', page)
    assert set(sources) == {"data:image/p", "data:image/j"}
    assert "http" not in page and "<script" not in page and "<b>" not in page


def test_it_draws_people_of_both_splits(page):
    histograms, *drawn = pictures(page)
    assert histograms.std() > 0
    # Every fourth of 18 and every second of 6.
    assert len(drawn) == 5 + 3
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert len(captions) == 8
    for caption in captions:
        assert re.fullmatch(
            r"&lt;b&gt;\d\d, image \d+: 2 of 2 joints(, box 0.50)?", caption
        )
    for picture in drawn:
        # By hand: the window is 112 pixels of 60 * 1.25 * 1.7125 = 128.4
        # image pixels, drawn on 240: 1.869 a pixel. The box, 40 x 60, is in
        # the middle: 120 -+ 37.4 and -+ 56.1. It is yellow.
        yellow = (picture[..., 0] < 110) & (picture[..., 1:] > 180).all(axis=-1)
        y, x = np.nonzero(yellow)
        np.testing.assert_allclose(
            (x.min(), x.max(), y.min(), y.max()),
            (82.6, 157.4, 63.9, 176.1),
            atol=4,
        )
        # Limbs from corner to corner: the middle is drawn on, too.
        middle = picture[110:130, 110:130].reshape(-1, 3).astype(int)
        assert np.abs(middle - 128).max() > 60


def test_a_page_is_replaced_whole(records, tmp_path):
    out = tmp_path / "page.html"
    out.write_text("before")
    broken = tmp_path / "broken"
    broken.mkdir()
    manifest = json.loads((records / "manifest.json").read_text())
    (broken / "manifest.json").write_text(json.dumps(manifest))
    names = [s["file"] for s in manifest["splits"]["train"]["shards"]]
    names += [s["file"] for s in manifest["splits"]["val"]["shards"]]
    for name in names:
        whole = (records / name).read_bytes()
        (broken / name).write_bytes(whole[: len(whole) // 2])
    for data in (broken, tmp_path):
        done = browse(data, out)
        assert done.returncode != 0
        assert done.stderr.splitlines()[-1].startswith("browse: ")
        assert "Traceback" not in done.stderr
        assert out.read_text() == "before"
        assert not list(tmp_path.glob(".*.partial*"))
