"""Tests for the commands that reproduce the paper's tables and figures."""

import subprocess
import types

import cv2
import pytest

from integral_tf import config
from integral_tf import flagfiles
from integral_tf.experiments import pages
from integral_tf.experiments import reproduce
from integral_tf.experiments import tables
from tests import drawn
from tests import in_process

BUDGETS = {
    name: flagfiles.read(config.TrainConfig, flagfiles.preset(name))
    for name in ("paper", "small")
}


@pytest.fixture(autouse=True, scope="module")
def one_process():
    """Of the commands only the first has a process of its own."""
    real, started = subprocess.run, []

    def run(command):
        started.append(command)
        if len(started) == 1:
            return real(command)
        return in_process.run(*command[3:])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduce, "subprocess", types.SimpleNamespace(run=run))
        yield


def papers_scores(table):
    """The paper's own figures, as one seed's metrics."""
    return {
        row.label: [dict(zip(tables.METRICS, row.paper))]
        for row in tables.rows(table, BUDGETS["paper"])
    }


@pytest.mark.parametrize("table, count", [(2, 8), (3, 8), (4, 9), (5, 8)])
def test_a_row_for_every_row_of_the_paper(table, count):
    # Table 2: 8 methods. Table 3: H1 and I1 at 4 sizes. Table 4: 3 methods on
    # 3 backbones. Table 5: 2 methods with 1 to 4 stages.
    for budget in BUDGETS.values():
        rows = tables.rows(table, budget)
        assert len({row.label for row in rows}) == len(rows) == count


@pytest.mark.parametrize("table", [2, 3, 4, 5])
def test_every_claim_holds_of_the_papers_own_figures(table):
    claims = tables.claims(table)
    lines = pages.claims_table(claims, papers_scores(table), seeds=1)
    verdicts = [line.split("|")[3].strip() for line in lines[3:]]
    assert len(verdicts) == len(claims) > 0
    assert set(verdicts) == {"yes"}


def test_what_halving_the_map_costs():
    # Table 3, (c) to (d), AUC: H1 57.7 - 52.9 = 4.8, I1 58.9 - 58.3 = 0.6.
    lines = pages.claims_table(tables.claims(3), papers_scores(3), seeds=1)
    (line,) = [x for x in lines if "(c) to (d)" in x and "AUC" in x]
    assert "+4.20" in line


def test_the_heads_of_today_are_runs_of_their_own():
    rows = tables.rows(tables.HEADS, BUDGETS["small"])
    assert len({row.label for row in rows}) == len(rows)
    for row in rows:  # none is refused
        config.TrainConfig(method=row.method, **row.settings)
    # Three readings of H1 are one run, and so have three evaluations.
    runs = reproduce.Runs(flagfiles.preset("small"), "data", "out")
    three = [row for row in rows if row.method == "H1"]
    assert len({runs.folder(row, 0) for row in three}) == 1
    assert [runs.evaluation(row, 0).name for row in three] == [
        "evaluation", "evaluation-shift", "evaluation-dark",
    ]  # fmt: skip
    others = [row for row in rows if row.method[0] in "IR"]
    assert len({runs.folder(row, 0) for row in others}) == len(others)


def test_a_claim_that_fails_with_one_seed_says_so():
    claim = tables.Claim("a > b, AUC", ((1, "a", "AUC"), (-1, "b", "AUC")))
    scores = {"a": [{"AUC": 2.0}, {"AUC": 1.0}], "b": [{"AUC": 1.5}] * 2}
    (line,) = pages.claims_table([claim], scores, seeds=2)[3:]
    assert line == "| a > b, AUC | +0.50, -0.50 | with 1 of 2 |"


def test_rows_of_two_tables_with_the_same_settings_are_one_run(tmp_path):
    runs = reproduce.Runs(flagfiles.preset("small"), tmp_path, tmp_path)
    by_label = {
        row.label: runs.folder(row, 0)
        for table in (2, 3, 5)
        for row in tables.rows(table, runs.budget)
    }
    assert by_label["I1"] == by_label["I1 (d)"] == by_label["MS-I1, 1 stages"]
    assert by_label["I1"] != by_label["I1 (c)"] != by_label["MS-I1, 2 stages"]
    # Half of the paper's sizes, since the budget has 128 pixels for 256.
    assert "image_size_64" in by_label["H1 (a)"].name


def test_maps_may_take_longer_to_form(tmp_path):
    # Only the methods with a heat-map phase of their own are other runs.
    small = flagfiles.preset("small")
    names = []
    for epochs in (0, 11):
        runs = reproduce.Runs(small, tmp_path, tmp_path, epochs)
        rows = tables.rows(2, runs.budget)
        names.append({row.label: runs.folder(row, 0).name for row in rows})
    other = {label for label in names[0] if names[0][label] != names[1][label]}
    assert other == {"I1", "I2", "I3"}
    assert names[1]["I1"] == "i1-heatmap_epochs_11-seed_0"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce")
    drawn.records(folder / "data", 40, 0.3)
    budget = folder / "tiny.flags"
    budget.write_text(
        "# Two steps.\n--backbone=resnet18\n--width_multiplier=0.125\n"
        "--image_size=64\n"
        "--head_channels=8\n--batch_size=8\n--epochs=1\n--heatmap_epochs=0\n"
        "--final_epochs=0\n"
    )
    return reproduce.Runs(budget, folder / "data", folder / "out")


