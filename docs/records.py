"""JSON Schemas of the records on Tocsin's own topics, made from the msgspec structs that write them."""

from typing import Any

import msgspec

from schemas.alerts import Alert, Tick
from schemas.commands import Command
from schemas.dead_letters import DeadLetter
from schemas.incidents import Incident
from schemas.notifications import Notification
from schemas.remediations import Remediation

RECORDS: dict[str, tuple[str, Any]] = {
    "alert": ("tocsin.alerts", Alert | Tick),
    "command": ("tocsin.commands", Command),
    "dead_letter": ("tocsin.dead-letters", DeadLetter),
    "incident": ("tocsin.incidents", Incident),
    "notification": ("tocsin.notifications", Notification),
    "remediation": ("tocsin.remediations", Remediation),
}


def schemas() -> dict[str, str]:
    """JSON Schema (draft 2020-12) of each record by file name."""
    return {f"{name}.json": _schema(topic, kind) for name, (topic, kind) in RECORDS.items()}


def _schema(topic: str, kind: Any) -> str:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Record of {topic}, version 1",
    }
    text = msgspec.json.encode(head | msgspec.json.schema(kind))
    return msgspec.json.format(text, indent=2).decode() + "\n"
