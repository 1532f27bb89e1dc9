"""Ranking: the true cause first, shares that sum, reasons with numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.correlate.topology import Topology
from streams.rank import Column, Table, rank
from tests.rank.shop import BEGUN, CALLS, CPU, LATENCY, MINUTE, NODES, shop

AT = BEGUN * MINUTE
SLOW_DB = tuple((node, LATENCY, BEGUN, 1.0) for node in NODES)
WAIT = "client latency"


@pytest.mark.parametrize("symptom", [None, "frontend", Column("frontend", LATENCY)])
def test_what_everything_waits_for_is_first(symptom: Column | str | None) -> None:
    """A slow database makes all its callers slow, and is named first with and without a symptom."""
    assert "db" == rank(shop(*SLOW_DB), AT, CALLS, symptom)[0].entity


def test_without_a_graph_the_largest_deviation_leads() -> None:
    """Without a graph there is no part for it, and the node that deviates most comes first."""
    causes = rank(shop(("cart", LATENCY, BEGUN, 3.0), ("frontend", LATENCY, BEGUN + 1, 0.6)), AT)

    assert "cart" == causes[0].entity
    assert ["deviation", "onset", "correlation"] == [e.kind for e in causes[0].evidence]


def test_waiting_for_a_callee_is_no_fault_of_ones_own() -> None:
    """Two callers that wait for what they call, and nothing else abnormal: what both call is first."""
    waiting = shop(*((n, WAIT, BEGUN, 1.0) for n in ("cart", "checkout")), metrics=(CPU, WAIT))

    assert "db" == rank(waiting, AT, CALLS)[0].entity


def test_a_node_without_metrics_can_be_the_cause() -> None:
    """A node of the graph that nothing measures is named where all its callers are abnormal."""
    table = shop(("cart", WAIT, BEGUN, 1.0), ("checkout", WAIT, BEGUN, 1.0), metrics=(CPU, WAIT))
    kept = [n for n, column in enumerate(table.columns) if column.node != "db"]
    blind = Table(table.times, table.values[:, kept], tuple(table.columns[n] for n in kept))

    first = rank(blind, AT, CALLS)[0]

    assert "db" == first.entity
    assert "no metrics of its own" == first.evidence[1].text


def test_reasons_say_how_much_and_when() -> None:
    """Each part of the share stands with a sentence and its numbers."""
    causes = rank(shop(("db", CPU, BEGUN, 1.0), *SLOW_DB[:2]), AT, CALLS, "frontend")
    texts = {e.kind: e.text for e in next(c for c in causes if c.entity == "db").evidence}

    assert "cpu" in texts["deviation"]
    assert "x its usual spread above its usual" in texts["deviation"]
    assert "abnormal from 1970-01-01T03:00:00.000Z" in texts["onset"]
    assert texts["correlation"].startswith("correlates ")


def test_nothing_abnormal_has_no_graph_part() -> None:
    """Where nothing is abnormal the graph says nothing."""
    table = Table(MINUTE * np.arange(60), np.ones((60, 2)), (Column("a", "x"), Column("b", "x")))

    assert () == rank(table, 59 * MINUTE, Topology({"a": ["b"]}))


def test_an_unknown_symptom_is_refused() -> None:
    """A symptom that is not in the table is an error, not a guess."""
    with pytest.raises(ValueError, match="no column of mars"):
        rank(shop(), AT, None, "mars")


def test_a_table_of_one_row_has_no_cause() -> None:
    """One row has no usual."""
    assert () == rank(shop().until(0), AT)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NODES),
            st.sampled_from([LATENCY, CPU]),
            st.integers(BEGUN - 2, BEGUN + 2),
            st.floats(-5, 5),
        ),
        max_size=5,
    ),
    st.booleans(),
    st.sampled_from([None, *NODES]),
)
def test_shares_sum_to_one_and_so_does_the_evidence(
    added: list[tuple[str, str, int, float]], graph: bool, symptom: str | None
) -> None:
    """Shares of causes sum to 1, those of the evidence to their cause's, and causes are in order."""
    causes = rank(shop(*added), AT, CALLS if graph else None, symptom)

    assert pytest.approx(1.0, abs=1e-4) == sum(c.share for c in causes)
    assert all(abs(c.share - sum(e.share for e in c.evidence)) < 1e-5 for c in causes)
    assert sorted(causes, key=lambda c: (-c.share, c.entity)) == list(causes)


@given(st.permutations(range(8)))
def test_the_order_of_columns_does_not_matter(order: list[int]) -> None:
    """The same table with its columns in another order has the same causes with the same shares."""
    table = shop(*SLOW_DB)
    other = Table(table.times, table.values[:, order], tuple(table.columns[n] for n in order))

    assert rank(table, AT, CALLS) == rank(other, AT, CALLS)
