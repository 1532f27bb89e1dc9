"""Graphs: declared and learnt edges, of one tenant, for a day."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import TopologyConfig
from schemas.edges import Edge, edge_id
from streams.correlate import graphs
from streams.correlate.graphs import KEPT_MS, Graphs, LearntEdge

T0 = 1_700_000_000_000
DECLARED = TopologyConfig(calls={"web": ("cart",)})


def edge(caller: str, callee: str, time: int = T0, tenant: str = "acme") -> Edge:
    """An edge that was told of."""
    identity = edge_id(tenant, caller, callee, time)
    return Edge(id=identity, tenant=tenant, caller=caller, callee=callee, time=time)


def made(*edges: Edge, config: TopologyConfig = DECLARED) -> Graphs:
    """Graphs that have learnt these edges."""
    found = Graphs(config)
    for each in edges:
        found.learn(each)
    return found


def test_declared_and_learnt_are_one_graph() -> None:
    """Both kinds of edges are asked together."""
    assert ("cart", "pay") == made(edge("web", "pay")).of("acme", T0).callees("web")


def test_a_tenant_has_its_own_edges() -> None:
    """What was learnt of one tenant is not in another's graph."""
    assert ("cart",) == made(edge("web", "pay")).of("globex", T0).callees("web")


@pytest.mark.parametrize(("later", "expected"), [(KEPT_MS, ("pay",)), (KEPT_MS + 1, ())])
def test_an_edge_lasts_a_day(later: int, expected: tuple[str, ...]) -> None:
    """An edge of which nothing was heard for longer is gone; asking early or late changes nothing."""
    found = made(edge("cart", "pay"))
    found.of("acme", T0 + 10 * KEPT_MS)

    assert expected == found.of("acme", T0 + later).callees("cart")


def test_learning_can_be_turned_off() -> None:
    """With `learn: false` only the declared graph counts."""
    config = TopologyConfig(calls={"web": ("cart",)}, learn=False)

    assert () == made(edge("cart", "pay"), config=config).of("acme", T0).callees("cart")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a tenant nor all together keep more edges than there are places; the oldest go."""
    monkeypatch.setattr(graphs, "TENANT_EDGES_MAX", 10)
    monkeypatch.setattr(graphs, "EDGES_MAX", 25)
    found = Graphs(DECLARED)
    for number in range(200):
        found.learn(edge("a", f"b{number}", T0 + number, tenant=f"t{number % 5}"))
    state = found.snapshot()

    assert 25 == len(state)
    assert "b199" in {kept.callee for kept in state}


EDGES = st.builds(
    edge,
    st.sampled_from("abc"),
    st.sampled_from("abc"),
    st.integers(T0, T0 + 2 * KEPT_MS),
    st.sampled_from(("acme", "globex")),
)


@given(st.lists(EDGES, max_size=20), st.integers(T0, T0 + 3 * KEPT_MS))
def test_a_restored_one_answers_alike(edges: list[Edge], at: int) -> None:
    """After a snapshot and a restore each tenant's graph is the same at any time."""
    found, restored = made(*edges), Graphs(DECLARED)
    blob = msgspec.json.encode(found.snapshot())
    restored.restore(msgspec.json.decode(blob, type=list[LearntEdge]))

    for tenant in ("acme", "globex"):
        for name in "abc":
            ours, theirs = (g.of(tenant, at).near(name) for g in (found, restored))
            assert ours == theirs


@given(st.lists(EDGES, max_size=20))
def test_telling_twice_changes_nothing(edges: list[Edge]) -> None:
    """What a restarted worker tells again is known."""
    assert made(*edges).snapshot() == made(*(e for e in edges for _ in range(2))).snapshot()
