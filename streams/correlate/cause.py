"""Cause: the entities of an incident, ranked by how likely each is the cause of it, with what speaks for it.

The share of a cause is 60 % from where the blame came to rest (walk), 20 % from the order of onset, 20 % from the
size of the deviation. The walk leads, since an onset is only as sharp as the interval of the rule, and deviations
of different metrics hardly compare. Where alerts tell what their values were before, a tenth of all that goes by who
moved before the symptom: see `moved`. A change shortly before the first onset takes a part of all that: see `suspects`.
The evidence's shares sum to the share of their cause.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.changes import Change
from schemas.incidents import Cause, Evidence
from streams.correlate.moved import Ahead, ahead
from streams.correlate.suspect import Suspect, span, suspects
from streams.correlate.symptom import Flow, Symptom
from streams.correlate.topology import Topology
from streams.correlate.walk import Scene

CAUSES_MAX = 10
NAMES_MAX = 4
WALK, ONSET, DEVIATION = 0.6, 0.2, 0.2
MOVED = 0.1
"""A short history says who was first within a few evaluations, as the onset does; it decides where the rest is even."""
_ALONE = "the only one that is abnormal"
ONSET_HALVES_MS = 60_000
"""An entity whose onset is a minute after the first one's counts half: rules are commonly evaluated each 15 to 60 s."""


def rank(
    symptoms: Iterable[Symptom], topology: Topology, changes: Sequence[Change] = ()
) -> tuple[Cause, ...]:
    """The likely causes, the likeliest first, `CAUSES_MAX` at most; their shares sum to 1.

    Symptoms that name no entity take no part; without any other there is no cause to name. `changes` are those that may
    have to do with it by their time. Equal shares are in order of name.
    """
    known = [s for s in symptoms if s.entity]
    if not known:
        return ()
    if not changes and len({s.entity for s in known}) == 1:
        return _alone(known, topology)
    scene = Scene(known, topology)
    walked = scene.walk()
    weights = {e: scene.weight(e) for e in scene.entities}
    first = min(scene.onset(e) for e in scene.entities)
    onsets = {e: 2.0 ** ((first - scene.onset(e)) / ONSET_HALVES_MS) for e in scene.entities}
    suspected = suspects(changes, scene, first)
    taken = max((s.weight for s in suspected.values()), default=0.0)
    rest, blamed = 1.0 - taken, sum(s.weight for s in suspected.values()) or 1.0
    moved = ahead(scene)
    moves = rest * MOVED if moved else 0.0
    rest -= moves
    all_strengths = sum(m.strength for m in moved.values()) or 1.0
    all_onsets, all_weights = sum(onsets.values()), sum(weights.values())
    parts = {
        e: (
            rest * WALK * walked.get(e, 0.0),
            rest * ONSET * onsets.get(e, 0.0) / all_onsets,
            rest * DEVIATION * weights.get(e, 0.0) / all_weights,
            moves * (moved[e].strength if e in moved else 0.0) / all_strengths,
            taken * (suspected[e].weight if e in suspected else 0.0) / blamed,
        )
        for e in sorted({*walked, *suspected})
    }
    best = sorted(parts, key=lambda e: (-_tidy(sum(parts[e])), e))[:CAUSES_MAX]
    whole = sum(sum(parts[e]) for e in best)
    causes = [
        Cause(
            entity=entity,
            share=_tidy(sum(parts[entity]) / whole),
            evidence=_evidence(
                scene,
                entity,
                [_tidy(p / whole) for p in parts[entity]],
                moved.get(entity),
                suspected.get(entity),
            ),
        )
        for entity in best
    ]
    # what the cut leaves is scaled up and rounded again, which may make two shares equal
    return tuple(sorted(causes, key=lambda c: (-c.share, c.entity)))


def _alone(symptoms: Sequence[Symptom], graph: Topology) -> tuple[Cause, ...]:
    """The only entity with an alert: what the whole way would find, without going it."""
    entity = symptoms[0].entity
    upstream = any(s.flow is Flow.UPSTREAM for s in symptoms)
    told = (
        ("graph", WALK, _standing(entity, upstream=upstream, graph=graph).text),
        ("onset", ONSET, _ALONE),
        ("deviation", DEVIATION, _deviation_text(symptoms)),
    )
    evidence = tuple([Evidence(kind=kind, share=share, text=text) for kind, share, text in told])
    return (Cause(entity=entity, share=1.0, evidence=evidence),)


