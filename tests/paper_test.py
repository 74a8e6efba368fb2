"""Tests that the paper's tables were copied without a slip."""

import numpy as np
import pytest

from integral_tf import paper

SCORES = [
    *paper.TABLE_2.values(),
    *(row[m] for row in paper.TABLE_3.values() for m in ("H1", "I1")),
    *(row[m] for row in paper.TABLE_4.values() for m in ("H1", "R1", "I1")),
    *(score for method in paper.TABLE_5.values() for score in method.values()),
]


@pytest.mark.parametrize(
    "value, printed",
    [
        pytest.param(paper.TABLE_2["I1"], (87.3, 29.3, 58.3), id="Table 2, I1"),
        pytest.param(paper.TABLE_2["H3"], (83.0, 12.6, 46.3), id="Table 2, H3"),
        pytest.param(
            paper.TABLE_3["b"]["H1"], (75.4, 5.6, 34.1), id="Table 3, (b) H1"
        ),
        pytest.param(
            paper.TABLE_4["resnet18"]["R1"],
            (82.4, 21.9, 50.8),
            id="Table 4, R1, ResNet-18",
        ),
        pytest.param(
            paper.TABLE_5["MS-I1"][4],
            (88.1, 32.3, 60.1),
            id="Table 5, stage 4, MS-I1",
        ),
        pytest.param(paper.TABLE_6["MS-I1"][6], 82.3, id="Table 6, MS-I1, Ank"),
        pytest.param(
            paper.TABLE_7["MS-I1"]["mparams"], 101, id="Table 7, MS-I1, params"
        ),
        pytest.param(paper.TABLE_8["I1"][1], 88.2, id="Table 8, I1, AP50"),
    ],
)
def test_spot_values(value, printed):
    assert value == printed


@pytest.mark.parametrize("score", SCORES, ids=str)
def test_a_stricter_threshold_is_never_easier(score):
    at_half, at_tenth, auc = score
    assert len(score) == len(paper.SCORE)
    assert at_tenth < auc < at_half


@pytest.mark.parametrize("method", ["H1", "R1", "I1"])
def test_tables_share_the_row_they_all_contain(method):
    # ResNet-50, 256 pixels, 2 upsamplings, one stage.
    row = paper.TABLE_2[method]
    assert paper.TABLE_4["resnet50"][method] == row
    if method != "R1":
        assert paper.TABLE_3["d"][method] == row
        assert paper.TABLE_5[f"MS-{method}"][1] == row


def test_table_7_repeats_the_means_of_table_6():
    in_table_6 = {"CPM [43]": "Wei [43]", "HG [29]": "Newell [29]"}
    for method, row in paper.TABLE_7.items():
        name = in_table_6.get(method, method)
        assert row["pckh"] == paper.TABLE_6[name][-1]
    for name in ("mparams", "gflops"):
        of_i1 = paper.TABLE_7["I1"][name]
        assert of_i1 == paper.TABLE_4["resnet50"][name]
        assert of_i1 == paper.TABLE_3["d"][name]


def test_means_of_table_6_are_one_weighting_of_their_columns():
    # The mean pools joints, and every method had the same ones. A digit
    # copied wrongly moves its row off the common plane.
    rows = np.array(list(paper.TABLE_6.values()))
    assert rows.shape == (22, len(paper.TABLE_6_COLUMNS))
    columns, mean = rows[:, :-1], rows[:, -1]
    shares = np.linalg.lstsq(columns, mean, rcond=None)[0]
    np.testing.assert_allclose(shares.sum(), 1, atol=0.005)
    np.testing.assert_allclose(columns @ shares, mean, atol=0.1)


@pytest.mark.parametrize(
    "after, before, printed",
    [
        pytest.param(("I1", 0), ("H1", 0), 0.5, id="PCKh@0.5"),
        pytest.param(("I1", 1), ("H1", 1), 12.1, id="PCKh@0.1"),
        pytest.param(("I1", 2), ("H1", 2), 5.4, id="AUC"),
        pytest.param(("I3", 2), ("H3", 2), 11.4, id="AUC of H3"),
    ],
)
def test_gains_that_section_6_states(after, before, printed):
    (method, i), (baseline, j) = after, before
    gain = paper.TABLE_2[method][i] - paper.TABLE_2[baseline][j]
    assert gain == pytest.approx(printed)


@pytest.mark.parametrize(
    "larger, smaller, h1, i1",
    [("c", "d", 4.8, 0.6), ("a", "b", 12.5, 3.5), ("d", "b", 18.8, 11.1)],
)
def test_losses_of_auc_with_resolution_that_section_6_states(
    larger, smaller, h1, i1
):
    for method, printed in (("H1", h1), ("I1", i1)):
        before = paper.TABLE_3[larger][method][2]
        after = paper.TABLE_3[smaller][method][2]
        assert before - after == pytest.approx(printed)


def test_table_8_gains_what_section_6_2_states():
    assert list(paper.TABLE_8) == list(paper.TABLE_8_BACKBONES)
    gain = paper.TABLE_8["I1"][0] - paper.TABLE_8["H1"][0]
    assert gain == pytest.approx(1.5)
    for row in paper.TABLE_8.values():
        ap, ap50, ap75, medium, large = row
        assert medium < ap < large and ap < ap75 < ap50
