"""JSON Schemas of the records on Tocsin's own topics, from the msgspec structs that write them, and of rule files."""

import json
from typing import Any

import msgspec

from schemas.alerts import Alert, Tick
from schemas.commands import Command
from schemas.dead_letters import DeadLetter
from schemas.incidents import Incident
from schemas.notifications import Notification
from schemas.remediations import Remediation
from streams.rules.schema import rule_schema

RECORDS: dict[str, tuple[str, Any]] = {
    "alert": ("tocsin.alerts", Alert | Tick),
    "command": ("tocsin.commands", Command),
    "dead_letter": ("tocsin.dead-letters", DeadLetter),
    "incident": ("tocsin.incidents", Incident),
    "notification": ("tocsin.notifications", Notification),
    "remediation": ("tocsin.remediations", Remediation),
}


def schemas() -> dict[str, str]:
    """JSON Schema (draft 2020-12) of each record, and of rule files, by file name."""
    records = {f"{name}.json": _schema(topic, kind) for name, (topic, kind) in RECORDS.items()}
    return {**records, "rules.json": json.dumps(rule_schema(), indent=2) + "\n"}


def _schema(topic: str, kind: Any) -> str:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Record of {topic}, version 1",
    }
    text = msgspec.json.encode(head | msgspec.json.schema(kind))
    return msgspec.json.format(text, indent=2).decode() + "\n"
