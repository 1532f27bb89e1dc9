"""JSON Schemas of the records on Tocsin's own topics, from the msgspec structs that write them, and of rule files."""

import json
from typing import Any

import msgspec

from schemas.alerts import AlertRecord
from schemas.commands import Command
from schemas.dead_letters import DeadLetter
from schemas.incidents import Incident
from schemas.notices import Notice
from schemas.notifications import Notification
from schemas.remediations import Remediation
from streams.rules.schema import rule_schema

RECORDS: dict[str, tuple[str, Any]] = {
    "alert": ("tocsin.alerts", AlertRecord),
    "command": ("tocsin.commands", Command),
    "dead_letter": ("tocsin.dead-letters", DeadLetter),
    "incident": ("tocsin.incidents", Incident),
    "notice": ("tocsin.notices", Notice),
    "notification": ("tocsin.notifications", Notification),
    "remediation": ("tocsin.remediations", Remediation),
}

GROWING = frozenset(
    {"IncidentChange", "JoinReason", "AnnounceReason", "AlertReason", "Amendment", "Gate"}
)
"""Enumerations to which a version may add values; all others are closed for good."""


def schemas() -> dict[str, str]:
    """JSON Schema (draft 2020-12) of each record, and of rule files, by file name."""
    records = {f"{name}.json": _schema(topic, kind) for name, (topic, kind) in RECORDS.items()}
    return {**records, "rules.json": json.dumps(rule_schema(), indent=2) + "\n"}


def _schema(topic: str, kind: Any) -> str:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Record of {topic}, version 1",
    }
    text = msgspec.json.encode(head | opened(msgspec.json.schema(kind)))
    return msgspec.json.format(text, indent=2).decode() + "\n"


def opened(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in which the enumerations that grow take any text, as a reader of it must.

    The values of today are still named.
    """
    definitions = {
        name: {"title": name, "anyOf": [{"enum": body["enum"]}, {"type": "string"}]}
        if name in GROWING
        else body
        for name, body in schema.get("$defs", {}).items()
    }
    return schema | {"$defs": definitions} if definitions else schema
