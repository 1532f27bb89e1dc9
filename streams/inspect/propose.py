"""Proposals: a first rule and a source for `tocsin.yaml`, from what was seen.

The rule is the first of a list of usual ones that the metrics allow: something is down, requests fail, latency, a share
that nears 1, and last a detector on any gauge. Whether it is a good one is for people to say.

It refuses to propose where no metric has values that move.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.config import SourceConfig
from schemas.config.section import format_duration
from schemas.labels import LABEL_NAME, METRIC_NAME
from streams.inspect.report import Label, Lateness, Metric

LEAST_WINDOW_SECONDS = 60
LEAST_INTERVAL_SECONDS = 15
SAMPLES_PER_WINDOW = 4
"""A rate needs two samples; with four, one may be missing."""
_STATUS_LABELS = ("status", "code", "status_code", "http_status_code", "http_response_status_code")
_BAD_WORDS = ("error", "fail", "exception", "dropped", "refused", "timeout")
_SHARES = ("_ratio", "_percent", "_utilization")
_MOST_METRICS = 20


class Rule(NamedTuple):
    """A rule in the making."""

    alert: str
    expr: str
    why: str
    summary: str
    detect: str = ""


class Seen(NamedTuple):
    """What a rule may be made of.

    Attributes:
        window: of a rate over a counter.
        interval: between evaluations.
        by: labels to aggregate by, those of the locality; none where series lack one of them.

    """

    metrics: Sequence[Metric]
    labels: Mapping[str, Label]
    window: str
    interval: str
    by: tuple[str, ...]


def look(metrics: Iterable[Metric], labels: Iterable[Label], locality: Sequence[str]) -> Seen:
    """What there is to make a rule of; names that PromQL cannot write without quotes are left out."""
    usable = [m for m in metrics if METRIC_NAME.fullmatch(m.name)]
    known = {label.name: label for label in labels if LABEL_NAME.fullmatch(label.name)}
    apart = [m.every_seconds for m in usable if m.every_seconds]
    every = max(apart, default=0.0)
    seconds = max(LEAST_WINDOW_SECONDS, SAMPLES_PER_WINDOW * every)
    by = tuple(locality[1:])
    return Seen(
        usable,
        known,
        _whole(seconds, 60),
        _whole(max(every, LEAST_INTERVAL_SECONDS), LEAST_INTERVAL_SECONDS),
        by if all(name in known for name in by) else (),
    )


def _whole(seconds: float, step: int) -> str:
    """The next whole multiple of a step, as a duration."""
    return format_duration(1000 * step * math.ceil(round(seconds / step, 6)))


def _down(seen: Seen) -> Rule | None:
    for m in seen.metrics:
        if (m.name == "up" or m.name.endswith("_up")) and m.kind != "histogram":
            why = f"{m.name} says whether something is there"
            return Rule("Down", f"{m.name} == 0", why, _says(seen, "is down"))
    return None


def _failing(seen: Seen) -> Rule | None:
    counters = [m for m in seen.metrics if m.kind == "counter" and not m.name.endswith("_bucket")]
    for label in (n for n in _STATUS_LABELS if n in seen.labels):
        m = next((c for c in counters if "request" in c.name or "response" in c.name), None)
        if m is not None and seen.by:
            bad = f'{m.name}{{{label}=~"5.."}}'
            expr = f"{_rate(seen, bad)} / {_rate(seen, m.name)} > 0.05"
            why = f"{m.name} has the label {label}: the share of 5xx"
            return Rule(
                "ErrorsHigh", expr, why, _says(seen, "fails {{ $value | humanizePercentage }}")
            )
    for m in counters:
        if any(word in m.name.lower() for word in _BAD_WORDS) and not m.name.endswith(("_sum",)):
            why = f"{m.name} counts what should not be"
            says = _says(seen, "has {{ $value | humanize }} a second")
            return Rule("ErrorsOdd", _rate(seen, m.name), why, says, "up")
    return None


def _slow(seen: Seen) -> Rule | None:
    for m in seen.metrics:
        if m.name.endswith("_seconds_bucket") and "le" in seen.labels:
            expr = f"histogram_quantile(0.99, {_rate(seen, m.name, 'le')})"
            why = f"{m.name} is a histogram of durations: its 99th percentile"
            says = _says(seen, "takes {{ $value | humanizeDuration }} at the 99th percentile")
            return Rule("LatencyOdd", expr, why, says, "up")
    return None


def _full(seen: Seen) -> Rule | None:
    for m in seen.metrics:
        within = m.least is not None and m.most is not None and m.least >= 0 and m.most <= 1
        if not within or m.kind in ("counter", "histogram") or not m.name.endswith(_SHARES):
            continue
        says = _says(seen, "is at {{ $value | humanizePercentage }}")
        if any(word in m.name.lower() for word in _BAD_WORDS):
            return Rule("ErrorsHigh", f"{m.name} > 0.05", f"{m.name} is a share of failures", says)
        return Rule("NearlyFull", f"{m.name} > 0.9", f"{m.name} is a share: 1 is full", says)
    return None


def _odd(seen: Seen) -> Rule | None:
    """A detector on the gauge with most series, or on the rate of the counter with most."""
    moving = [m for m in seen.metrics if m.kind != "histogram" and m.most != m.least]
    moving = [m for m in moving if not m.name.endswith(("_bucket", "_sum", "_count"))] or moving
    gauges = [m for m in moving if m.kind != "counter"]
    m = max(gauges or moving, key=lambda m: m.samples, default=None)
    if m is None:
        return None
    expr = _rate(seen, m.name) if m.kind == "counter" else m.name
    why = f"{m.name} moves, and no threshold is known: a detector watches it"
    return Rule(
        "ValueOdd",
        expr,
        why,
        "{{ $value | humanize }}, usual is {{ $expected | humanize }}",
        "both",
    )


_KINDS: tuple[Callable[[Seen], Rule | None], ...] = (_down, _failing, _slow, _full, _odd)


def propose(seen: Seen) -> Rule | None:
    """The first rule of the list that fits; None where none does."""
    return next((rule for kind in _KINDS if (rule := kind(seen)) is not None), None)


def rule_file(rule: Rule, interval: str) -> str:
    """A rule file with this rule."""
    lines = [
        "groups:",
        "  - name: first",
        f"    interval: {interval}",
        "    rules:",
        f"      - alert: {rule.alert}",
        f"        expr: {_quoted(rule.expr)}",
    ]
    if rule.detect:
        direction = f", direction: {rule.detect}" if rule.detect != "both" else ""
        lines.append(f"        detect: {{detector: robust, false_alarms: 1 per week{direction}}}")
    lines += [
        "        for: 1m",
        "        labels: {severity: warning}",
        "        annotations:",
        f"          summary: {json.dumps(rule.summary)}",
    ]
    return "\n".join(lines) + "\n"


def sections(
    source: SourceConfig,
    metrics: Sequence[Metric],
    labels: Iterable[Label],
    lateness: Lateness | None,
) -> str:
    """Sections of `tocsin.yaml` for this source, with what would have to be said of it."""
    lines = ["sources:", f"  - topic: {json.dumps(source.topic)}", f"    format: {source.format}"]
    if 0 < len(metrics) <= _MOST_METRICS:
        lines.append(f"    metrics: {json.dumps([m.name for m in metrics])}")
    doubtful = [label for label in labels if label.warning]
    if doubtful:
        lines.append("    relabel:")
    lines += [
        f"      - {{action: labeldrop, regex: {json.dumps(re.escape(label.name))}}}"
        f"  # {label.values} values in {label.series} series"
        for label in doubtful
    ]
    if lateness is not None and lateness.late:
        allowed = format_duration(int(lateness.recommended_seconds * 1000))
        lines += ["time:", f"  allowed_lateness: {allowed}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A text in YAML: in single quotes where it has double ones and no others."""
    return f"'{text}'" if '"' in text and "'" not in text else json.dumps(text)


def _rate(seen: Seen, selector: str, *also: str) -> str:
    rate = f"rate({selector}[{seen.window}])"
    return f"sum by ({', '.join((*seen.by, *also))}) ({rate})" if seen.by else rate


def _says(seen: Seen, what: str) -> str:
    return f"{{{{ $labels.{seen.by[-1]} }}}} {what}" if seen.by else what
