"""Walk: blame for an incident, from every entity with an alert to the ones that nothing else explains.

Blame starts at every entity with an alert, in proportion to how bad the alert is, and walks against the direction
in which trouble spreads until it comes to rest:

* most trouble spreads *upstream*, from a callee to its callers (latency, errors): a caller hands its blame to its
  abnormal callees, as far as their deviation can cover its own, and to the host that it runs on if that has an
  alert too;
* a rule with the label `flow: downstream` is about trouble that spreads from a caller to its callees (traffic): a
  callee hands its blame to abnormal callers. Where a caller sends less because it is in upstream trouble itself,
  blame turns round there and walks on down.

It refuses to guess about entities outside the incident, with one exception: an entity without an alert of which all
callers, two at least, have one takes half of the blame that came to rest with them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from streams.correlate.symptom import Flow, Symptom
from streams.correlate.topology import Topology

LOOK_THROUGH = 2
"""So many entities without an alert in a row do not break a path: their change may be too small for an alert."""

COVER = 2.0
"""A callee covers a caller's deviation up to twice its own: a caller may call it more than once for one request."""

_Node = tuple[str, Flow]
_FLOWS = tuple(Flow)


class Scene:
    """The symptoms of one incident, by entity and flow, on the call graph."""

    def __init__(self, symptoms: Iterable[Symptom], topology: Topology) -> None:
        self.topology = topology
        self.symptoms = sorted(
            [s for s in symptoms if s.entity], key=lambda s: (s.entity, s.flow, s.onset, s.name)
        )
        self.nodes: dict[_Node, list[Symptom]] = {}
        self.entities: dict[str, list[Symptom]] = {}
        for symptom in self.symptoms:
            self.nodes.setdefault((symptom.entity, symptom.flow), []).append(symptom)
            self.entities.setdefault(symptom.entity, []).append(symptom)
        self._weights = {n: max([s.weight for s in found]) for n, found in self.nodes.items()}
        self._onsets = {e: min([s.onset for s in found]) for e, found in self.entities.items()}
        self._explained: dict[_Node, list[_Node]] = {}

    def weight(self, entity: str) -> float:
        """How bad its worst alert is."""
        return max([self._weights.get((entity, flow), 0.0) for flow in _FLOWS])

    def onset(self, entity: str) -> int:
        """When it first became abnormal, event time ms."""
        return self._onsets[entity]

    def explained_by(self, node: _Node) -> list[_Node]:
        """The abnormal nodes that a node hands its blame to."""
        if node not in self._explained:
            self._explained[node] = self._explain(node)
        return self._explained[node]

    def _explain(self, node: _Node) -> list[_Node]:
        entity, flow = node
        hosts = sorted({s.host for s in self.nodes[node]} - {"", entity})
        below = [(h, f) for h in hosts for f in _FLOWS if (h, f) in self.nodes]
        if flow is Flow.UPSTREAM:
            return list(dict.fromkeys(below + self._nearest(entity, self.topology.callees, flow)))
        for turned in (Flow.DOWNSTREAM, Flow.UPSTREAM):
            below += self._nearest(entity, self.topology.callers, turned)
            if below:
                return list(dict.fromkeys(below))
        own = (entity, Flow.UPSTREAM)
        return [own] if own in self.nodes else []

    def _nearest(
        self, entity: str, step: Callable[[str], tuple[str, ...]], flow: Flow
    ) -> list[_Node]:
        """The nearest abnormal nodes one way, looking through what is not abnormal itself."""
        if not step(entity):
            return []
        seen, front = {entity}, [entity]
        for _ in range(1 + LOOK_THROUGH):
            front = [n for n in dict.fromkeys(n for e in front for n in step(e)) if n not in seen]
            found = [(n, flow) for n in front if (n, flow) in self.nodes]
            if found:
                return found
            seen.update(front)
        return []

    def cover(self, node: _Node, other: _Node) -> float:
        """How much of a node's deviation another one's can explain; 1 where they cannot be compared."""
        mine = {s.name: s.deviation for s in self.nodes[node] if s.deviation}
        ratios = [
            COVER * s.deviation / mine[s.name]
            for s in self.nodes[other]
            if s.deviation is not None and s.name in mine
        ]
        return min(1.0, max(ratios)) if ratios else 1.0

    def walk(self) -> dict[str, float]:
        """Where the blame comes to rest, by entity; the whole is 1."""
        if len(self.entities) == 1:
            return dict.fromkeys(self.entities, 1.0)
        moving = dict(self._weights)
        steps = {node: self._step(node) for node in moving}
        kept: dict[_Node, float] = defaultdict(float)
        # as many rounds as there are nodes end any path without a circle; a circle keeps what is in it
        for _ in range(len(steps)):
            arrived: dict[_Node, float] = defaultdict(float)
            for node, blame in moving.items():
                keep, onward = steps[node]
                kept[node] += blame * keep
                for other, part in onward:
                    arrived[other] += blame * part
            moving = arrived
            if not moving:
                break
        for node, blame in moving.items():
            kept[node] += blame
        whole = sum(kept.values())
        rest: dict[str, float] = dict.fromkeys(self.entities, 0.0)
        for node in sorted(kept):
            rest[node[0]] += kept[node] / whole
        self._blame_silent(rest)
        return rest

    def _step(self, node: _Node) -> tuple[float, list[tuple[_Node, float]]]:
        """The part of its blame that a node keeps, and who gets which part of the rest."""
        covers = [(other, self.cover(node, other)) for other in self.explained_by(node)]
        given = min(1.0, sum(cover for _, cover in covers))
        pulls = [(o, c * self._weights[o]) for o, c in covers if c > 0]
        whole = sum(pull for _, pull in pulls)
        return 1.0 - given, [(other, given * pull / whole) for other, pull in pulls]

    def _blame_silent(self, rest: dict[str, float]) -> None:
        for entity in self.silent():
            callers = self.topology.callers(entity)
            rest[entity] = sum(rest[c] for c in callers) / 2
            for caller in callers:
                rest[caller] /= 2

    def silent(self) -> list[str]:
        """Entities without an alert, of which all callers, two at least, have one."""
        called = {c for e in self.entities for c in self.topology.callees(e)}
        if not called:
            return []
        return [
            c
            for c in sorted(called - set(self.entities))
            if len(callers := self.topology.callers(c)) > 1
            and all((caller, Flow.UPSTREAM) in self.nodes for caller in callers)
        ]
