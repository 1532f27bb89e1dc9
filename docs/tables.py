"""Tables of what the code offers (refusals, detectors, receivers, functions, topics, metrics) and of what was measured.

What a reason or a receiver means is said here and nowhere else; all names come from the code. Refuses to leave one out.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from detectors.registry import OURS, Description, Parameter, describe
from docs.layout import code, table
from schemas.reasons import DeadLetterReason
from schemas.topics import DAY_MS, all_topics
from sinks.notify.receivers.registry import BUILT_IN
from streams.observe.metrics import WorkersCollector
from streams.rules.aggregate import AGGREGATIONS
from streams.rules.calls import BUILDERS
from streams.rules.choose import CHOOSERS
from streams.rules.functions import VALUE_FUNCTIONS
from streams.rules.lint import CODES
from streams.rules.ranges import RANGE_FUNCTIONS
from streams.rules.reload import Reloads
from streams.rules.template import FUNCTIONS

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results.json"

REFUSALS: dict[DeadLetterReason, str] = {
    DeadLetterReason.EMPTY_VALUE: "the value has 0 bytes",
    DeadLetterReason.TOMBSTONE: "the value is null",
    DeadLetterReason.TOO_LARGE: (
        "the record is over `limits.message_bytes`, or holds more than `limits.samples_per_message`"
    ),
    DeadLetterReason.NOT_UTF8: "the bytes are no UTF-8",
    DeadLetterReason.NOT_JSON: "the text is no JSON",
    DeadLetterReason.WRONG_TYPE: "a key holds another type than it must, or the record is no object",
    DeadLetterReason.MISSING_METRIC: "`metric` is missing or empty",
    DeadLetterReason.MISSING_TIME: "`ts` is missing",
    DeadLetterReason.MISSING_VALUE: "`value` is missing",
    DeadLetterReason.BAD_METRIC: "the metric's name is longer than `limits.label_name_bytes`",
    DeadLetterReason.BAD_TIME: "`ts` is neither a number in range nor RFC 3339 with an offset",
    DeadLetterReason.NOT_FINITE: "the value is NaN or infinite, in a format that has no such values",
    DeadLetterReason.BAD_HISTOGRAM: "a native histogram contradicts itself, or has a resolution that is not known",
    DeadLetterReason.TOO_FAR_AHEAD: "`ts` is over `time.max_ahead` after the record's own time",
    DeadLetterReason.TOO_OLD: "`ts` is over `time.max_age` before the record's own time",
    DeadLetterReason.LATE: (
        "`ts` is over `time.allowed_lateness` behind the newest of its source partition"
    ),
    DeadLetterReason.TOO_MANY_LABELS: "more labels than `limits.labels_per_series`",
    DeadLetterReason.LABEL_TOO_LONG: (
        "a label is over `limits.label_name_bytes` or `limits.label_value_bytes`"
    ),
    DeadLetterReason.BAD_LABEL: "a label's name is empty or begins with `__`",
    DeadLetterReason.TOO_MANY_SERIES: (
        "the tenant has `limits.series_per_tenant` series already, or the partition `limits.series`"
    ),
    DeadLetterReason.TOO_MANY_TENANTS: "the partition has `limits.tenants` tenants already",
    DeadLetterReason.RATE_LIMITED: (
        "the tenant sent more than `limits.samples_per_second` for longer than `limits.burst`"
    ),
    DeadLetterReason.UNKNOWN_RECORD: (
        "a record on one of Tocsin's own topics is of a kind or version that is not known"
    ),
    DeadLetterReason.UNKNOWN_FORMAT: (
        "`format: auto`: no format claims the record by its content type, first bytes, keys or looks, or two do"
    ),
    DeadLetterReason.UNKNOWN_SCHEMA: "the registry has no schema of the record's id, or one that cannot be read",
    DeadLetterReason.MALFORMED: (
        "the bytes do not fit the record's format "
        "(`arrow`, `confluent`, `influx`, `otlp`, `remote_write`, `samples`)"
    ),
    DeadLetterReason.REPEATED: "a delta with the times of the one before it of its series, sent twice (`otlp`)",
    DeadLetterReason.STAGE_FAILED: "a stage raised on this record; `detail` names the error's type and place",
    DeadLetterReason.COMMAND_REFUSED: (
        "a command could not be carried out, and no incident shows why; `detail` names the reason"
    ),
}

LABELS = {"tocsin_scrubbed": ["kind", "label"], "tocsin_tenant_refused": ["tenant"]}
"""Of families that have no series until something happens; `stage` where nothing else is said."""

RECEIVERS = {
    "stdout": "prints one readable block for each announcement",
    "webhook": (
        "POSTs Alertmanager's webhook body, version 4, with an `Idempotency-Key`; "
        "tries again with a growing pause"
    ),
}


def refusals() -> str:
    """Reasons of dead letters."""
    rows = [(code(reason.value), REFUSALS[reason]) for reason in DeadLetterReason]
    return table(("reason", "when"), rows)


def detectors() -> str:
    """Detectors in a line each, with the parameters that are theirs alone."""
    rows = [
        (code(d.name), d.summary, _names(p.name for p in d.parameters if p.name not in _common()))
        for d in _described()
    ]
    return table(("detector", "what it is", "its own parameters"), rows)


def detector_parameters() -> str:
    """Every parameter: those of all detectors first, then what a detector has or presets by itself."""
    common = _common()
    rows = [("all", *_parameter(p)) for p in common.values()]
    rows += [
        (code(d.name), *_parameter(p))
        for d in _described()
        for p in d.parameters
        if common.get(p.name) != p
    ]
    return table(("detector", "parameter", "type", "default", "meaning"), rows)


def receivers() -> str:
    """Receivers by type."""
    return table(("type", "what it does"), [(code(name), RECEIVERS[name]) for name in BUILT_IN])


def functions() -> str:
    """Functions of expressions."""
    rows = (
        ("over a range", _names(sorted(RANGE_FUNCTIONS))),
        ("of values", _names(sorted(VALUE_FUNCTIONS))),
        ("other", _names(sorted(BUILDERS))),
    )
    return table(("functions", ""), rows)


def aggregations() -> str:
    """Aggregations of expressions."""
    return _names(sorted([*AGGREGATIONS, *CHOOSERS, "count_values", "quantile"]))


def template_functions() -> str:
    """Functions of templates."""
    return _names(sorted(FUNCTIONS))


def topic_table() -> str:
    """Topics with key, contents and how long they are kept."""
    rows = [(code(t.name), t.key, t.holds, _kept(t.settings)) for t in all_topics()]
    return table(("topic", "key", "holds", "kept"), rows)


def metrics() -> str:
    """Metrics of the workers."""
    host = SimpleNamespace(runners={}, pauses=SimpleNamespace(longest_seconds=0.0))
    nobody: Any = SimpleNamespace(host=host, reloads=Reloads())
    rows = []
    for family in WorkersCollector(nobody).collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = (
            list(family.samples[0].labels) if family.samples else LABELS.get(family.name, ["stage"])
        )
        shown = _names(labels)
        rows.append((code(name), family.type, shown, family.documentation))
    return table(("metric", "type", "label", "counts"), rows)


HEADLINES = {
    "throughput.fused": "JSON from Kafka to alerts: a 10 s mean and a running z-score for each of 10,000 series",
    "throughput.over_faust_river": "the same, against plain Faust with river",
    "throughput.over_quix_state": "against Quix Streams with its state",
    "throughput.over_bytewax_state": "against Bytewax with its state",
    "throughput.over_kafka_streams_memory": "against Kafka Streams in memory",
    "throughput.over_flink": "against Flink, keyed",
    "latency.detect_1k.alert.p99": "from produce to alert at 1,000 messages/s, 99 of 100",
    "latency.detect_50k.alert.p99": "the same at 50,000 messages/s",
    "latency.fused.webhook.p99": "from produce to the webhook that pages, 99 of 100",
    "rules.evaluation": "50 rules over 100,000 series, every 15 s",
    "incidents.services_latency_p99": "latency that correlation adds to 10,000 alerts in a minute, 99 of 100",
}
"""The rows that the README shows, and what they mean."""


def headlines() -> str:
    """The chosen few of what `make bench` measured last."""
    found = {row["name"]: row for row in _results()}
    rows = [
        (
            meaning,
            _figure(row["value"], row["unit"]),
            "" if row["ratio"] is None else f"{row['ratio']:.3g}",
            _goal(row),
        )
        for name, meaning in HEADLINES.items()
        if (row := found.get(name)) is not None
    ]
    return table(("what", "measured", "ratio", "goal"), rows)


def _results() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return found


def _goal(row: dict[str, Any]) -> str:
    """The goal of a row and whether it was met."""
    return f"{row['goal']}: {'met' if row['met'] else 'missed'}" if row["goal"] else ""


def numbers() -> str:
    """What `make bench` measured last."""
    rows = [
        (
            code(row["name"]),
            _figure(row["value"], row["unit"]),
            row["against"] or "",
            "" if row["against_value"] is None else _figure(row["against_value"], row["unit"]),
            "" if row["ratio"] is None else f"{row['ratio']:.3g}",
            _goal(row),
        )
        for row in _results()
    ]
    return table(("what", "value", "against", "its value", "ratio", "goal"), rows)


def _figure(value: float, unit: str) -> str:
    return f"{value:,.4g} {unit}" if abs(value) < 10_000 else f"{value:,.0f} {unit}"


def _described() -> list[Description]:
    """Our own detectors; what else is installed here is no part of the documents."""
    return [found for found in describe() if found.name in OURS]


def _common() -> dict[str, Parameter]:
    """Parameters that all detectors have, as the first of them has them."""
    first, *others = _described()
    shared = {p.name for p in first.parameters}.intersection(
        *({p.name for p in other.parameters} for other in others)
    )
    return {p.name: p for p in first.parameters if p.name in shared}


def _parameter(found: Parameter) -> tuple[str, str, str, str]:
    shown = "none" if found.default in ("", {}) else code(str(found.default).lower())
    return code(found.name), found.type, shown, found.meaning


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _kept(settings: dict[str, str]) -> str:
    if settings["cleanup.policy"] == "compact":
        return "the last record of each key"
    days = int(settings["retention.ms"]) // DAY_MS
    return f"{days} day" if days == 1 else f"{days} days"


def lint_codes() -> str:
    """What `tocsin rules lint` finds."""
    rows = [(code(name), each.level.value, each.why, each.fix) for name, each in CODES.items()]
    return table(("code", "level", "why", "what to do"), rows)