def test_a_figure_and_a_table_from_the_same_runs(runs, monkeypatch, capfd):
    # Figure 2 trains H1 and I1; a table of those two finds them finished.
    reproduce.reproduce(0, 2, runs)
    assert capfd.readouterr().out.count("$ integral-tf train") == 2
    picture = cv2.imread(str(runs.out / "figure2.png"))
    assert picture.shape[1] > picture.shape[0] > 500

    two = [r for r in tables.rows(2, runs.budget) if r.label in ("H1", "I1")]
    monkeypatch.setattr(tables, "rows", lambda table, budget: two)
    monkeypatch.setattr(
        tables, "_claims", lambda table: [tables._better("I1", "H1", "AUC")]
    )
    reproduce.reproduce(2, 0, runs)
    assert "$ integral-tf train" not in capfd.readouterr().out
    page = (runs.out / "table2.md").read_text()
    assert "| H1 |" in page and "| 86.8 | 17.2 | 52.9 |" in page
    assert "| Difference @0.1 |" in page and "| I1 less H1 |" in page
    assert "Budget: tiny" in page and "| I1 > H1, AUC |" in page


def test_the_same_runs_in_another_length(runs, monkeypatch, capfd):
    # The runs of before are scored again, by the box and at other thresholds.
    two = [r for r in tables.rows(2, runs.budget) if r.label in ("H1", "I1")]
    monkeypatch.setattr(tables, "rows", lambda table, budget: two)
    monkeypatch.setattr(
        tables, "_claims", lambda table: [tables._better("I1", "H1", "@0.1")]
    )
    by_box = reproduce.Runs(
        runs.flagfile, runs.data, runs.out, normalise_by="box", alpha="0.4,0.2"
    )
    for evaluations in (2, 0):
        reproduce.reproduce(2, 0, by_box)
        said = capfd.readouterr().out
        assert "$ integral-tf train" not in said
        assert said.count("$ integral-tf evaluate") == evaluations
    page = (runs.out / "table2.md").read_text()
    assert "PCK in percent, in box sizes, over" in page
    assert "| | @0.4 | @0.2 | AUC | NME | FR@0.4 |" in page
    assert "| I1 > H1, @0.2 |" in page and "paper" not in page
    with pytest.raises(ValueError, match="two thresholds.*--alpha=0.1"):
        reproduce.Runs(runs.flagfile, runs.data, runs.out, alpha="0.1")


def test_refuses_runs_of_another_budget_or_on_other_records(runs, tmp_path):
    row = tables.rows(2, runs.budget)[0]
    reproduce.runs.claim(
        config.TrainConfig(
            method="H1", data=str(runs.data), workdir=str(runs.folder(row, 1))
        )
    )
    with pytest.raises(ValueError, match="holds a run with"):
        runs.one(row, 1)
    runs.one(row, 0)
    other = reproduce.Runs(runs.flagfile, tmp_path, runs.out)
    with pytest.raises(ValueError, match="other records"):
        other.one(row, 0)


def test_a_row_of_another_backbone_has_its_preprocessing(runs, monkeypatch):
    # What the command asks for, and what it compares a run's flags with.
    asked = []
    monkeypatch.setattr(reproduce.runs, "check_flags", asked.append)
    monkeypatch.setattr(
        reproduce.Runs, "_train", lambda *given: asked.append(given[-1])
    )
    monkeypatch.setattr(reproduce.Runs, "_evaluated", lambda *given: {})
    runs.one(tables.Row("I1", "I1", {"backbone": "MobileNetV2"}), 0)
    assert asked[0].preprocessing == "tf"
    assert flagfiles.parse(config.TrainConfig, asked[1]) == asked[0]


@pytest.mark.parametrize(
    "table, length, person, match",
    [
        (2, "left_eye,right_eye", -1, "--normalise_by=left_eye,right_eye"),
        (0, "", 40, "people. Received: person=40"),
    ],
)
def test_what_the_records_lack_is_said_before_the_training(
    runs, monkeypatch, table, length, person, match
):
    # The skeleton has no eyes; of the 40 people only a part validates.
    monkeypatch.setattr(reproduce.Runs, "one", None)
    asked = reproduce.Runs(
        runs.flagfile, runs.data, runs.out, normalise_by=length
    )
    with pytest.raises(ValueError, match=match):
        reproduce.reproduce(table, 0 if table else 2, asked, person=person)


@pytest.mark.parametrize("table, figure", [(0, 0), (2, 3)])
def test_wants_one_table_or_one_figure(runs, table, figure):
    with pytest.raises(ValueError, match="one --table or --figure"):
        reproduce.reproduce(table, figure, runs)
