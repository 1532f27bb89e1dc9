"""Blame: it starts at the symptom and walks down the calls until it comes to rest.

A node hands its blame to its abnormal callees as far as their rise, in units of the symptom's metric, covers its own,
and keeps what they do not explain; callees share by cover and evidence. What it would keep is shared with the nodes
below it that are abnormal in other metrics only and have more evidence than itself: a full processor has no latency
of its own to show. Callees without the symptom's metric are looked through, and a path never comes back to its nodes.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.correlate.topology import Topology
from streams.rank.deviation import ABNORMAL

LEAST = 1e-3
"""Blame smaller than this walks no further: it bounds the number of paths."""


@dataclass(frozen=True)
class Scene:
    """What is known of the nodes, by name.

    Attributes:
        rise: mean deviation in the incident in units of the symptom's metric, of nodes that have that metric.
        deviation: largest deviation in the symptom's metric and direction, in spreads.
        worst: deviation of the metric with most evidence, in spreads.
        evidence: of the strongest metric.

    """

    graph: Topology
    rise: Mapping[str, float]
    deviation: Mapping[str, float]
    worst: Mapping[str, float]
    evidence: Mapping[str, float]


@dataclass
class Walk:
    """Where the blame of a symptom came to rest; the whole is 1.

    Attributes:
        rest: by node.
        covers: of each node on the way, how much of its rise each abnormal callee covers.

    """

    scene: Scene
    rest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    covers: dict[str, dict[str, float]] = field(default_factory=dict)
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _under: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def go(self, node: str, blame: float, path: frozenset[str] = frozenset()) -> None:
        """Let blame that has come to a node by a path walk on."""
        scene, path = self.scene, path | {node}
        rise = scene.rise.get(node, 0.0)
        cover = {
            callee: min(1.0, scene.rise[callee] / rise) if rise > 0 else 1.0
            for callee in self._measured(node)
            if callee not in path and scene.deviation[callee] >= ABNORMAL and scene.rise[callee] > 0
        }
        self.covers[node] = cover
        pull = {callee: part * scene.evidence[callee] for callee, part in cover.items()}
        whole = sum(pull.values())
        kept = blame * max(0.0, 1.0 - sum(cover.values())) if whole > 0 else blame
        for callee in pull if whole > 0 else ():
            handed = (blame - kept) * pull[callee] / whole
            if handed >= LEAST:
                self.go(callee, handed, path)
            else:
                self.rest[callee] += handed
        self._keep(node, kept, path | set(cover))

    def _keep(self, node: str, kept: float, besides: frozenset[str]) -> None:
        """Share what a node keeps with what lies below it and is abnormal in other metrics."""
        evidence = self.scene.evidence
        own = evidence.get(node, 0.0)
        others = [
            n
            for n in self._below(node)
            if n not in besides and self.scene.worst[n] >= ABNORMAL and evidence[n] > own
        ]
        whole = own + sum(evidence[n] for n in others)
        for other in others:
            self.rest[other] += kept * evidence[other] / whole
        self.rest[node] += kept * own / whole if others else kept

    def _measured(self, node: str) -> tuple[str, ...]:
        """The nearest callees that have the symptom's metric."""
        if node not in self._known:
            found, seen, front = [], {node}, list(self.scene.graph.callees(node))
            while front:
                callee = front.pop()
                if callee in seen:
                    continue
                seen.add(callee)
                if callee in self.scene.rise:
                    found.append(callee)
                else:
                    front += self.scene.graph.callees(callee)
            self._known[node] = tuple(sorted(found))
        return self._known[node]

    def _below(self, node: str) -> tuple[str, ...]:
        """Everything that a node depends on and of which metrics are known."""
        if node not in self._under:
            seen, front = {node}, [node]
            while front:
                new = [n for n in self.scene.graph.callees(front.pop()) if n not in seen]
                seen.update(new)
                front += new
            self._under[node] = tuple(sorted((seen - {node}) & set(self.scene.evidence)))
        return self._under[node]
