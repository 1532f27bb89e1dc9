"""The layout of the call graph."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from streams.demo.report.layers import BOX_HEIGHT, BOX_WIDTH, Layout, layout
from streams.produce.shop.graph import EDGES, NAMES

SMALL = st.text("abcdefgh", min_size=1, max_size=1)
GRAPHS = st.dictionaries(SMALL, st.lists(SMALL, max_size=4).map(tuple), max_size=8)


def overlapping(found: Layout) -> list[tuple[str, str]]:
    return [
        (a.name, b.name)
        for a in found.boxes
        for b in found.boxes
        if a.name < b.name and abs(a.x - b.x) < BOX_WIDTH and abs(a.y - b.y) < BOX_HEIGHT
    ]


def test_callers_stand_left_of_callees() -> None:
    """In the shop every call goes from left to right."""
    found = layout(EDGES)
    x = {box.name: box.x for box in found.boxes}

    assert set(NAMES) == set(x)
    assert [] == [(e.caller, e.callee) for e in found.edges if x[e.caller] >= x[e.callee]]
    assert sum(map(len, EDGES.values())) == len(found.edges)


def test_what_is_not_called_stands_below() -> None:
    """Hosts named by incidents are put below the graph, those in it are not repeated."""
    found = layout(EDGES, ["host-1", "frontend"])
    lowest = max(box.y for box in found.boxes if box.called)
    (host,) = (box for box in found.boxes if not box.called)

    assert "host-1" == host.name
    assert host.y > lowest + BOX_HEIGHT


@given(edges=GRAPHS, others=st.lists(SMALL | st.just("host")))
def test_any_graph_can_be_drawn(edges: Mapping[str, tuple[str, ...]], others: list[str]) -> None:
    """With circles, calls to oneself and doubled calls too, each entity is drawn once, inside, and apart."""
    found = layout(edges, others)
    names = [box.name for box in found.boxes]
    known = {*edges, *others, *(callee for callees in edges.values() for callee in callees)}

    assert sorted(known) == sorted(names)
    assert [] == overlapping(found)
    assert all(0 <= b.x <= found.width - BOX_WIDTH for b in found.boxes)
    assert all(0 <= b.y <= found.height - BOX_HEIGHT for b in found.boxes)
    calls = {(caller, callee) for caller, callees in edges.items() for callee in callees}
    assert calls == {(edge.caller, edge.callee) for edge in found.edges}


def test_a_long_chain_is_no_trouble() -> None:
    """A chain of calls longer than Python's stack is laid out."""
    chain = {f"s{n}": (f"s{n + 1}",) for n in range(3_000)}

    assert 3_001 == len(layout(chain).boxes)
