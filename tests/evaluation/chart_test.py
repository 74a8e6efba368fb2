"""Tests for line charts."""

import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest

from integral_tf.evaluation import chart


def drawn(*lines, **settings):
    text = chart.lines(lines, x_label="<x>", y_label="y & z", **settings)
    return xml.fromstring(text)


def test_a_line_goes_from_corner_to_corner():
    root = drawn(
        chart.Line("<b>", [0, np.nan, 0.5], [0, 3, 100], dots=True),
        x_max=0.5,
        y_max=100,
        diagonal=True,
    )
    (ideal,) = root.findall(".//polyline[@class='ideal']")
    (line,) = root.findall(".//polyline[@class='line']")
    # 460 x 320 less the margins; the point that is NaN is left out.
    assert line.get("points") == ideal.get("points") == "52.0,276.0 448.0,10.0"
    assert len(root.findall(".//circle")) == 2
    texts = [each.text for each in root.findall(".//text")]
    numbers = [text for text in texts if re.fullmatch(r"[\d.]+", text)]
    assert set(numbers) == set("0 0.1 0.2 0.3 0.4 0.5 20 40 60 80 100".split())
    assert "<x>" in texts and "y & z" in texts


def test_the_legend_names_lines_in_their_colours():
    root = drawn(
        chart.Line("one", [0, 1], [0, 1]),
        chart.Line("of a joint", [0, 1], [1, 0], group="only j3"),
        chart.Line("two", [0, 1], [1, 1]),
    )
    legend = root.findall("figcaption/span")
    assert ["".join(each.itertext()) for each in legend] == [
        "one",
        "of a joint",
        "two",
    ]
    assert legend[1].get("class") == "only j3"
    colours = [each.find("i").get("style") for each in legend]
    assert len(set(colours)) == 3
    for colour, line in zip(
        colours, root.findall(".//polyline[@class='line']")
    ):
        assert line.get("stroke") in colour


@pytest.mark.parametrize(
    "value, end",
    [(0, 1), (0.07, 0.08), (1, 1), (9.1, 10), (17, 20), (40, 40), (601, 800)],
)
def test_an_axis_ends_at_a_short_number(value, end):
    assert chart.round_up(value) == pytest.approx(end)
