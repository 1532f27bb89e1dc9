"""Change: what people or pipelines did to a service; the native JSON form, and the record on tocsin.alerts.

A change event as it is sent is `{"ts", "kind", "service", "what", "who", "tenant"}`; `ts` and `service` must be there.
It goes through tocsin.alerts, among the transitions that the correlator puts in order of event time, so a replay of
that topic replays it too.
"""

from enum import StrEnum

import msgspec

from schemas.labels import content_id
from schemas.records import Record


class ChangeKind(StrEnum):
    """What sort of change it was."""

    DEPLOYMENT = "deployment"
    CONFIG = "config"
    FEATURE_FLAG = "feature_flag"
    SCALING = "scaling"
    OTHER = "other"


class ChangeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A change as it is sent to the topic of changes; `ts` as in a sample."""

    ts: int | float | str
    service: str
    kind: str = ChangeKind.OTHER.value
    what: str = ""
    who: str = ""
    tenant: str = ""


class Change(Record, frozen=True, kw_only=True, tag="change", tag_field="kind"):
    """One change of one service.

    Attributes:
        id: identity, see `change_id`.
        sort: the event's `kind`.
        service: the entity that was changed, as the call graph names it.
        what: in the words of who sent it.
        who: a person or a pipeline.
        time: event time, ms.

    """

    id: str
    tenant: str
    sort: ChangeKind
    service: str
    time: int
    what: str = ""
    who: str = ""


def change_id(tenant: str, sort: ChangeKind, service: str, what: str, who: str, time: int) -> str:
    """Identity of a change: the same however often it is sent."""
    return content_id(tenant, sort.value, service, what, who, time)
