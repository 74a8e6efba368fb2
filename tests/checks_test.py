"""Tests for the numbers that callers give."""

import decimal
import fractions
import math

import numpy as np
import pytest
import tensorflow as tf

from integral_tf import checks

SENTENCE = "`size` is a number above 0."


@pytest.mark.parametrize(
    "value, expected",
    [
        (4, 4),
        (0.5, 0.5),
        (np.float32(4), 4.0),
        (np.int64(4), 4),
        (np.float16(0.5), 0.5),
        (np.array(4), 4),
        (fractions.Fraction(1, 2), 0.5),
        (tf.constant(4.0), 4.0),
        (tf.Variable(4.0), 4.0),
    ],
    ids=repr,
)
def test_a_number_of_any_library_becomes_pythons(value, expected):
    got = checks.number("size", value, SENTENCE, above=0)
    assert got == expected and type(got) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        np.float32("nan"),
        "4",
        b"4",
        "",
        True,
        np.True_,
        np.array(True),
        None,
        [4],
        {},
        4j,
        np.ones(1),
        np.array("4"),
        decimal.Decimal(4),
        10**400,
        1e39,
        0,
        -0.0,
        -1,
        object,
    ],
    ids=repr,
)
def test_anything_else_gets_the_sentence(value):
    with pytest.raises(ValueError) as error:
        checks.number("size", value, SENTENCE, above=0)
    assert str(error.value) == f"{SENTENCE} Received: size={value!r}"


def test_a_symbolic_number_gets_the_sentence():
    @tf.function
    def traced(value):
        return checks.number("size", value, SENTENCE)

    with pytest.raises(ValueError, match="Received: size=<tf.Tensor"):
        traced(tf.constant(4.0))


def test_bounds():
    for bounds in ({"above": 3}, {"least": 4}, {"most": 4}, {"below": 5}):
        assert checks.number("size", 4, SENTENCE, **bounds) == 4
    for bounds in ({"above": 4}, {"least": 5}, {"most": 3}, {"below": 4}):
        with pytest.raises(ValueError, match="Received: size=4"):
            checks.number("size", 4, SENTENCE, **bounds)


def test_whole():
    for value in (5, 5.0, np.int32(5), np.float32(5)):
        got = checks.whole("size", value, SENTENCE, least=5)
        assert got == 5 and type(got) is int
    for value in (4.5, 4, math.nan, "5", True):
        with pytest.raises(ValueError, match=f"Received: size={value!r}"):
            checks.whole("size", value, SENTENCE, least=5)


def test_several():
    assert checks.several("size", 4, SENTENCE, above=0) == 4
    assert checks.several("size", [4, np.float32(2)], SENTENCE) == (4, 2.0)
    for values in ([], (), (4, 0), (4, None), [math.nan], "42", np.ones(2)):
        with pytest.raises(ValueError, match="`size` is a number.* Received"):
            checks.several("size", values, SENTENCE, above=0)
