"""Property tests of readers: bad input is one sentence, or read as it is.

Few inputs, always the same ones. More, and others each time:

    FUZZ=2000 python -m pytest tests/fuzz
"""

import json
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

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2, 2**31, 2**53 + 1, 2**63, 10**30, 10**400]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["../../etc/passwd", "/etc/passwd", "\0", "x" * 20_000]),
    st.sampled_from(["\ud800", "nan", "1", "é" * 300]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "name", "x", ""]), inner)
    ),
    max_leaves=4,
)


def places(value, path=()):
    """Paths to every part of a JSON value."""
    yield path
    if isinstance(value, dict):
        parts = value.items()
    else:
        parts = enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


@st.composite
def damaged_json(draw, text):
    """The text of a JSON with one to three parts replaced or removed."""
    value = json.loads(text)
    for _ in range(draw(st.integers(1, 3))):
        every = list(places(value))
        path = every[draw(st.integers(0, len(every) - 1))]
        if not path:
            if draw(st.integers(0, 9)) == 0:
                value = draw(VALUES)
            continue
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.integers(0, 4)) == 0:
            del parent[path[-1]]
        else:
            parent[path[-1]] = draw(VALUES)
    text = json.dumps(value)
    if draw(st.integers(0, 19)) == 0:
        deep = draw(st.sampled_from([1000, 100_000]))
        text = text.replace("1", "[" * deep + "]" * deep, 1)
    return text.encode("utf-8", "surrogatepass")


@st.composite
def damaged_bytes(draw, data):
    """Bytes of which some are changed, removed, added or copied."""
    data = bytearray(data)
    for _ in range(draw(st.sampled_from([1, 1, 2, 4, 16]))):
        if not data:
            break
        first = draw(st.integers(0, len(data) - 1))
        # Half of them in the header.
        first = min(first, draw(st.sampled_from([255, len(data)])))
        how = draw(st.integers(0, 4))
        if how == 0:
            data[first] ^= 1 << draw(st.integers(0, 7))
        elif how == 1:
            del data[first:]
        elif how == 2:
            del data[first : first + draw(st.sampled_from([1, 4, 1024]))]
        elif how == 3:
            data[first:first] = draw(st.binary(min_size=1, max_size=8))
        else:
            ends = [b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80"]
            data[first : first + 4] = draw(st.sampled_from(ends))
    return bytes(data)


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
    inputs = damaged_bytes(data)
    if reader.is_json:
        inputs = damaged_json(data) | inputs
    count = MORE or 12
    if reader.is_slow:
        count = max(count // 5, 1)

    @hypothesis.settings(max_examples=count)
    @hypothesis.given(inputs)
    def run(damaged):
        check(reader, tmp_path, damaged)

    run()


@pytest.mark.parametrize(
    "path", sorted(CORPUS.rglob("*.*")), ids=lambda path: path.name
)
def test_what_once_went_wrong_does_not(path, tmp_path):
    reader = readers.READERS[path.parent.name]
    reader.write(tmp_path)
    check(reader, tmp_path, path.read_bytes())
