"""Records of tocsin.commands: what people say about incidents, pages and silences.

They go through tocsin.alerts, among the transitions that the correlator puts in order of event time, so a replay of
that topic replays them too. `id` makes a command idempotent, however often it is sent.
"""

from enum import StrEnum

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

    @property
    def of_incident(self) -> bool:
        """Whether it speaks of one incident."""
        return self not in _OF_TENANT


_OF_TENANT = (Verb.HOLD, Verb.RELEASE, Verb.SILENCE_ADD, Verb.SILENCE_EXPIRE)


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
    offset: int = -1


def command_id(
    tenant: str, verb: Verb, actor: str, time: int, incident: str, *more: str | int
) -> str:
    """Identity of a command: the same words of the same person at the same millisecond are one command."""
    return content_id(tenant, verb.value, actor, time, incident, *more)
