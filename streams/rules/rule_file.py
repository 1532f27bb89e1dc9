"""What a rule file may hold: one strict section for the file, a group, a rule and a `detect:` block.

Refuses unknown keys (except in `detect`, where they are the detector's own parameters) and durations without a unit.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from detectors.calibrate import Direction
from schemas.config.section import Duration, Section, parse_duration
from streams.rules.rule import EACH_SERIES, DetectBlock

DEFAULT_INTERVAL_MS = 15_000

_BUDGET = re.compile(
    r"\s*(\d+(?:\.\d+)?)\s*(?:per|a|an|/)\s*(\d[\dsmhdwy]*|[a-z]+?)"
    r"(?:\s+(?:per|for\s+each|for\s+a)\s+([a-zA-Z_][a-zA-Z0-9_]*))?\s*"
)
_SPANS_MS = {
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
    "month": 2_592_000_000,
    "year": 31_536_000_000,
}


def _text(given: object) -> object:
    """A text; of what YAML takes for something else a whole number, which has one spelling."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(int(given))
    if not isinstance(given, str):
        raise ValueError("must be a text: put it in quotes")  # noqa: TRY004  pydantic reports ValueError only
    return str(given)


def _budget(given: object) -> object:
    """`1 per week per service` -> (1.0, ms of a week, "service")."""
    found = _BUDGET.fullmatch(given) if isinstance(given, str) else None
    span = _SPANS_MS.get(found[2].removesuffix("s"), 0) if found else 0
    if found and not span and found[2][0].isdigit():
        span = parse_duration(found[2])
    if not found or not span or float(found[1]) <= 0:
        raise ValueError(
            f"not a budget: {given!r}; write a number and a span, such as '1 per week' or '1 per week per service'"
        )
    return float(found[1]), span, found[3] or EACH_SERIES


Text = Annotated[str, BeforeValidator(_text)]
Budget = Annotated[tuple[float, int, str], BeforeValidator(_budget)]


class DetectSection(Section, extra="allow"):
    """The block `detect`; what is not listed is a parameter of the detector.

    Attributes:
        detector: Its name; without it the one that chooses for itself.
        season: Length of the season, for detectors that have one.
        false_alarms: What each series may cost, such as `1 per week` or `2 per 12h`, or all series with one value of a
            label, such as `1 per week per service` or `1 per week per tenant`. The threshold follows from it.
        direction: Which deviations count.
        min_effect: Smaller deviations, in the unit of the value, are no alert.
        min_change: Smaller deviations, as a share of the expected value, are no alert.
        relearn_after: A series that is odd for longer than this is learnt again.
        by: Labels whose values make a group of series, such as `[service]`; `[]` puts all of a tenant into one. Needed
            by detectors that compare the members of a group, and taken by all others.
        join: A group has one alert, from what its members say together, and its annotation `blame` names the members,
            the oddest first. With `false` each member has its own alert.
        calendar: Names of the occasions in `detect.calendar` of the configuration that count; default all of them.

    """

    detector: str = "auto"
    season: Duration | None = None
    false_alarms: Budget = (1.0, _SPANS_MS["week"], EACH_SERIES)
    direction: Direction = "both"
    min_effect: float = Field(0.0, ge=0)
    min_change: float = Field(0.0, ge=0)
    relearn_after: Duration = 3_600_000
    calendar: tuple[str, ...] | None = None
    by: tuple[str, ...] | None = None
    join: bool = True

    def block(self, parameters: Mapping[str, object]) -> DetectBlock:
        """The same as data, with the detector's own parameters."""
        number, per_ms, scope = self.false_alarms
        return DetectBlock(
            detector=self.detector,
            parameters=parameters,
            false_alarms=number,
            per_ms=per_ms,
            direction=self.direction,
            min_effect=self.min_effect,
            min_change=self.min_change,
            relearn_after_ms=self.relearn_after,
            per=scope,
            only=self.calendar,
            by=self.by,
            join=self.join,
        )


class RuleSection(Section):
    """One rule.

    Attributes:
        alert: Name of an alerting rule; either this or `record`.
        record: Name of the series that a recording rule makes.
        expr: The expression.
        for_: The condition holds this long before the alert fires.
        keep_firing_for: The alert stays for this long after the condition has gone.
        labels: Put on the alert; templates.
        annotations: Texts for people; templates.
        evaluate: `on_arrival` evaluates at each sample, without waiting for the interval.
        detect: A detector that watches the value of the expression.

    """

    alert: Text | None = None
    record: Text | None = None
    expr: Text
    for_: Duration = Field(0, alias="for")
    keep_firing_for: Duration = 0
    labels: dict[str, Text] = {}
    annotations: dict[str, Text] = {}
    evaluate: Literal["on_tick", "on_arrival"] = "on_tick"
    detect: DetectSection | None = None


class GroupSection(Section):
    """One group.

    Attributes:
        name: Unique in its file.
        interval: The group is evaluated at each multiple of this.
        query_offset: Rules look this far into the past.
        limit: Most alerts of one rule; over it the rule fails and its alerts end. 0 means no limit.
        labels: Put on the alerts of all its rules.
        rules: Evaluated in order.

    """

    name: Text = Field(min_length=1)
    interval: Duration = DEFAULT_INTERVAL_MS
    query_offset: Duration = 0
    limit: int = Field(0, ge=0)
    labels: dict[str, Text] = {}
    rules: list[Any] = []


class FileSection(Section):
    """A rule file.

    Attributes:
        groups: Evaluated in order.

    """

    groups: list[Any] = []
