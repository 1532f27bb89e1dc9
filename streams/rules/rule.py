"""What a rule file says, as data: groups, rules and `detect:` blocks, each with the file and line it came from.

Frozen and free of compiled things, so rules can be compared, hashed and sent to another process.
Refuses to judge: `load` checks, `engine` evaluates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from detectors.calibrate import Direction
from schemas.config.intervals import IntervalConfig
from schemas.labels import content_id
from streams.rules.learnt import Learnt, learnt_key
from streams.rules.occasion import Occasion

EACH_SERIES = "series"
"""Who has the budget of false alarms, where each series has its own."""


class Kind(StrEnum):
    """What a rule makes."""

    ALERT = "alert"
    RECORD = "record"


class Evaluate(StrEnum):
    """When a rule is evaluated: at each interval of its group, or for each sample as it comes."""

    ON_TICK = "on_tick"
    ON_ARRIVAL = "on_arrival"


@dataclass(frozen=True)
class DetectBlock:
    """A detector that watches the value of the expression.

    Attributes:
        detector: name in the registry of detectors.
        parameters: the detector's own.
        false_alarms: so many, in `per_ms` of fault-free data, are put up with for each series.
        min_effect: least distance from the expected value, in the unit of the value.
        min_change: least distance as a share of the expected value.
        relearn_after_ms: a series odd for longer than this is learnt again, so that a lasting change ends.
        per: whose the budget is: `series`, or the label whose values share one (`tenant`, `service`).
        spread: among so many engines a budget is shared out that can see a part of its series only.
        only: names of the occasions that count; None: all.
        occasions: when it is quiet, or something else is usual.
        maintenance: when nothing is learnt.
        learnt: what series that are seen for the first time begin with.
        by: labels whose values make a group of series; None: each series stands alone.
        join: whether a group has one alert, from what its members say together; else each member has its own.

    """

    detector: str
    parameters: Mapping[str, object]
    false_alarms: float
    per_ms: int
    direction: Direction
    min_effect: float
    min_change: float
    relearn_after_ms: int
    per: str = EACH_SERIES
    spread: int = 1
    only: tuple[str, ...] | None = None
    occasions: tuple[Occasion, ...] = ()
    maintenance: tuple[IntervalConfig, ...] = ()
    learnt: Learnt | None = field(default=None, repr=False)
    by: tuple[str, ...] | None = None
    join: bool = True

    @property
    def identity(self) -> str:
        """Hash of what the state depends on: not of the calendar, nor of what was learnt before."""
        return content_id(
            self.detector,
            *(f"{k}={v}" for k, v in sorted(self.parameters.items())),
            repr((self.false_alarms, self.per_ms, self.direction)),
            repr((self.min_effect, self.min_change, self.relearn_after_ms)),
            *(() if self.per == EACH_SERIES else (self.per,)),
            *(() if self.by is None else ("by", *self.by, repr(self.join))),
        )


@dataclass(frozen=True)
class Rule:
    """One rule; the labels and annotations are texts of templates, group labels already among the labels."""

    group: str
    name: str
    kind: Kind
    expr: str
    file: str
    line: int
    interval_ms: int
    for_ms: int = 0
    keep_firing_for_ms: int = 0
    query_offset_ms: int = 0
    limit: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    evaluate: Evaluate = Evaluate.ON_TICK
    detect: DetectBlock | None = None

    @property
    def id(self) -> str:
        """`group/name`."""
        return f"{self.group}/{self.name}"

    @property
    def gathers(self) -> str:
        """An expression that reads what must meet in one place: the rule's own, by the groups of its detector."""
        if self.detect is None or self.detect.by is None:
            return self.expr
        return f"count by ({', '.join(self.detect.by)}) ({self.expr})"

    @property
    def learnt_key(self) -> str:
        """Under what is found what its detector learnt from history; empty where it has none."""
        if self.detect is None:
            return ""
        block = self.detect
        groups = () if block.by is None else ("by", *block.by, repr(block.join))
        return learnt_key(self.expr, self.interval_ms, block.detector, block.parameters, *groups)

    @property
    def identity(self) -> str:
        """Hash of what its state depends on: neither of where it stands nor of its annotations."""
        return content_id(
            self.id,
            self.kind.value,
            self.expr,
            self.interval_ms,
            self.for_ms,
            self.keep_firing_for_ms,
            self.query_offset_ms,
            self.limit,
            self.evaluate.value,
            self.detect.identity if self.detect else "",
            *(part for pair in sorted(self.labels.items()) for part in pair),
        )


@dataclass(frozen=True)
class RuleGroup:
    """Rules that are evaluated together, in order, at every multiple of the interval since the epoch."""

    name: str
    interval_ms: int
    rules: tuple[Rule, ...]
    file: str
    line: int
