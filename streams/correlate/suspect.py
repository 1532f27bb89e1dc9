"""Suspect: a change that may be the cause of an incident, by how shortly before it came and how near it is.

A change at the very time of the first onset, of an entity with an alert, takes `CHANGED` of all blame; about 70 % of
outages are due to a change of a live system (Google, Site Reliability Engineering, 2016, chapter 1), but many changes
are harmless. It counts half for each `HALVES_MS` before the onset and for each call between the changed entity and the
nearest one with an alert that depends on it. It refuses changes on which no entity with an alert depends within
`CALLS_MAX` calls.
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.changes import Change
from streams.correlate.walk import Scene

CHANGED = 0.5
HALVES_MS = 600_000
CALLS_MAX = 3


class Suspect(NamedTuple):
    """The likeliest change of one entity: its weight, not over `CHANGED`, and what is said of it."""

    weight: float
    text: str


def suspects(changes: Iterable[Change], scene: Scene, onset: int) -> dict[str, Suspect]:
    """The entities with a change that may be the cause of what began at an onset, ms."""
    found: dict[str, Suspect] = {}
    for change in sorted(changes, key=lambda c: (c.time, c.id)):
        near = _nearest(change.service, scene)
        if near is not None:
            calls, entity = near
            behind = max(0, onset - change.time)
            weight = CHANGED * 0.5 ** (behind / HALVES_MS + calls)
            known = found.get(change.service)
            # of two that weigh the same, the later one
            if known is None or weight >= known.weight:
                found[change.service] = Suspect(weight, _text(change, onset, calls, entity))
    return found


def _nearest(service: str, scene: Scene) -> tuple[int, str] | None:
    """How many calls away the nearest entity with an alert is that depends on a service, and which."""
    seen, front = {service}, [service]
    for calls in range(1 + CALLS_MAX):
        abnormal = [e for e in front if e in scene.entities]
        if abnormal:
            return calls, min(abnormal)
        callers = {c for e in front for c in scene.topology.callers(e)}
        front = sorted(callers - seen)
        seen |= callers
    return None


def _text(change: Change, onset: int, calls: int, entity: str) -> str:
    what = f"{change.sort.value.replace('_', ' ')} {change.what}".rstrip()
    who = f" by {change.who}" if change.who else ""
    gap = onset - change.time
    when = f"{span(abs(gap))} {'before' if gap >= 0 else 'after'} the first onset"
    where = "" if not calls else f"; {entity} depends on it over {calls} call{'s' * (calls > 1)}"
    return f"{what}{who}, {when}{where}"


def span(ms: int) -> str:
    """How long, as one says it."""
    if ms < 1_000:
        return f"{ms} ms"
    return f"{ms / 1_000:g} s" if ms < 120_000 else f"{ms / 60_000:.3g} min"
