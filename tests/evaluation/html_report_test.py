"""Tests for the page of an evaluation."""

import base64
import html.parser
import re

import cv2
import numpy as np
import pytest

from integral_tf import config
from integral_tf.evaluation import evaluate
from integral_tf.records import coco_skeleton
from integral_tf.records import schema
from integral_tf.records import shards
from tests import browser
from tests import untrained

CROSS = coco_skeleton.from_category(
    {
        "name": "<four>",
        "keypoints": ["left_<a>", "right_<a>", "left_&", "right_&"],
        "skeleton": [[1, 2], [3, 4]],
    }
)
EMPTY = {"meta", "img", "br", "circle", "line", "polyline"}


def person(number):
    """A grey picture, someone in its middle, joints in the box's corners."""
    return schema.Person(
        image=np.full((100, 100, 3), 128, np.uint8),
        image_id=number,
        source_id=f"<b>{number:02d}",
        joints=np.array([[30, 20], [69, 20], [30, 79], [69, 79]]),
        visible=np.array([2, 2, 2, number % 2]),
        box=np.array([30, 20, 40, 60]),
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Two evaluations of a network, the second compared with the first."""
    folder = tmp_path_factory.mktemp("work")
    shards.write(
        [(f"<b>{number:02d}", number) for number in range(40)],
        person, folder / "da<t>a", CROSS, 64, split=1.0, source="", shards=1,
    )  # fmt: skip
    run = untrained.run(folder / "run", data=folder / "da<t>a", skeleton=CROSS)
    asked = {"workdir": str(run), "data": str(folder / "da<t>a")}
    evaluate.evaluate(config.EvaluateConfig(**asked))
    evaluate.evaluate(
        config.EvaluateConfig(
            **asked,
            flip_test=True,
            out=str(folder / "out"),
            compare=str(run / "evaluation"),
        )
    )
    return folder


@pytest.fixture(scope="module")
def path(work):
    return work / "out" / "report.html"


class Reader(html.parser.HTMLParser):
    """Requires that tags are closed in their order; gathers the contents."""

    def __init__(self):
        super().__init__()
        self.open, self.classes, self.links, self.texts = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [v for name, v in attrs if name in ("src", "href")]
        self.classes += [v for name, v in attrs if name == "class"]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in EMPTY

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))


@pytest.fixture(scope="module")
def page(path):
    reader = Reader()
    reader.feed(path.read_text())
    reader.close()
    assert not reader.open
    return reader


def test_every_section_is_there(page):
    headings = [text for tag, text in page.texts if tag == "h2"]
    assert headings == [
        "Figures",
        "Difference of two evaluations",
        "Curves over alpha",
        "Errors per joint and kind",
        "Slices",
        "Reliability of the scores",
        "Coverage of the covariances",
        "People",
    ]
    parts = [text.strip() for tag, text in page.texts if tag == "h3"]
    assert parts == ["Best", "Median", "Worst"]
    cells = [text for tag, text in page.texts if tag == "td"]
    assert {"box: inside the picture", "labelled joints: all 4"} <= set(cells)
    words = " ".join(text for _, text in page.texts)
    assert "95 % interval of 1000 draws of the images" in words
    assert "tenths of the box" in words
    assert "within 0.5 tenths of the box of their truth" in words
    assert "No head is annotated" in words
    # The first words of a table's empty corner are no heading.
    assert not [text for tag, text in page.texts if tag == "th" and not text]


def test_nothing_is_loaded(page, path):
    assert len(page.links) == 36
    assert all(link.startswith("data:image/jpeg;") for link in page.links)
    text = path.read_text()
    assert "http" not in text and "url(" not in text and "@import" not in text
    for link in page.links[:3]:
        data = base64.b64decode(link.split(",")[1])
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), 1)
        assert picture.shape == (480, 480, 3) and picture.std() > 5


def test_names_are_escaped(page, path):
    text = path.read_text()
    assert "<a>" not in text and "<b>" not in text and "<t>" not in text
    options = [text for tag, text in page.texts if tag == "option"]
    assert options == ["all", *CROSS.joints]
    (title,) = [text for tag, text in page.texts if tag == "h1"]
    assert "da<t>a" in title


def test_a_joint_has_rows_a_curve_and_rings(page):
    # Legend, curve and row; a ring and a caption for each person with a label.
    everyone = [name for name in page.classes if name.endswith("j0")]
    assert everyone.count("j j0") == 1
    assert everyone.count("only j j0") == 2 + 2 * 36
    assert page.classes.count("only j j3") < 2 + 2 * 36


def test_the_comparison_stands_in_the_figures(work):
    table = (work / "out" / "table.md").read_text()
    assert re.search(r"\| AUC \| [\d.]+ \| [\d.]+ \| [+-][\d.]+ \| ", table)


def test_a_browser_shows_a_joint(path, tmp_path):
    script = """
        const display = (name) =>
            getComputedStyle(document.querySelector(name)).display;
        const states = () =>
            [".only.j1", ".only.j2", ".chart .only.j1"].map(display);
        const people = () => [...document.querySelectorAll(".person")].filter(
            (each) => each.offsetParent).length;
        const before = [...states(), people()];
        joint.value = "3";
        joint.dispatchEvent(new Event("change"));
        const fewer = people();
        joint.value = "1";
        joint.dispatchEvent(new Event("change"));
        return [...before, fewer, ...states(), people()].join(" ");"""
    # Of 36 people, those with an odd number have the fourth joint.
    shown = browser.after(path, script, tmp_path).split()
    assert shown[:4] == ["none", "none", "none", "36"]
    assert shown[5:] == ["inline", "none", "inline", "36"]
    odd = re.findall(r'alt="Person [^"]*[13579]"', path.read_text())
    assert int(shown[4]) == len(odd) < 36


def test_a_browser_opens_a_picture_large(path, tmp_path):
    script = """
        const seen = () => [large.open, count.textContent,
            here.querySelectorAll("img").length].join(" ");
        const press = (key) =>
            large.dispatchEvent(new KeyboardEvent("keydown", {key}));
        const found = [];
        document.querySelectorAll(".people .open")[4].click();
        found.push(seen());
        press("ArrowRight");
        found.push(seen());
        before.click();
        before.click();
        found.push(seen());
        const named = here.querySelector("figcaption .only.j1");
        found.push(getComputedStyle(named).display);
        found.push(here.querySelector("img").offsetWidth > 300);
        here.querySelector(".open").click();
        found.push(large.open);
        return found.join(", ");"""
    assert browser.after(path, script, tmp_path) == (
        "true 5 of 36 1, true 6 of 36 1, true 4 of 36 1, "
        "inline-block, true, false"
    )
