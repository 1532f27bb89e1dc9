"""Names: metrics and labels of producers who know no Prometheus, as its data model has them.

What Telegraf's own serializer for Prometheus does (plugins/serializers/prometheus/convert.go): a name that is none has
each other character replaced by an underscore, a bad first one left out, and underscores trimmed off both ends.

Refuses label sets in which two names become one: which of the two is meant, nobody can tell.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NOT_METRIC = re.compile(r"[^a-zA-Z0-9_:]")
_NOT_LABEL = re.compile(r"[^a-zA-Z0-9_]")
REMEMBERED = 4096


@lru_cache(REMEMBERED)
def metric_name(name: str) -> str:
    """Name of a metric, empty where nothing of it is left."""
    return name if _METRIC.fullmatch(name) else _replaced(name, _METRIC, _NOT_METRIC)


@lru_cache(REMEMBERED)
def label_name(name: str) -> str:
    """Name of a label, empty where nothing of it is left."""
    return name if _LABEL.fullmatch(name) else _replaced(name, _LABEL, _NOT_LABEL)


def _replaced(name: str, good: re.Pattern[str], bad: re.Pattern[str]) -> str:
    first = name[:1] if good.fullmatch(name[:1]) else ""
    return (first + bad.sub("_", name[1:])).strip("_")


def label_set(tags: Mapping[str, str]) -> dict[str, str]:
    """Labels of these tags.

    Raises:
        DecodeError: the names of two of them become one, or nothing is left of one.

    """
    labels: dict[str, str] = {}
    for tag, value in tags.items():
        name = label_name(tag)
        if not name or name in labels:
            why = "another label has the same name then" if name else "nothing is left of it"
            detail = f"label name {tag[:100]!r} as Prometheus has names: {why}"
            raise DecodeError(DeadLetterReason.BAD_LABEL, detail)
        labels[name] = value
    return labels


def field_metric(measurement: str, field: str) -> str:
    """Name of the metric of a measurement's field; Prometheus's own measurements have theirs in the field."""
    if measurement == "prometheus":
        return metric_name(field)
    return metric_name(f"{measurement}_{field}")
