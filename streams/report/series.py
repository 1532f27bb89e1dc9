"""Series: pictures of what the rules of an incident looked at, from files that hold the samples."""

from collections.abc import Mapping, Sequence

from schemas.errors import RuleError
from schemas.incidents import Incident, IncidentAlert
from schemas.labels import METRIC, TENANT, without
from streams.report.chart import line_chart
from streams.report.paper import Picture
from streams.rules.answer import answer
from streams.rules.rule import Rule
from streams.rules.sides import sides_of
from streams.windows.series import SeriesStore

PICTURES_MAX = 6
POINTS = 160
MARGIN = 0.25
"""So much of the incident's span is shown before and after it."""
LEAST_MS = 600_000


def pictures_of(store: SeriesStore, incident: Incident, rules: Mapping[str, Rule]) -> list[Picture]:
    """A picture for each of the first alerts whose rule is known and whose series are in the store."""
    found: list[Picture] = []
    for item in incident.alerts:
        rule = rules.get(item.alert.rule)
        picture = None if rule is None else _picture(store, incident, item, rule)
        if picture is not None:
            found.append(picture)
        if len(found) == PICTURES_MAX:
            break
    return found


def _picture(
    store: SeriesStore, incident: Incident, item: IncidentAlert, rule: Rule
) -> Picture | None:
    begin, end = incident.opened_at, incident.resolved_at or incident.updated_at
    margin = max(int((end - begin) * MARGIN), LEAST_MS)
    first, last = begin - margin, end + margin
    step = max((last - first) // POINTS, 1_000)
    left, right = sides_of(rule.expr)
    try:
        points = _values(store, left, range(first, last + 1, step), item)
        threshold = _values(store, right, range(begin, begin + 1), item) if right else []
    except RuleError:
        return None
    if not points:
        return None
    label = f"{item.alert.name}: {left.replace('{}', '')}"
    svg = line_chart(
        points,
        threshold=threshold[0][1] if threshold else None,
        span=(begin, incident.resolved_at),
        label=label,
    )
    return Picture(svg, label)


def _values(
    store: SeriesStore, expression: str, times: Sequence[int], item: IncidentAlert
) -> list[tuple[int, float]]:
    """Values over time of the first element that fits the alert: no label of it says something else."""
    labels = item.alert.labels
    found: list[tuple[int, float]] = []
    for at in times:
        for sample in answer(store, expression, at):
            tenant = dict(sample.labels).get(TENANT, item.alert.tenant)
            own = without(sample.labels, METRIC, TENANT)
            fits = all(labels.get(name, value) == value for name, value in own)
            if fits and tenant == item.alert.tenant and isinstance(sample.value, float):
                found.append((at, sample.value))
                break
    return found
