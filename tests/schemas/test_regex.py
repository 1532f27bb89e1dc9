"""RE2, anchored: what matches, what groups hold, what is refused."""

import pickle

import pytest

from schemas.regex import Regex, RegexError, compile_regex


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a|b", "b", True),
        ("a|b", "ab", False),
        (".*", "a\nb", True),
        (r"\d", "\u0663", False),
        (r"\w+", "\u00e9", False),
        ("a$", "a\n", False),
        ("", "", True),
    ],
)
def test_the_whole_text_must_match(pattern: str, text: str, *, expected: bool) -> None:
    """At both ends, dot matching newline, classes being ASCII."""
    assert expected is compile_regex(pattern).matches(text)


def test_groups_come_by_number_and_by_name() -> None:
    """The whole match is number 0; a group that took no part is empty."""
    regex = compile_regex("(?P<head>[a-z]+)-([0-9]+)?(x)?")

    assert {"0": "ab-12", "1": "ab", "2": "12", "3": "", "head": "ab"} == regex.groups("ab-12")
    assert regex.groups("12") is None


def test_what_re2_does_not_know_is_refused_with_its_reason() -> None:
    """Look-ahead takes more than linear time."""
    with pytest.raises(RegexError, match=r"'\(\?=a\)': invalid perl operator: \(\?="):
        Regex("(?=a)")


def test_a_hostile_pattern_takes_no_time() -> None:
    """Nested repetitions that a backtracking engine would try for ever."""
    assert not compile_regex("(a*)*b").matches("a" * 10_000)


def test_a_pattern_can_be_sent_to_another_process() -> None:
    """It is compiled there anew."""
    assert pickle.loads(pickle.dumps(compile_regex("a.c"))).matches("abc")
