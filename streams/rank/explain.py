"""Explain: how well one fault at a node would explain all that is abnormal, and all that is not.

Trouble spreads from a callee to its callers and loses half of its certainty with each call. Evidence `e` of a node is
taken as a likelihood ratio `exp(e) / 2`: nothing unusual speaks against it by two to one, a deviation at the limit of
abnormal for neither. The plausibility of a fault at c is the product over all nodes n of
`1 - p + p * exp(e_n) / 2` with `p = 2 ** -calls between n and c`, 0 where n does not depend on c. So a node of its own
that is silent, but all of whose callers wait longer, is found; and of two abnormal nodes the one wins whose other
callers are abnormal as well.

Evidence in metrics that a node measures of its outgoing calls (OpenTelemetry's `*.client.*`) speaks of what it calls,
not of itself, unless nothing is known that it calls.
"""

from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np

from detectors.base import FloatArray
from streams.correlate.topology import Topology

SPREADS = 0.5
NEUTRAL = 0.5
OUTGOING = "client"


def explain(
    evidence: Mapping[str, float], own: Mapping[str, float], graph: Topology, nodes: Iterable[str]
) -> dict[str, float]:
    """Plausibility of a single fault at each node, logarithms, at most 0 for the best one.

    `evidence` counts as that of a node that depends on the cause, `own` as that of the cause itself.
    """
    scores = {node: _score(node, evidence, own, graph) for node in nodes}
    best = max(scores.values(), default=0.0)
    return {node: score - best for node, score in scores.items()}


def shares(scores: Mapping[str, float]) -> dict[str, float]:
    """Plausibilities as shares that sum to 1."""
    weights: FloatArray = np.exp(np.array(list(scores.values())))
    return dict(zip(scores, (weights / weights.sum()).tolist(), strict=True))


def _score(
    cause: str, evidence: Mapping[str, float], own: Mapping[str, float], graph: Topology
) -> float:
    score = float(np.log(NEUTRAL) + own.get(cause, 0.0))
    for node, calls in dependents(cause, graph).items():
        if node in evidence:
            reached = SPREADS**calls
            score += float(np.log(1.0 - reached + reached * NEUTRAL * np.exp(evidence[node])))
    return score


def dependents(cause: str, graph: Topology) -> dict[str, int]:
    """Who depends on a node, with how many calls lie between."""
    found = {cause: 0}
    front = deque([cause])
    while front:
        node = front.popleft()
        for caller in graph.callers(node):
            if caller not in found:
                found[caller] = found[node] + 1
                front.append(caller)
    del found[cause]
    return found
