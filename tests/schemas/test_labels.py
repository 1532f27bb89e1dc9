"""Label sets, fingerprints and matchers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import (
    decode_labels,
    encode_labels,
    fingerprint,
    get_label,
    make_labels,
    order_key,
    parse_matcher,
    without,
)

pairs = st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), max_size=6)


@given(pairs)
def test_order_of_pairs_is_nothing(given_pairs: dict[str, str]) -> None:
    """A label set is the same in whatever order its pairs came."""
    forward = make_labels(given_pairs)
    backward = make_labels(dict(reversed(given_pairs.items())))

    assert forward == backward
    assert fingerprint(forward) == fingerprint(backward)


@given(pairs, pairs)
def test_bytes_tell_label_sets_apart(one: dict[str, str], other: dict[str, str]) -> None:
    """Label sets are equal exactly when their canonical bytes are."""
    a, b = make_labels(one), make_labels(other)

    assert (a == b) == (encode_labels(a) == encode_labels(b))
    assert decode_labels(encode_labels(a)) == a


@given(pairs, pairs)
def test_order_of_bytes_is_that_of_label_sets(one: dict[str, str], other: dict[str, str]) -> None:
    """Label sets are sorted by their bytes as they are as tuples, also one that begins as the other does."""
    a, b = make_labels(one), make_labels(other)
    longer = make_labels({**one, "zz": "1"})

    for left, right in ((a, b), (a, longer)):
        keys = order_key(encode_labels(left)), order_key(encode_labels(right))
        assert (left < right) == (keys[0] < keys[1])


def test_empty_value_is_no_label() -> None:
    """An empty value and a missing label are one and the same."""
    assert make_labels({"a": "", "b": "1"}) == (("b", "1"),)
    assert get_label(make_labels({"b": "1"}), "a") == ""


def test_fingerprint_is_stable() -> None:
    """The fingerprint of a label set never changes between releases: checkpoints hold it."""
    assert fingerprint(make_labels({"__name__": "up", "job": "a"})) == 0x92989E53613CBDA2


def test_without_drops_names() -> None:
    """Named labels go, the others stay in order."""
    assert without((("a", "1"), ("b", "2"), ("c", "3")), "b") == (("a", "1"), ("c", "3"))


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ('a="x"', "x", True),
        ("a=x", "x", True),
        ('a="x"', "xy", False),
        ('a!="x"', "", True),
        ('a=~"x|y"', "y", True),
        ('a=~"x"', "xx", False),
        ('a!~"x.*"', "xx", False),
        ('a=""', "", True),
        ('a="q\\"q"', 'q"q', True),
        ('a=~"x.y"', "x\ny", True),
    ],
)
def test_matchers_match_as_prometheus(text: str, value: str, *, expected: bool) -> None:
    """The four operators, anchored, with a missing label as an empty one."""
    assert parse_matcher(text).matches(make_labels({"a": value})) is expected


@pytest.mark.parametrize("text", ["", "a", '9a="x"', 'a=~"("', '="x"'])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    """A text that is no matcher raises ValueError."""
    with pytest.raises(ValueError, match=r"matcher|regular expression"):
        parse_matcher(text)
