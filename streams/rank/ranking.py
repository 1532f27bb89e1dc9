"""Ranking: the nodes of a table by how likely each is the cause of an incident, each share with its reasons.

Four parts, each a distribution over the nodes: where the blame is by the call graph (`blame` with a symptom, `explain`
without), the size of the deviation, the order of onset, and the lagged correlation with the symptom. The graph leads;
onset and correlation order what the others leave alike, since at one row a minute most onsets fall together. Without
a graph the deviation leads. The evidence's shares sum to the share of their cause, and the causes' shares to 1.
"""

from collections.abc import Mapping

from schemas.incidents import Cause
from streams.correlate.lag import lagged_correlation
from streams.correlate.topology import Topology
from streams.rank.blame import Scene, Walk
from streams.rank.case import Case
from streams.rank.deviation import LATE, RECENT, Deviations, deviate
from streams.rank.explain import OUTGOING, explain, shares
from streams.rank.finding import Finding, findings
from streams.rank.reasons import reasons
from streams.rank.table import Column, Table

WITH_GRAPH = {"graph": 0.8, "deviation": 0.1, "onset": 0.05, "correlation": 0.05}
WITHOUT_GRAPH = {"deviation": 0.8, "onset": 0.1, "correlation": 0.1}
ROWS_MIN = 2


def rank(
    table: Table, at: int, graph: Topology | None = None, symptom: Column | str | None = None
) -> tuple[Cause, ...]:
    """The nodes of a table, and of the graph, the likeliest cause first.

    `at` is the time of the alarm, ms; rows after it are used too, so cut the table at what is to count as now. A
    symptom without its metric takes the one that is most abnormal on that node. No cause without two rows, and none
    where nothing at all deviates.

    Raises:
        ValueError: the symptom is not in the table.

    """
    seen = _column(table, symptom)
    if len(table.times) < ROWS_MIN or not table.columns:
        return ()
    case = _case(table, at, graph, seen)
    parts = _parts(case)
    weights = WITHOUT_GRAPH if graph is None else WITH_GRAPH
    whole = sum(w for kind, w in weights.items() if parts[kind])
    names = sorted({name for part in parts.values() for name in part})
    split = {
        name: {
            kind: _tidy(w / whole * parts[kind].get(name, 0.0))
            for kind, w in weights.items()
            if parts[kind]
        }
        for name in names
    }
    totals = {name: _tidy(sum(split[name].values())) for name in names}
    return tuple(
        Cause(entity=name, share=totals[name], evidence=reasons(name, split[name], case))
        for name in sorted(names, key=lambda n: (-totals[n], n))
    )


def _column(table: Table, symptom: Column | str | None) -> Column | str | None:
    if isinstance(symptom, Column) and symptom not in table.columns:
        raise ValueError(f"no column {symptom.node}|{symptom.metric} in the table")
    if isinstance(symptom, str) and symptom not in table.nodes:
        raise ValueError(f"no column of {symptom} in the table")
    return symptom


def _case(table: Table, at: int, graph: Topology | None, symptom: Column | str | None) -> Case:
    found = deviate(table, at)
    if isinstance(symptom, str):
        own = [n for n, column in enumerate(table.columns) if column.node == symptom]
        symptom = table.columns[max(own, key=lambda n: (found.peak[n], -n))]
    nodes = findings(table, found, symptom)
    abnormal = {n: f for n, f in nodes.items() if f.onset is not None}
    followed = symptom
    if followed is None and abnormal:
        strongest = max(abnormal.values(), key=lambda f: (f.evidence, -f.best))
        followed = table.columns[strongest.best]
    correlations = {}
    if followed is not None:
        values = table.values[max(0, found.first - RECENT) :]
        later = values[:, table.columns.index(followed)]
        correlations = {
            n: lagged_correlation(values[:, f.best], later, LATE) for n, f in abnormal.items()
        }
    walk = None if graph is None or symptom is None else _walk(nodes, graph, symptom.node)
    return Case(table, found, nodes, graph, symptom, followed, correlations, walk)


def _parts(case: Case) -> dict[str, dict[str, float]]:
    """Shares by kind and node; a kind that says nothing is empty."""
    if case.walk is not None:
        graph = _shared(case.walk.rest)
    else:
        graph = {} if case.graph is None else _explained(case, case.graph)
    return {
        "graph": graph if case.abnormal else {},
        "deviation": _shared({n: f.evidence for n, f in case.nodes.items()}),
        "onset": _shared(_earliness(case)),
        "correlation": _shared({n: strength for n, (strength, _) in case.correlations.items()}),
    }


def _shared(weights: Mapping[str, float]) -> dict[str, float]:
    whole = sum(weights.values())
    return {n: w / whole for n, w in weights.items()} if whole > 0 else {}


def _earliness(case: Case) -> dict[str, float]:
    """1 for the first that became abnormal, half of it for each usual step later."""
    begun = {n: case.time(f.onset) for n, f in case.nodes.items() if f.onset is not None}
    first = min(begun.values(), default=0)
    return {n: 2.0 ** ((first - time) / max(case.table.step, 1)) for n, time in begun.items()}


def _walk(nodes: Mapping[str, Finding], graph: Topology, symptom: str) -> Walk:
    shown = {n: f for n, f in nodes.items() if f.rise is not None}
    scene = Scene(
        graph,
        rise={n: f.rise or 0.0 for n, f in shown.items()},
        deviation={n: f.same or 0.0 for n, f in shown.items()},
        worst={n: f.deviation for n, f in nodes.items()},
        evidence={n: f.evidence for n, f in nodes.items()},
    )
    walk = Walk(scene)
    walk.go(symptom, 1.0)
    return walk


def _explained(case: Case, graph: Topology) -> dict[str, float]:
    evidence = {n: f.evidence for n, f in case.nodes.items()}
    own = _own(case.table, case.found, evidence, graph)
    return shares(explain(evidence, own, graph, sorted({*case.nodes, *graph.entities})))


def _own(
    table: Table, found: Deviations, evidence: Mapping[str, float], graph: Topology
) -> dict[str, float]:
    """Evidence of each node without what it measures of its outgoing calls, if it is known to make any."""
    own = {n: 0.0 if graph.callees(n) else e for n, e in evidence.items()}
    for number, column in enumerate(table.columns):
        if column.node in own and OUTGOING not in column.metric.lower():
            own[column.node] = max(own[column.node], float(found.evidence[number]))
    return own


def _tidy(share: float) -> float:
    """Six digits, so that a share has the same bytes on machines whose logarithms differ in the last bit."""
    return round(share, 6)
