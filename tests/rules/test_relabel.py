"""New label sets from old ones."""

import pytest

from schemas.errors import RuleError
from streams.rules.relabel import expand
from tests.rules.conftest import Evaluate, Load

GROUPS = {"0": "ab", "1": "a", "2": "b", "word": "w"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$1-$2", "a-b"),
        ("${1}x", "ax"),
        ("$1x", ""),
        ("$word!", "w!"),
        ("$$1", "$1"),
        ("$", "$"),
        ("${1", "${1"),
        ("$9", ""),
        ("$0", "ab"),
        ("$01", ""),
    ],
)
def test_templates_are_filled_in_as_in_go(template: str, expected: str) -> None:
    """The longest name counts, an unknown one is empty, two dollars are one."""
    assert expected == expand(template, GROUPS)


def test_only_what_matches_gets_the_new_value(load: Load, evaluate: Evaluate) -> None:
    """The whole value must match; a missing label is an empty one."""
    store = load({'m{i="a-1"}': "1", 'm{i="b"}': "2"})

    assert {'m{i="a-1",n="1"}': 1.0, 'm{i="b"}': 2.0} == evaluate(
        store, 'label_replace(m, "n", "$1", "i", ".*-([0-9])")', 0
    )
    assert {'m{i="a-1",n="x"}', 'm{i="b",n="x"}'} == set(
        evaluate(store, 'label_replace(m, "n", "x", "missing", "")', 0)
    )


def test_labels_are_joined_in_the_order_given(load: Load, evaluate: Evaluate) -> None:
    """An empty result takes the label away."""
    store = load({'m{a="1",b="2"}': "1"})

    assert ['m{a="1",b="2",c="2-1-"}'] == list(
        evaluate(store, 'label_join(m, "c", "-", "b", "a", "missing")', 0)
    )
    assert ['m{b="2"}'] == list(evaluate(store, 'label_join(m, "a", "", "missing")', 0))


def test_two_series_under_one_label_set_are_an_error(load: Load, evaluate: Evaluate) -> None:
    """In Prometheus's words."""
    store = load({'m{i="a"}': "1", 'm{i="b"}': "2"})

    with pytest.raises(RuleError, match="vector cannot contain metrics with the same labelset"):
        evaluate(store, 'label_replace(m, "i", "same", "", "")', 0)
