"""Cardinality: which labels series have, how many values each has, and which look like identities of single events."""

import re
from collections import Counter
from collections.abc import Iterable

from schemas.labels import METRIC, TENANT, Labels
from streams.inspect.report import Label

TOP = 3
MANY = 50
"""Fewer values than this are no trouble, whatever they look like."""
SINGLE = 0.5
"""A label with more values than this share of its series tells hardly any two of them alike."""
_IDENTITY = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{12,}|\d{6,}|<\w+:[0-9a-f]{12}>",
    re.IGNORECASE,
)


def label_reports(label_sets: Iterable[Labels]) -> list[Label]:
    """One for each label, that with the most values first; the metric's name and the tenant are none."""
    values: dict[str, Counter[str]] = {}
    for labels in label_sets:
        for name, value in labels:
            if name not in (METRIC, TENANT):
                values.setdefault(name, Counter())[value] += 1
    found = [
        Label(name, counts.total(), len(counts), counts.most_common(TOP), _warning(counts))
        for name, counts in values.items()
    ]
    return sorted(found, key=lambda label: (-label.values, label.name))


def _warning(counts: Counter[str]) -> str:
    if len(counts) < MANY:
        return ""
    alike = sum(_IDENTITY.fullmatch(value) is not None for value in counts)
    if 2 * alike > len(counts):
        return "its values look like identities"
    if len(counts) > SINGLE * counts.total():
        return "nearly every series has a value of its own"
    return ""
