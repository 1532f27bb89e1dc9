"""What matchers pick of a store, shared by all selectors of an engine that ask the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import METRIC, TENANT, encode_labels, fingerprint_bytes, make_labels
from schemas.samples import Int64s
from streams.rules import picks
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules
from streams.rules.picks import Pick, Picks
from streams.rules.plan import compile_expression
from streams.windows.series import SeriesStore

RULES = """
groups:
  - name: g
    interval: 10s
    rules:
      - {alert: A, expr: m > 3}
      - {alert: B, expr: sum(m) > 3}
      - {alert: C, expr: 'avg_over_time(m{pod="1"}[1m]) > 3'}
"""


def series(store: SeriesStore, pods: list[int], name: str = "m") -> Int64s:
    """Rows of series by the number of their pod."""
    codes = [encode_labels(make_labels({METRIC: name, TENANT: "t", "pod": str(p)})) for p in pods]
    return store.rows(np.array([fingerprint_bytes(code) for code in codes], np.uint64), codes)


def test_rules_that_ask_the_same_share_what_is_picked() -> None:
    """Equal matchers are looked at once for all rules of an engine, and others by themselves."""
    groups, faults = parse_rules(RULES, "rules.yml")
    engine = RuleEngine(groups, max_series=10)
    first, second, third = (rule.plan._leaves[0].pick for rule in engine._book.rules.values())
    assert ([], True, False) == (faults, first is second, first is third)


def test_a_pick_that_nobody_has_is_forgotten() -> None:
    """A plan that is dropped leaves nothing behind in the picks."""
    together = Picks()
    plan = compile_expression("m > 3", picks=together)
    assert 1 == len(together._known)
    del plan
    assert 0 == len(together._known)


@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, 9), max_size=5), st.booleans(), st.booleans()), max_size=6
    )
)
def test_two_plans_that_share_are_like_two_that_do_not(
    steps: list[tuple[set[int], bool, bool]],
) -> None:
    """Whatever comes and goes, and whoever clears the label sets: each finds what it would by itself."""
    store, together = SeriesStore(max_series=50, retention_ms=100_000), Picks()
    texts = ("m * 2", "max by (pod) (m)")
    shared = [compile_expression(text, picks=together) for text in texts]
    alone = [compile_expression(text) for text in texts]
    t_ms = 1_000_000
    for pods, retires, clears in steps:
        t_ms += 400_000 if retires else 1_000
        if pods:
            rows = np.sort(series(store, sorted(pods)))
            store.append(rows, np.full(len(rows), t_ms), rows.astype(float))
        if retires:
            store.retire(t_ms)
        if clears:
            shared[0]._leaves[0].space.clear()
        for one, other in zip(shared, alone, strict=True):
            found, expected = one.evaluate(store, t_ms), other.evaluate(store, t_ms)
            assert [other.space.labels[row] for row in expected.rows.tolist()] == [
                one.space.labels[row] for row in found.rows.tolist()
            ]
            assert expected.values.tolist() == found.values.tolist()


def test_the_route_leads_from_the_store_to_the_label_sets() -> None:
    """Rows that are picked have the row of their label set, all others none, also after some have gone."""
    store = SeriesStore(max_series=50, retention_ms=100_000)
    rows, _ = series(store, [1, 2]), series(store, [1], "other")
    matchers = compile_expression("m").selectors[0].matchers
    pick = Pick(matchers)
    pick.refresh(store)
    route = pick.route
    assert [store.labels(row) for row in np.flatnonzero(route >= 0).tolist()] == [
        pick.space.labels[at] for at in route[route >= 0].tolist()
    ]
    store.append(rows[:1], np.array([500]), np.array([1.0]))
    store.retire(100)
    pick.refresh(store)
    assert rows[:1].tolist() == np.flatnonzero(pick.route >= 0).tolist()


@pytest.mark.parametrize("search", [0, 1_000])
def test_new_series_stand_among_the_others_in_order(
    search: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether places are searched for one by one, or in a list of all: rows are in the order of their label sets."""
    monkeypatch.setattr(picks, "SEARCH", search)
    store = SeriesStore(max_series=500)
    pick = Pick(compile_expression('m{pod!="7"}').selectors[0].matchers)
    for numbers in ([30, 7, 500, 4], [31, 3, 40], [1, 1_000, 39]):
        series(store, numbers)
        pick.refresh(store)
        found = [store.labels(row) for row in pick.rows.tolist()]
        assert sorted(found) == found
        assert found == [pick.space.labels[at] for at in pick.targets.tolist()]
    assert 9 == len(found)
