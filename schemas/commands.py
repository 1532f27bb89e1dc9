"""Records of tocsin.commands: what people say about incidents, pages, silences and what detectors learn.

They go through tocsin.alerts, among the transitions that the correlator puts in order of event time, so a replay of
that topic replays them too. `id` makes a command idempotent, however often it is sent.
"""

from enum import StrEnum

import msgspec

from schemas.labels import content_id
from schemas.records import Record
from schemas.silences import Silence


class Verb(StrEnum):
    """What can be said."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    ASSIGN = "assign"
    NOTE = "note"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    MERGE = "merge"
    UNMERGE = "unmerge"
    HOLD = "hold"
    RELEASE = "release"
    SILENCE_ADD = "silence_add"
    SILENCE_EXPIRE = "silence_expire"
    FINE = "fine"
    BAD = "bad"
    FREEZE = "freeze"
    UNLEARN = "unlearn"

    @property
    def of_incident(self) -> bool:
        """Whether it speaks of one incident."""
        return self not in _OF_TENANT

    @property
    def of_detectors(self) -> bool:
        """Whether it speaks to the detectors of rules."""
        return self in _OF_DETECTORS


_OF_TENANT = (
    Verb.HOLD,
    Verb.RELEASE,
    Verb.SILENCE_ADD,
    Verb.SILENCE_EXPIRE,
    Verb.FREEZE,
    Verb.UNLEARN,
)
_OF_DETECTORS = (Verb.FINE, Verb.BAD, Verb.FREEZE, Verb.UNLEARN)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts of detectors that a command speaks of, and through them the series.

    Attributes:
        matchers: sets of conditions on labels of alerts, such as `alertname="LatencyOdd"`; one set must hold wholly.
        until: end of a time in which nothing is learnt, event time in ms.

    """

    matchers: tuple[tuple[str, ...], ...]
    until: int = 0


class Command(Record, frozen=True, kw_only=True, tag="command", tag_field="kind"):
    """One command of one person.

    Attributes:
        id: identity, see `command_id`.
        incident: id of the incident that it speaks of; empty for hold, release and silences.
        actor: who says it.
        time: when it takes effect, event time in ms.
        text: a note, or the reason given.
        subject: whom the incident is assigned to, the id of the incident that is merged into it or taken out of it,
            the team whose pages are held (empty: all), or the id of the silence that ends.
        silence: what is to be silenced, for `silence_add`.
        until: end of a hold, event time in ms; 0 where there is none.
        about: whose detectors are spoken to: what they told of was `fine` or `bad`, they learn nothing for a while
            (`freeze`), or anew (`unlearn`).
        offset: where it stood in its partition of tocsin.commands; set on its way to tocsin.alerts.

    """

    id: str
    tenant: str
    verb: Verb
    actor: str
    time: int
    incident: str = ""
    text: str = ""
    subject: str = ""
    silence: Silence | None = None
    until: int = 0
    about: About | None = None
    offset: int = -1


def command_id(
    tenant: str, verb: Verb, actor: str, time: int, incident: str, *more: str | int
) -> str:
    """Identity of a command: the same words of the same person at the same millisecond are one command."""
    return content_id(tenant, verb.value, actor, time, incident, *more)
