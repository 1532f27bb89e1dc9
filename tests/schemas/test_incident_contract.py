"""tocsin.incidents is a contract: who was written for an older version reads what this one writes, and the reverse.

`golden/incident-N.schema.json` and `golden/incident-N.jsonl` are schema and records of version N, kept as they were.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union

import msgspec
import pytest

from docs.records import GROWING, schemas
from schemas.commands import Verb
from schemas.incidents import Incident
from schemas.reasons import Gate, IncidentChange
from schemas.records import encode_record
from tests.correlate.sample import (
    MINUTE,
    S,
    make_alert,
    make_command,
    make_correlator,
    make_tick,
    resolved,
    run,
)

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = sorted(path.name.split(".")[0] for path in GOLDEN.glob("incident-*.jsonl"))


def schema_of(version: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{version}.schema.json").read_text())


def reader_of(schema: dict[str, Any]) -> Any:
    """The type that a consumer would make of a schema: it knows these fields and values, and no others."""
    definitions = schema["$defs"]

    @cache
    def named(name: str) -> Any:
        body = definitions[name]
        if body.get("type") != "object":
            return made(body)
        required = set(body.get("required", ()))
        fields = [
            (field, made(of)) if field in required else (field, made(of), None)
            for field, of in body["properties"].items()
        ]
        return msgspec.defstruct(name, fields, kw_only=True)

    def made(body: dict[str, Any]) -> Any:
        if "$ref" in body:
            return named(body["$ref"].rpartition("/")[2])
        if "anyOf" in body:
            parts = [made(part) for part in body["anyOf"] if "enum" not in part]
            return Union[tuple(parts)]  # noqa: UP007  as many as there are
        if "enum" in body:
            return Literal[tuple(body["enum"])]
        match body.get("type"):
            case "array":
                return list[made(body["items"])]  # type: ignore[misc]  # made at run time
            case "object":
                return dict[str, made(body["additionalProperties"])]  # type: ignore[misc]  # made at run time
            case "null":
                return None
            case kind:
                return {"string": str, "integer": int, "number": float, "boolean": bool}[str(kind)]

    return named(schema["$ref"].rpartition("/")[2])


@cache
def written_today() -> list[Incident]:
    """Records with everything that this version has to say."""
    correlator = make_correlator(
        repeat_interval=20 * MINUTE,
        storm={"pages": 1, "per": 600_000},
        flapping={"restarts": 1, "window": 600_000},
    )
    a, b = make_alert("billing", 0, severity="critical", value=0.9), make_alert("cart", 1 * S)
    log = [a, b, make_alert("orders", 2 * S, urgent=True), make_tick(MINUTE)]
    first = run(correlator, log)
    one, two = first[0].id, next(r.id for r in first if r.id != first[0].id)
    said = [
        make_command(Verb.ACKNOWLEDGE, 2 * MINUTE, one),
        make_command(Verb.NOTE, 3 * MINUTE, one, text="note"),
        make_command(Verb.UNMERGE, 4 * MINUTE, one),
        make_command(Verb.MERGE, 5 * MINUTE, one, subject=two),
    ]
    more = [
        resolved(a, 6 * MINUTE),
        make_alert("billing", 7 * MINUTE, severity="critical"),
        make_tick(90 * MINUTE),
    ]
    return first + run(correlator, [*said, *more])


def kept(old: Any, now: Any) -> Any:
    """What of a document an older one has too."""
    if isinstance(old, dict):
        return {key: kept(value, now[key]) for key, value in old.items() if key in now}
    if isinstance(old, list):
        return [kept(a, b) for a, b in zip(old, now, strict=True)]
    return now


def test_records_of_today_say_new_things() -> None:
    """What older readers are tried with holds values and fields that they have never seen."""
    changes = {r.change for r in written_today()}
    old = set(schema_of("incident-1")["$defs"]["Incident"]["properties"])

    assert changes >= {
        IncidentChange.MERGED,
        IncidentChange.HELD,
        IncidentChange.REFUSED,
        IncidentChange.NOTED,
    }
    assert any(r.flapping for r in written_today())
    assert {"owner", "priority", "decisions", "merged_into"} <= (
        msgspec.to_builtins(written_today()[0]).keys() - old
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_reader_of_an_older_version_reads_what_is_written_today(version: str) -> None:
    """It finds every field that it knows, with the same value; what it does not know it passes over."""
    reader = reader_of(schema_of(version))
    for record in written_today():
        read = msgspec.json.decode(encode_record(record), type=reader)
        for field in ("id", "revision", "state", "change", "title", "opened_at", "announcement"):
            assert getattr(record, field) == getattr(read, field)


@pytest.mark.parametrize("version", VERSIONS)
def test_records_of_an_older_version_are_read_today(version: str) -> None:
    """Every field of them is kept, and what is new has its default."""
    for line in (GOLDEN / f"{version}.jsonl").read_bytes().splitlines():
        old = json.loads(line)
        now = json.loads(encode_record(msgspec.json.decode(line, type=Incident)))

        assert old == kept(old, now)
        assert ("", False, []) == (now["owner"], now["held"], now["decisions"])


@pytest.mark.parametrize("version", VERSIONS)
def test_no_field_has_gone_and_no_type_has_changed(version: str) -> None:
    """The schema of today has all that the older one promised; closed enumerations have the same values."""
    old, new = schema_of(version)["$defs"], json.loads(schemas()["incident.json"])["$defs"]
    for name, body in old.items():
        if name in GROWING:
            values, today = body["anyOf"][0]["enum"], new[name]["anyOf"][0]["enum"]
            assert set(values) <= set(today)
        elif "enum" in body:
            assert body["enum"] == new[name]["enum"]
        else:
            assert body["properties"].items() <= new[name]["properties"].items()
            assert set(body.get("required", ())) <= set(new[name].get("required", ()))


def test_value_of_a_newer_version_is_read_as_other() -> None:
    """Our own readers go on too, when the writer has been upgraded first."""
    record = msgspec.to_builtins(written_today()[0]) | {"change": "beamed_up", "new": 1}
    record["decisions"] = [{"time": 1, "gate": "moat", "passed": True, "reason": "dry"}]
    read = msgspec.json.decode(msgspec.json.encode(record), type=Incident)

    assert (IncidentChange.OTHER, Gate.OTHER) == (read.change, read.decisions[0].gate)
