"""Absence."""

import pytest

from tests.rules.conftest import Evaluate, Load

CASES = {
    'absent(m{a="b"})': {'{a="b"}': 1.0},
    'absent((m{a="b"}))': {'{a="b"}': 1.0},
    'absent(m{a="b",c=~"d"})': {'{a="b"}': 1.0},
    'absent(m{a="b",a="c"})': {"": 1.0},
    'absent(sum(m{a="b"}))': {"": 1.0},
    'absent_over_time(m{a="b"}[1m])': {'{a="b"}': 1.0},
    "absent(n)": {},
    "absent(n > 5)": {"": 1.0},
    "absent_over_time(n[1m])": {},
}


@pytest.mark.parametrize("expression", CASES)
def test_absence_has_the_labels_that_are_known(
    load: Load, evaluate: Evaluate, expression: str
) -> None:
    """Equality matchers of a selector become labels, nothing else does."""
    assert CASES[expression] == evaluate(load({"n": "1"}), expression, 0)


def test_everything_is_absent_from_an_empty_store(load: Load, evaluate: Evaluate) -> None:
    """Without any series there is still an answer."""
    assert {"": 1.0} == evaluate(load({}), "absent(up)", 0)


def test_each_tenant_misses_for_itself(load: Load, evaluate: Evaluate) -> None:
    """A tenant is told what it lacks, even where another has it; a matcher may name tenants."""
    store = load({'m{__tenant__="x"}': "1", 'n{__tenant__="y"}': "1"})

    assert {'{__tenant__="y"}': 1.0} == evaluate(store, "absent(m)", 0)
    assert {'{__tenant__="x"}': 1.0, '{__tenant__="y"}': 1.0} == evaluate(store, "absent(o)", 0)
    assert {'{__tenant__="y"}': 1.0} == evaluate(store, 'absent(o{__tenant__="y"})', 0)
