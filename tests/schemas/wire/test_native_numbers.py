"""Numbers by compiled code: the float that everybody else reads, or none."""

import json
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.wire.native_numbers import read_number

DIGITS = st.text("0123456789", min_size=1, max_size=24)
WRITTEN = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**70), 2**70).map(str),
    st.builds("{}.{}".format, st.integers(-(10**12), 10**12), DIGITS),
    st.builds("{}e{}".format, st.integers(0, 2**64), st.integers(-270, 270)),
    st.builds("0.{}{}E+{}".format, st.integers(0, 9), DIGITS, st.integers(0, 40)),
)


def read(text: str) -> tuple[float, int]:
    """What is read of a text, and where it ends."""
    return read_number(np.frombuffer(text.encode(), np.uint8), 0, len(text))


@given(WRITTEN)
@example("9007199254740993")
@example("9007199254740995")
@example("4503599627370496.5")
@example("1e23")
@example("7.2057594037927933e16")
def test_a_number_is_the_nearest_float(text: str) -> None:
    """Bit by bit as Python reads it, halfway cases included; or it is left to others."""
    found, end = read(text)
    if end < 0:
        return
    assert len(text) == end
    assert (float(text), math.copysign(1, float(text))) == (found, math.copysign(1, found))


@given(st.integers(2**52, 2**53 - 1), st.integers(1, 4), st.sampled_from([-1, 0, 1]))
def test_halfway_between_two_floats_is_rounded_to_the_even(
    whole: int, power: int, off: int
) -> None:
    """The very middle, written out, and what lies just beside it."""
    middle = (2 * whole + 1) * 5**power * 10 + off
    text = f"{middle}e-{power + 1}"
    found, end = read(text)
    assert end in (-1, len(text))
    if end > 0:
        assert float(text) == found


@pytest.mark.parametrize(
    "text", ["0", "1700000000000", "-1.5", "354.7247", "1e2", "1E+2", "2e-3", "0.0", "0e9", "0.1"]
)
def test_what_people_write_is_read(text: str) -> None:
    """None of these takes the slower way."""
    assert (float(text), len(text)) == read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "01",
        "-01",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "1e-",
        "e1",
        "1.e1",
        "Infinity",
        "NaN",
        "-0",
        "-0.0",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    """What JSON does not have, and minus zero, which readers of JSON see differently."""
    assert -1 == read(f"{text}!")[1]


@given(st.text("0123456789.eE+-", max_size=12))
def test_only_numbers_of_json_are_read(text: str) -> None:
    """What is read to its end is a number to Python's reader of JSON too, and the same."""
    if text and (found := read(text))[1] == len(text):
        assert float(json.loads(text)) == found[0]