def _tidy(share: float) -> float:
    """Four digits, so that a share has the same bytes on machines whose logarithms differ in the last bit."""
    return round(share, 4)


def _evidence(
    scene: Scene,
    entity: str,
    shares: Sequence[float],
    moved: Ahead | None,
    suspect: Suspect | None,
) -> tuple[Evidence, ...]:
    changed: tuple[Evidence, ...] = ()
    if suspect is not None:
        changed = (Evidence(kind="change", share=shares[4], text=suspect.text),)
    if entity not in scene.entities:
        if not shares[0]:
            return changed
        callers = scene.topology.callers(entity)
        text = f"no alert of its own, but all of its {len(callers)} callers: {_names(callers)}"
        return (Evidence(kind="graph", share=shares[0], text=text), *changed)
    texts = [
        ("graph", _graph_text(scene, entity)),
        ("onset", _onset_text(scene, entity)),
        ("deviation", _deviation_text(scene.entities[entity])),
    ]
    if moved is not None:
        texts.append(("correlation", moved.text))
    told = [
        Evidence(kind=kind, share=share, text=text)
        for (kind, text), share in zip(texts, shares, strict=False)
    ]
    return (*told, *changed)


def _graph_text(scene: Scene, entity: str) -> str:
    upstream = (entity, Flow.UPSTREAM) in scene.nodes
    flow = Flow.UPSTREAM if upstream else Flow.DOWNSTREAM
    below = sorted({e for e, _ in scene.explained_by((entity, flow))} - {entity})
    if below:
        return f"{_names(below)} may explain it"
    resting = sorted({s.entity for s in scene.symptoms if s.host == entity} - {entity})
    if resting:
        return f"{len(resting)} entities with alerts run on it: {_names(resting)}"
    text, around, what = _standing(entity, upstream=upstream, graph=scene.topology)
    abnormal = [e for e in around if e in scene.entities]
    if not abnormal:
        return text
    return f"{text}; {len(abnormal)} of {len(around)} {what} abnormal: {_names(abnormal)}"


class _Standing(NamedTuple):
    """That nothing explains an entity, in words, and whom it may have harmed."""

    text: str
    around: tuple[str, ...]
    what: str


def _standing(entity: str, *, upstream: bool, graph: Topology) -> _Standing:
    callees, callers = graph.callees(entity), graph.callers(entity)
    if upstream:
        text = "none of its own dependencies is abnormal" if callees else "it has no dependencies"
        return _Standing(text, callers, "callers")
    text = "none of its callers sends less" if callers else "nothing calls it"
    return _Standing(text, callees, "callees")


def _onset_text(scene: Scene, entity: str) -> str:
    onset = scene.onset(entity)
    others = {e: scene.onset(e) for e in scene.entities if e != entity}
    if not others:
        return _ALONE
    near = [e for e in scene.topology.near(entity) if e in others] or sorted(others)
    after = min(near, key=lambda e: (others[e] < onset, others[e] == onset, others[e], e))
    gap = others[after] - onset
    relation = ""
    if entity in scene.topology.callees(after):
        relation = "its caller "
    elif entity in scene.topology.callers(after):
        relation = "its dependency "
    if gap == 0:
        return f"became abnormal together with {relation}{after}"
    return f"was abnormal {span(abs(gap))} {'before' if gap > 0 else 'after'} {relation}{after}"


def _deviation_text(symptoms: Sequence[Symptom]) -> str:
    worst = max(symptoms, key=lambda s: (s.weight, s.name, -s.onset, s.flow))
    if worst.value is None:
        return f"{worst.severity.value} {worst.name}"
    if worst.expected is None:
        return f"{worst.severity.value} {worst.name} at {worst.value:.4g}"
    return (
        f"{worst.severity.value} {worst.name} at {worst.value:.4g}, expected {worst.expected:.4g}"
    )


def _names(entities: Sequence[str]) -> str:
    shown = ", ".join(entities[:NAMES_MAX])
    more = len(entities) - NAMES_MAX
    return f"{shown} and {more} more" if more > 0 else shown
