"""Reasons: the parts of a cause's share, each in one sentence with its numbers."""

from collections.abc import Mapping

from schemas.incidents import Evidence
from schemas.records import rfc3339
from streams.rank.case import Case
from streams.rank.deviation import ABNORMAL
from streams.rank.explain import dependents

NAMES_MAX = 3


def reasons(node: str, parts: Mapping[str, float], case: Case) -> tuple[Evidence, ...]:
    """What speaks for a node; `parts` are the shares by kind."""
    texts = {
        "graph": _graph,
        "deviation": _deviation,
        "onset": _onset,
        "correlation": _correlation,
    }
    return tuple(
        Evidence(kind=kind, share=share, text=texts[kind](node, case))
        for kind, share in parts.items()
    )


def _graph(node: str, case: Case) -> str:
    graph = case.graph
    if graph is None or node not in graph.entities:
        return "not in the call graph"
    if case.walk is None:
        return _explains(node, case)
    if node not in case.nodes:
        return "no metrics of its own; it lies on the way from the symptom"
    covers = case.walk.covers.get(node)
    if covers:
        most = sorted(covers.items(), key=lambda pair: (-pair[1], pair[0]))[:NAMES_MAX]
        return "its dependencies account for " + ", ".join(f"{c:.0%} ({n})" for n, c in most)
    if covers is not None:
        return (
            "none of its dependencies is abnormal"
            if graph.callees(node)
            else "it has no known dependencies"
        )
    if case.walk.rest.get(node):
        return "the symptom depends on it, and it is abnormal in metrics of its own"
    return "not on an abnormal path from the symptom"


def _explains(node: str, case: Case) -> str:
    """Which of the abnormal nodes a fault at this one would explain."""
    abnormal = case.abnormal
    if case.graph is None or not abnormal:
        return "nothing is abnormal"
    reached = {node, *dependents(node, case.graph)}
    would = [n for n in abnormal if n in reached]
    other = [n for n in abnormal if n not in reached]
    silent = "" if node in abnormal else ", itself silent"
    text = f"would explain {len(would)} of {len(abnormal)} abnormal nodes{silent}"
    if would:
        text += f": {_names(would)}"
    return f"{text}; not {_names(other)}" if other else text


def _deviation(node: str, case: Case) -> str:
    finding = case.nodes.get(node)
    if finding is None:
        return "no metrics of its own"
    if finding.onset is None:
        return f"no metric beyond {ABNORMAL} x its usual spread"
    best, found = finding.best, case.found
    side = "above" if found.peak_up[best] >= found.peak_down[best] else "below"
    metric = case.table.columns[best].metric or "it"
    text = (
        f"{metric} {finding.deviation:.3g} x its usual spread {side} "
        f"its usual {found.median[best]:.4g}"
    )
    if finding.also:
        more = (f"{case.table.columns[n].metric} {z:.3g} x" for n, z in finding.also[:NAMES_MAX])
        text += ", also " + ", ".join(more)
    return text


def _onset(node: str, case: Case) -> str:
    finding = case.nodes.get(node)
    if finding is None or finding.onset is None:
        return "did not become abnormal"
    begun = case.time(finding.onset)
    others = {n: case.nodes[n].onset for n in case.abnormal if n != node}
    text = f"abnormal from {rfc3339(begun)}"
    if not others:
        return f"{text}, the only one"
    callers = () if case.graph is None else case.graph.callers(node)
    near = {n: row for n, row in others.items() if n in callers} or others
    after = sorted(n for n, row in near.items() if row is not None and row > finding.onset)
    whom = "abnormal callers" if near is not others else "other abnormal nodes"
    return f"{text}, before {len(after)} of {len(near)} {whom}"


def _correlation(node: str, case: Case) -> str:
    if node not in case.correlations or case.followed is None:
        return "not abnormal, so nothing to compare"
    strength, lag = case.correlations[node]
    followed = " ".join(part for part in case.followed if part)
    rows = "in the same row" if not lag else f"{lag} row{'' if lag == 1 else 's'} ahead"
    return f"correlates {strength:.2f} with {followed}, {rows}"


def _names(nodes: list[str]) -> str:
    shown = ", ".join(nodes[:NAMES_MAX])
    more = len(nodes) - NAMES_MAX
    return f"{shown} and {more} more" if more > 0 else shown
