"""Property tests of readers: bad input is one sentence, or read as it is.

Few inputs, always the same ones. More, and others each time:

    FUZZ=2000 python -m pytest tests/fuzz

Many, counted by their answers: `count`.
"""

import os
import pathlib
import warnings

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.fuzz import readers

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"
MORE = int(os.environ.get("FUZZ", 0))
hypothesis.settings.register_profile(
    "few",
    derandomize=not MORE,
    database=None,
    deadline=None,
    # An input is not made smaller: the message has the whole input.
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("few")


def check(reader, folder, data):
    """Requires a clean answer of a reader to the content of its file."""
    (folder / reader.file).write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = reader.read(folder)
    except Exception as error:
        wrong = readers.refused(error, folder)
        assert not wrong, f"{wrong}: {error!r:.2000}"
    else:
        assert not found, found


@pytest.mark.parametrize("name", readers.READERS)
def test_the_example_itself_is_read(name, tmp_path):
    reader = readers.READERS[name]
    reader.write(tmp_path)
    assert reader.read(tmp_path) == []


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("name", readers.READERS)
def test_a_damaged_file_is_one_sentence_or_read(name, tmp_path):
    reader = readers.READERS[name]
    reader.write(tmp_path)
    data = (tmp_path / reader.file).read_bytes()
    count = max((MORE or 12) * min(reader.weight, 50) // 50, 2)

    @hypothesis.settings(max_examples=count)
    @hypothesis.given(st.randoms(use_true_random=True))
    def run(random):
        check(reader, tmp_path, reader.damaged(data, random))

    run()


@pytest.mark.parametrize(
    "path", sorted(CORPUS.rglob("*.*")), ids=lambda path: path.name
)
def test_what_once_went_wrong_does_not(path, tmp_path):
    reader = readers.READERS[path.parent.name]
    reader.write(tmp_path)
    check(reader, tmp_path, path.read_bytes())
