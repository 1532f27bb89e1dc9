"""Title: an incident in one line, "cause: alert (+ what else)"."""

from collections.abc import Sequence

from schemas.incidents import Cause
from schemas.reasons import Amendment
from streams.correlate.lifecycle import Lifecycle


def title_of(life: Lifecycle, causes: Sequence[Cause]) -> str:
    """The likeliest cause, its worst alert, and how many more alerts there are on how many services.

    Without a cause the group's labels stand in for it. A summary of held pages says how many it lists.
    """
    if life.summary_of is not None:
        whose = f" of team {life.summary_of}" if life.summary_of else ""
        return f"pages{whose} are held: {_count(len(life.alerts) + life.omitted, 'incident')}"
    cause = causes[0].entity if causes else ""
    of_cause = [f for f, s in life.symptoms.items() if s.entity == cause and f in life.alerts]
    held = [(f, life.alerts[f]) for f in of_cause or life.alerts]
    _, _, chosen = min([(a.alert.severity.rank, a.first_at, f) for f, a in held])
    name = life.alerts[chosen].alert.name
    subject = cause or ", ".join(life.group.labels.values())
    line = f"{subject}: {name}" if subject else name
    if life.amendment is Amendment.WITHDRAWN:
        line = f"{line} (withdrawn)"
    more = len(life.alerts) - 1 + life.omitted
    if not more:
        return line
    others = {s.entity for f, s in life.symptoms.items() if f != chosen}
    others.discard("")
    where = f" on {_count(len(others), 'service')}" if others else ""
    return f"{line} (+{_count(more, 'alert')}{where})"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
