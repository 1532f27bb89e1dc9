"""Explain: which single fault would explain what is abnormal."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.correlate.topology import Topology
from streams.rank.explain import dependents, explain, shares
from tests.rank.shop import CALLS, NODES


def test_dependents_are_counted_in_calls() -> None:
    """The frontend depends on the database over two calls."""
    assert {"checkout": 1, "cart": 1, "frontend": 2} == dependents("db", CALLS)


def test_a_circle_ends() -> None:
    """Services that call each other depend on each other, and not on themselves."""
    assert {"a": 1} == dependents("b", Topology({"a": ["b"], "b": ["a"]}))


def test_a_silent_callee_of_all_that_wait_is_found() -> None:
    """Where all callers of a node wait and nothing else shows, it is the likeliest cause."""
    waits = {"cart": 3.0, "checkout": 3.0, "frontend": 3.0, "db": 0.0}
    scores = explain(waits, dict.fromkeys(NODES, 0.0), CALLS, NODES)

    assert "db" == max(scores, key=lambda n: scores[n])


def test_of_two_abnormal_callees_the_one_with_abnormal_callers_wins() -> None:
    """A leaf that is called by the symptom only explains less than one with a second abnormal caller."""
    graph = Topology({"site": ["balancer", "search"], "list": ["search"]})
    evidence = {"site": 2.0, "list": 2.0, "balancer": 2.5, "search": 2.5}
    scores = explain(evidence, evidence, graph, sorted(evidence))

    assert scores["search"] > scores["balancer"]


def test_the_formula() -> None:
    """One caller at one call: half of the certainty arrives."""
    graph = Topology({"a": ["b"]})
    scores = explain({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}, graph, ["a", "b"])
    of_a, of_b = math.log(0.5) + 1.0, math.log(0.5) + 2.0 + math.log(0.5 + 0.25 * math.e)

    assert pytest.approx(of_a - of_b) == scores["a"]
    assert 0.0 == scores["b"]


@given(st.dictionaries(st.sampled_from(NODES), st.floats(0, 20), min_size=1))
def test_shares_sum_to_one(evidence: dict[str, float]) -> None:
    """Plausibilities become shares of 1."""
    found = shares(explain(evidence, evidence, CALLS, NODES))

    assert pytest.approx(1.0) == sum(found.values())


@given(st.dictionaries(st.sampled_from(NODES), st.floats(0, 20), min_size=4), st.floats(0.1, 5))
def test_more_evidence_of_a_node_never_harms_it(evidence: dict[str, float], more: float) -> None:
    """A node gains on every other one when its own evidence grows."""
    raised = evidence | {"db": evidence["db"] + more}
    before, after = (explain(e, e, CALLS, NODES) for e in (evidence, raised))

    assert all(after["db"] - after[n] >= before["db"] - before[n] - 1e-9 for n in NODES)
