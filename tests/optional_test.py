"""Tests for packages that may be missing."""

import math

import pytest

from integral_tf import optional


def test_what_is_there_is_imported():
    assert optional.need("math", "math", "a sum") is math


@pytest.mark.parametrize(
    "extra, group",
    [("export", ", or `pip install integral_tf[export]`"), ("", "")],
)
def test_what_is_not_there_is_one_sentence(extra, group):
    with pytest.raises(ImportError) as no:
        optional.need("nothing_such", "nothing-such", "an ONNX file", extra)
    assert str(no.value) == (
        f"An ONNX file needs nothing-such: `pip install nothing-such`{group}. "
        "Received: No module named 'nothing_such'"
    )
