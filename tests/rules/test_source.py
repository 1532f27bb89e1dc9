"""Places within texts of a rule file, in every way that YAML has of writing them."""

import pytest

from schemas.config.document import parse_yaml
from streams.rules.source import Source

MARK = "@"


@pytest.mark.parametrize(
    "written",
    [
        "expr: sum(a) + @rate(b)",
        'expr: "sum(a) + @rate(b)"',
        "expr: 'sum(a) + @rate(b)'",
        "expr: |\n  sum(a)\n    + @rate(b)\n",
        "expr: >-\n  sum(a) +\n\n  @rate(b)\n",
        "expr: sum(a) +\n  @rate(b)",
        'expr: "sum(a{x=\\"1\\"}) +\\n\\\n   @rate(b)"',
        "expr: 'sum(a{x=''1''}) + @rate(b)'",
        "expr: |-\n\n    # why\n    sum(a) +\n    @rate(b)",
        "expr: 'ä + @rate(b)'",
    ],
)
def test_a_word_is_found_again(written: str) -> None:
    """The place in the value leads to the place in the file."""
    text = written.replace(MARK, "")
    value = str(parse_yaml(text, "f")["expr"])
    at = value.index("rate")
    line, column = value.count("\n", 0, at) + 1, at - value.rfind("\n", 0, at)
    before = written[: written.index(MARK)]
    expected = (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)

    assert expected == Source(text, parse_yaml(text, "f")).find(("expr",), value, line, column)


def test_what_cannot_be_followed_is_not_found() -> None:
    """An anchor's use stands elsewhere, and a key that is not there nowhere."""
    text = "a: &x up == 0\nb: *x\n"
    source = Source(text, parse_yaml(text, "f"))

    assert source.find(("b",), "up == 0", 1, 4) is None
    assert source.find(("c",), "up == 0", 1, 4) is None
    assert source.find(("a", 3, "d"), "up == 0", 1, 4) is None
