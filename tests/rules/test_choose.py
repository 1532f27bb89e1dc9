"""Which members of a group are chosen, and how ties are decided."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RuleError
from schemas.labels import make_labels
from streams.rules.choose import heap_choice, prometheus_hash
from streams.rules.plan import compile_expression
from tests.rules.conftest import Evaluate, Load, evaluate_at, make_store

numbers = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, math.nan, math.inf]), max_size=12)


def first(value: float) -> tuple[bool, float]:
    """Order of `topk`: NaN last."""
    return math.isnan(value), 0.0 if math.isnan(value) else -value


@given(numbers, st.integers(0, 6))
def test_the_largest_are_chosen_whatever_the_ties(values: list[float], wanted: int) -> None:
    """The chosen values are those at the head of the sorted list; one of equal values is as good as another."""
    store = make_store({f'm{{i="{i:02}"}}': str(v) for i, v in enumerate(values)})

    found = sorted(evaluate_at(store, f"topk({wanted}, m)", 0).values(), key=first)

    assert [first(v) for v in sorted(values, key=first)[:wanted]] == [first(v) for v in found]


def test_a_heap_gives_up_the_first_of_equal_values() -> None:
    """As Go's container/heap does in Prometheus: the new element takes the place of the root."""
    assert [2, 1] == sorted(heap_choice([1.0, 1.0, 2.0], 2), reverse=True)
    assert [0, 1] == sorted(heap_choice([1.0, 1.0, 1.0], 2))


def test_bottomk_is_topk_of_the_opposite(load: Load, evaluate: Evaluate) -> None:
    """The smallest, and their own values."""
    store = load({'m{i="a"}': "3", 'm{i="b"}': "-1", 'm{i="c"}': "2"})

    assert {'m{i="b"}': -1.0, 'm{i="c"}': 2.0} == evaluate(store, "bottomk(2, m)", 0)


def test_every_tenant_has_its_own(load: Load, evaluate: Evaluate) -> None:
    """Two tenants, one element each."""
    store = load({'m{__tenant__="a",i="x"}': "1", 'm{__tenant__="b",i="y"}': "2"})

    assert {1.0, 2.0} == set(evaluate(store, "topk(1, m)", 0).values())


def test_limitk_takes_the_first_by_label_set(load: Load, evaluate: Evaluate) -> None:
    """Whatever their values."""
    store = load({'m{i="c"}': "3", 'm{i="a"}': "1", 'm{i="b"}': "2"})

    assert {'m{i="a"}': 1.0, 'm{i="b"}': 2.0} == evaluate(store, "limitk(2, m)", 0)


def test_a_share_and_its_complement_are_everything(load: Load, evaluate: Evaluate) -> None:
    """No element is in both, none in neither."""
    store = load({f'm{{i="{i}"}}': "1" for i in range(50)})

    some = evaluate(store, "limit_ratio(0.3, m)", 0)
    others = evaluate(store, "limit_ratio(-0.7, m)", 0)

    assert not some.keys() & others.keys()
    assert 50 == len(some) + len(others)
    assert 5 < len(some) < 25


def test_the_hash_is_prometheuss_without_the_tenant() -> None:
    """So a share is the same series there and here."""
    labels = make_labels({"__name__": "m", "a": "b"})

    assert prometheus_hash(labels) == prometheus_hash(
        make_labels({"__tenant__": "x", **dict(labels)})
    )
    assert prometheus_hash(labels) != prometheus_hash(make_labels({"a": "b"}))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("topk(NaN, m)", "Parameter value is NaN"),
        ("topk(1e30, m)", "overflows int64"),
        ("limit_ratio(NaN, m)", "Ratio value is NaN"),
    ],
)
def test_wrong_numbers_are_errors_even_without_series(expression: str, said: str) -> None:
    """As in Prometheus, which looks at the number first."""
    with pytest.raises(RuleError, match=said):
        compile_expression(expression).evaluate(make_store({}), 0)
