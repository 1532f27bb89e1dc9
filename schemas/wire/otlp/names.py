"""Names: metrics and labels of OpenTelemetry, as Prometheus names what it receives by OTLP.

Source: github.com/prometheus/otlptranslator v1.0.0 with escaping to underscores and with suffixes, Prometheus's
default; a golden file made by it holds us to it. `service.namespace/service.name` becomes `job`, `service.instance.id`
becomes `instance`, and the other resource attributes stand in `target_info`. Beside that, those attributes that the
table of labels names (`schemas.mapping`) stay what they are, with dots, on every series: the table renames them.

Refuses a metric of whose name nothing is left.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Literal

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason

Kind = Literal["gauge", "counter", "other"]
"""`counter` is a monotonic sum; only gauges and counters have suffixes of their own."""
SERVICE, NAMESPACE, INSTANCE = "service.name", "service.namespace", "service.instance.id"
TARGET_INFO = "target_info"
SCOPE = "otel.scope."
"""Before what a scope says of itself, among the attributes of its resource."""
REMEMBERED = 4096
_LONG = 512
"""What is this long is not remembered."""

_MAIN_UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
_PER_UNITS = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
_TOKENS = re.compile(r"[A-Za-z0-9:]+")
_NOT_NAME = re.compile(r"[^A-Za-z0-9:]")
_UNDERSCORES = re.compile(r"__+")
_NOT_LABEL = re.compile(r"[^A-Za-z0-9]+")
_RESERVED = re.compile(r"__(.*)__", re.DOTALL)


def metric_name(name: str, unit: str, kind: Kind) -> str:
    """Prometheus's name of a metric.

    Raises:
        DecodeError: nothing of the name is left.

    """
    find = _metric_name if len(name) + len(unit) < _LONG else _metric_name.__wrapped__
    return find(name, unit, kind)


@lru_cache(REMEMBERED)
def _metric_name(name: str, unit: str, kind: Kind) -> str:
    tokens = _TOKENS.findall(name)
    main, per = _units(unit)
    if main in tokens:
        main = ""
    if per == "per_":
        per = ""
    else:
        per = per.removesuffix("_")
        if per in tokens:
            per = ""
    if per:
        main = main.removesuffix("_")
    tokens += [part for part in (main, per) if part]
    if kind == "counter":
        tokens = [*(part for part in tokens if part != "total"), "total"]
    if unit == "1" and kind == "gauge":
        tokens = [*(part for part in tokens if part != "ratio"), "ratio"]
    found = "_".join(tokens)
    if found[:1].isdigit():
        found = "_" + found
    if not found or (found != name and not found.strip("_")):
        raise DecodeError(DeadLetterReason.MISSING_METRIC, f"nothing is left of {name[:100]!r}")
    return found


def _units(unit: str) -> tuple[str, str]:
    """Suffixes for what is measured, and for that by which it is divided."""
    before, _, after = unit.partition("/")
    main, per = before.strip(), after.strip()
    main = "" if "{" in main or "}" in main else _MAIN_UNITS.get(main, main)
    per = "" if "{" in per or "}" in per else _PER_UNITS.get(per, per)
    return _clean(main), _clean(f"per_{per}" if per else "")


def _clean(unit: str) -> str:
    return _UNDERSCORES.sub("_", _NOT_NAME.sub("_", unit)).removeprefix("_")


def label_name(name: str) -> str:
    """Prometheus's name of a label, empty where nothing is left."""
    return _label_name(name) if len(name) < _LONG else _label_name.__wrapped__(name)


@lru_cache(REMEMBERED)
def _label_name(name: str) -> str:
    reserved = _RESERVED.fullmatch(name)
    found = _NOT_LABEL.sub("_", name if reserved is None else reserved[1])
    if reserved is not None:
        found = f"__{found}__"
    elif found[:1].isdigit():
        found = "key_" + found
    return found if found.strip("_") else ""


def labels_of(attributes: Mapping[str, str]) -> dict[str, str]:
    """Labels of attributes; values of those whose names become one are put together with `;`, as Prometheus does."""
    named = sorted((label_name(name), name) for name in attributes)
    return {
        label: ";".join(attributes[name] for _, name in same)
        for label, same in groupby(named, key=lambda pair: pair[0])
        if label
    }


def identity_of(resource: Mapping[str, str]) -> dict[str, str]:
    """`job` and `instance` of a resource, as far as it has them."""
    job = "/".join(filter(None, (resource.get(NAMESPACE), resource.get(SERVICE))))
    found = {"job": job if resource.get(SERVICE) else "", "instance": resource.get(INSTANCE, "")}
    return {name: value for name, value in found.items() if value}


def promoted_of(
    attributes: Mapping[str, str], mapped: Collection[str], tenant_label: str
) -> dict[str, str]:
    """Those attributes of a resource and its scope that are labels of every series; one may name the tenant."""
    return {
        name: value
        for name, value in attributes.items()
        if value and (name in mapped or name == tenant_label)
    }


def info_of(resource: Mapping[str, str], tenant_label: str) -> dict[str, str] | None:
    """Labels of `target_info`; None where a resource has no identity, or nothing else to tell."""
    identity = identity_of(resource)
    rest = {n: v for n, v in resource.items() if n not in (SERVICE, NAMESPACE, INSTANCE)}
    if not identity or not rest:
        return None
    return labels_of(rest) | promoted_of(resource, (SERVICE,), tenant_label) | identity
