"""Records of tocsin.commands: what people say about an incident."""

from enum import StrEnum

from schemas.records import Record


class Verb(StrEnum):
    """What can be said."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    NOTE = "note"


class Command(Record, frozen=True, kw_only=True):
    """One command of one person; `id` makes it idempotent."""

    id: str
    tenant: str
    incident: str
    verb: Verb
    actor: str
    time: int
    text: str = ""
