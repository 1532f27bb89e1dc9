"""Blame: where a symptom's blame comes to rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.correlate.topology import Topology
from streams.rank.blame import Scene, Walk
from tests.rank.shop import CALLS, NODES


def walk(rise: dict[str, float], graph: Topology = CALLS, **other: float) -> Walk:
    """Walk from the frontend; whatever rises is abnormal, `other` is evidence in other metrics."""
    far = {n: 10.0 if r > 0 else 0.0 for n, r in rise.items()}
    evidence = {n: 2.0 if r > 0 else 0.1 for n, r in rise.items()} | other
    found = Walk(Scene(graph, rise, far, far | dict.fromkeys(other, 10.0), evidence))
    found.go("frontend", 1.0)
    return found


def test_what_a_callee_covers_goes_down() -> None:
    """A callee that rises as much as its caller takes all of its blame."""
    rest = walk({"frontend": 1.0, "cart": 1.0, "db": 1.0}).rest

    assert pytest.approx(1.0) == rest["db"]


def test_what_no_callee_covers_stays() -> None:
    """A callee that rises a quarter as much leaves three quarters."""
    found = walk({"frontend": 1.0, "cart": 0.25})

    assert pytest.approx(0.75) == found.rest["frontend"]
    assert {"cart": 0.25} == found.covers["frontend"]


def test_a_callee_without_the_metric_is_looked_through() -> None:
    """Blame passes a node that does not have the symptom's metric."""
    graph = Topology({"frontend": ["proxy"], "proxy": ["db"]})

    assert pytest.approx(1.0) == walk({"frontend": 1.0, "db": 2.0}, graph).rest["db"]


def test_more_evidence_below_in_another_metric_takes_a_share() -> None:
    """A full processor below takes part of what nothing covers, by evidence."""
    rest = walk({"frontend": 1.0}, db=6.0).rest

    assert pytest.approx(0.75) == rest["db"]


@given(st.dictionaries(st.sampled_from(NODES), st.floats(0, 10)))
def test_no_blame_is_lost(rise: dict[str, float]) -> None:
    """All the blame comes to rest somewhere."""
    assert pytest.approx(1.0) == sum(walk(rise).rest.values())


@given(st.lists(st.tuples(st.sampled_from("abcdf"), st.sampled_from("abcdf")), max_size=20))
def test_circles_end(edges: list[tuple[str, str]]) -> None:
    """Any graph ends, and no blame is lost."""
    calls: dict[str, list[str]] = {"frontend": ["a"]}
    for caller, callee in edges:
        calls.setdefault(caller, []).append(callee)
    rise = dict.fromkeys("abcdf", 1.0) | {"frontend": 1.0}

    assert pytest.approx(1.0) == sum(walk(rise, Topology(calls)).rest.values())
