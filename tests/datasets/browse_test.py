"""Tests for the page that shows a folder of records."""

import base64
import json
import re
import shutil

import cv2
import numpy as np
import pytest

from integral_tf.pipeline import batches
from integral_tf.records import coco_skeleton
from integral_tf.records import schema
from integral_tf.records import shards
from integral_tf.records.folder import Records
from tests import browser
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
    sources = re.findall(r'(?:src|href)="([^"]{15})', page)
    assert set(sources) == {"data:image/jpeg"}
    assert "http" not in page and "url(" not in page and "<b>" not in page


def test_it_draws_people_of_both_splits(page):
    drawn = pictures(page)
    # Five of 18 and five of 6, evenly spread.
    assert len(drawn) == 5 + 5
    assert "train, 5 of 18 records" in page and "val, 5 of 6 records" in page
    captions = re.findall(r'<span class="who">(.*?)</span>', page)
    assert len(captions) == 10
    for caption in captions:
        assert re.fullmatch(
            r"&lt;b&gt;\d\d, image \d+: 2 of 2 joints, 40 x 60 px"
            r"(, box 0.50)?",
            caption,
        )
    for picture in drawn:
        # By hand: the window is 112 pixels of 60 * 1.25 * 1.7125 = 128.4
        # image pixels, and its middle 80 pixels are drawn on 480: 5.23 an
        # image pixel. The box, 40 x 60, is in the middle: 240 -+ 104.7 and
        # -+ 157. It is yellow.
        yellow = (picture[..., 0] < 110) & (picture[..., 1:] > 180).all(axis=-1)
        y, x = np.nonzero(yellow)
        np.testing.assert_allclose(
            (x.min(), x.max(), y.min(), y.max()),
            (135.3, 344.7, 83.0, 397.0),
            atol=8,
        )
        # Limbs from corner to corner: the middle is drawn on, too.
        middle = picture[220:260, 220:260].reshape(-1, 3).astype(int)
        assert np.abs(middle - 128).max() > 60


def test_a_chart_has_the_people_by_size_and_labels(page):
    sizes, labels = re.findall(r"<svg viewBox.*?</svg>", page)
    # Everyone's longer side is 60 pixels, with both of two joints labelled.
    assert "longer side of the box, px; 3 px a point" in sizes
    assert "labelled joints of a person" in labels
    for chart in (sizes, labels):
        lines = re.findall(r'class="line" stroke="[^"]*" points="(.*?)"', chart)
        assert len(lines) == 2
        heights = [float(p.split(",")[1]) for p in lines[0].split()]
        # 320 pixels high, margins of 10 and 44: 100 % is at 10, 0 at 276.
        assert sorted(heights)[:2] == [10.0, 276.0]


def test_a_browser_chooses_split_and_order(page, records, tmp_path):
    script = """
        const names = () => [...document.querySelectorAll(".person")].filter(
            (each) => each.offsetParent).map((each) => each.dataset.place);
        split.value = "val";
        split.dispatchEvent(new Event("change"));
        const before = names();
        document.querySelectorAll(".person").forEach((each) => {
            each.dataset.size = (7 * each.dataset.place) % 5; });
        order.value = "-size";
        order.dispatchEvent(new Event("change"));
        return [before, names()].map((each) => each.join("")).join(" ");"""
    # By hand: the sizes of 0 to 4 are 0, 2, 4, 1 and 3.
    shown = browser.after(records.parent / "page.html", script, tmp_path)
    assert shown == "01234 24130"


@pytest.fixture(scope="module")
def evaluation(records):
    """Predictions of the validation split, but for one person dropped."""
    folder = records.parent / "evaluation"
    folder.mkdir()
    _, names = batches.ids(Records.open(records), "val")
    rows = [
        {
            "image_id": int(name[3:]),
            "source_id": name.decode(),
            # The second joint is 3 pixels off: half of a tenth of 60.
            "keypoints": [30, 20, 0.9, 69, 82, 0.7],
            "score": 0.8,
        }
        for name in names
    ]
    (folder / "predictions.json").write_text(json.dumps(rows[1:]))
    (folder / "metrics.json").write_text(
        json.dumps({"split": "val", "method": "I1"})
    )
    return folder


def test_predictions_are_drawn_with_their_errors(records, evaluation, tmp_path):
    out = tmp_path / "page.html"
    done = browse(records, out, f"--predictions={evaluation}")
    assert done.returncode == 0, done.stderr
    assert re.search(r"page: \S+page.html, \d+\.\d MB", done.stdout)
    page = out.read_text()
    captions = re.findall(r'<span class="who">(.*?)</span>', page)
    said = [caption.split("60 px")[1] for caption in captions]
    # 18 train without predictions. Of 6, NMS dropped the first; the errors
    # are 0 and 0.5, the scores 0.9 and 0.7.
    assert [text for text in said if text not in ("", ", box 0.50")] == [
        ", no prediction", *[", error 0.25, score 0.80"] * 5
    ]  # fmt: skip
    assert page.count("right_end 0.50, score 0.70") == 5
    # A ring at the truth and one at the prediction, with a line between.
    assert page.count('<g class="only j j1"><line ') == 5
    assert "largest error first" in page


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda f: (f / "predictions.json").unlink(), "Predictions are a fold"),
        (
            lambda f: (f / "predictions.json").write_text("[{}]"),
            "damaged, or of an older version",
        ),
        (
            lambda f: (f / "predictions.json").write_text(
                '[{"source_id": "<b>21", "keypoints": [1, 2, 3]}]'
            ),
            "The records have 2 joints.* with 1 joints",
        ),
        (
            lambda f: (f / "metrics.json").write_text(
                '{"split": "train", "method": "I1"}'
            ),
            "of 5 people of the split 'train', none of whom is among the 18",
        ),
    ],
)
def test_other_predictions_are_refused(
    records, evaluation, tmp_path, spoil, message
):
    spoilt = shutil.copytree(evaluation, tmp_path / "spoilt")
    spoil(spoilt)
    out = tmp_path / "page.html"
    done = browse(records, out, f"--predictions={spoilt}")
    assert done.returncode != 0 and not out.exists()
    assert re.search(message, done.stderr)


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
