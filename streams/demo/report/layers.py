"""Layers: the call graph from left to right, callers before callees, with few crossings.

The method is Sugiyama's (Sugiyama, Tagawa, Toda, 1981): layer by the longest path from a root, break long
edges with invisible stops so that lines keep clear of boxes, and order each layer by the mean place of its
neighbours, sweeping to and fro. A call that would close a circle is drawn, but counts for no layer.
Refuses chance: the same edges give the same picture.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

BOX_WIDTH, BOX_HEIGHT = 136, 36
COLUMN, ROW = 200, 56
MARGIN = 14
SWEEPS = 8

Stop = tuple[str, str, int]
Place = str | Stop
"""An entity, or a stop of the edge (caller, callee) in a layer."""


@dataclass(frozen=True)
class Box:
    """An entity, drawn with its top left corner at (x, y); `called` when the call graph knows it."""

    name: str
    x: float
    y: float
    called: bool


@dataclass(frozen=True)
class Edge:
    """A call, as an SVG path."""

    caller: str
    callee: str
    path: str


@dataclass(frozen=True)
class Layout:
    """The whole picture; `rest_y` is where the entities begin that nobody calls, None without any."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    rest_y: float | None


def layout(edges: Mapping[str, tuple[str, ...]], others: Iterable[str] = ()) -> Layout:
    """Lay out a call graph, and below it the `others` that are not in it, such as hosts."""
    depth, forward = _depths(edges)
    layers = _ordered(*_stopped(depth, forward))
    tallest = max(map(len, layers), default=0)
    places: dict[Place, tuple[float, float]] = {}
    for column, layer in enumerate(layers):
        # the air between boxes grows until the layer is as tall as the tallest
        step = ROW * tallest / max(len(layer), 1)
        for row, place in enumerate(layer):
            middle = MARGIN + step * (row + 0.5)
            places[place] = (MARGIN + column * COLUMN, middle)
    width = 2 * MARGIN + max(len(layers) - 1, 0) * COLUMN + BOX_WIDTH
    height = 2 * MARGIN + tallest * ROW
    boxes = [
        Box(place, x, y - BOX_HEIGHT / 2, called=True)
        for place, (x, y) in places.items()
        if isinstance(place, str)
    ]
    rest = sorted(set(others) - set(depth))
    columns = max(len(layers), 3)
    for row, name in enumerate(rest):
        x = MARGIN + row % columns * COLUMN
        boxes.append(Box(name, x, height + ROW * (row // columns) + 24, called=False))
    if not rest:
        return Layout(width, height, tuple(boxes), _drawn(edges, depth, places), None)
    return Layout(
        max(width, 2 * MARGIN + (min(columns, len(rest)) - 1) * COLUMN + BOX_WIDTH),
        height + 24 + ROW * -(-len(rest) // columns),
        tuple(boxes),
        _drawn(edges, depth, places),
        height,
    )


def _depths(
    edges: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Layer of each entity, and the edges without those that close a circle."""
    names = list(
        dict.fromkeys([*edges, *(callee for callees in edges.values() for callee in callees)])
    )
    called = {callee for callees in edges.values() for callee in callees}
    closed: list[str] = []
    forward: list[tuple[str, str]] = []
    seen: set[str] = set()
    for root in [*(n for n in names if n not in called), *names]:
        if root in seen:
            continue
        seen.add(root)
        # depth first without recursion: a chain of calls may be longer than Python's stack
        path = {root: iter(dict.fromkeys(edges.get(root, ())))}
        while path:
            caller = next(reversed(path))
            callee = next(path[caller], None)
            if callee is None:
                del path[caller]
                closed.append(caller)
            elif callee not in path:
                forward.append((caller, callee))
                if callee not in seen:
                    seen.add(callee)
                    path[callee] = iter(dict.fromkeys(edges.get(callee, ())))
    callees: dict[str, list[str]] = {}
    for caller, callee in forward:
        callees.setdefault(caller, []).append(callee)
    depth = dict.fromkeys(names, 0)
    for caller in reversed(closed):
        for callee in callees.get(caller, ()):
            depth[callee] = max(depth[callee], depth[caller] + 1)
    return depth, forward


def _stops(caller: str, callee: str, depth: Mapping[str, int]) -> list[Place]:
    """The way of an edge from box to box, through a stop in each layer between."""
    between = range(depth[caller] + 1, depth[callee])
    return [caller, *((caller, callee, layer) for layer in between), callee]


def _stopped(
    depth: Mapping[str, int], forward: Iterable[tuple[str, str]]
) -> tuple[list[list[Place]], dict[Place, list[Place]]]:
    """The layers with their stops, and each place's neighbours one layer away."""
    layers: list[list[Place]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, layer in depth.items():
        layers[layer].append(name)
    near: dict[Place, list[Place]] = {}
    for caller, callee in forward:
        way = _stops(caller, callee, depth)
        for at, stop in enumerate(way[1:-1], start=depth[caller] + 1):
            layers[at].append(stop)
        for left, right in pairwise(way):
            near.setdefault(left, []).append(right)
            near.setdefault(right, []).append(left)
    return layers, near


def _ordered(layers: list[list[Place]], near: Mapping[Place, list[Place]]) -> list[list[Place]]:
    """Order each layer by the mean place of the neighbours in the layer before, then after, and so on."""
    for sweep in range(SWEEPS):
        order = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for at in order:
            fixed = layers[at - 1 if sweep % 2 == 0 else at + 1]
            place = {name: (row + 0.5) / len(fixed) for row, name in enumerate(fixed)}
            own = {name: (row + 0.5) / len(layers[at]) for row, name in enumerate(layers[at])}

            def mean(
                name: Place, place: Mapping[Place, float] = place, own: Mapping[Place, float] = own
            ) -> float:
                there = [place[n] for n in near.get(name, ()) if n in place]
                return sum(there) / len(there) if there else own[name]

            layers[at].sort(key=mean)
    return layers


def _drawn(
    edges: Mapping[str, tuple[str, ...]],
    depth: Mapping[str, int],
    places: Mapping[Place, tuple[float, float]],
) -> tuple[Edge, ...]:
    return tuple(
        Edge(caller, callee, _path([places[p] for p in _stops(caller, callee, depth)]))
        for caller, callees in edges.items()
        for callee in dict.fromkeys(callees)
    )


def _path(way: list[tuple[float, float]]) -> str:
    """A smooth line from the right of the first box to the left of the last, level at each stop."""
    x, y = way[0][0] + BOX_WIDTH, way[0][1]
    path = f"M{x:g},{y:g}"
    for stop, (left, to_y) in enumerate(way[1:], start=1):
        half = (left - x) / 2
        path += f"C{x + half:g},{y:g} {left - half:g},{to_y:g} {left:g},{to_y:g}"
        x, y = left, to_y
        if stop < len(way) - 1:
            x += BOX_WIDTH
            path += f"H{x:g}"
    return path
