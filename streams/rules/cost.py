"""Cost: what each rule takes in memory and CPU time, guessed from a number of series or measured over samples.

A guess multiplies series and samples by what they take on one core of the machine on which `make bench ARGS=rules` was
measured: good to a factor of two. Measured is the evaluation of the rule's own plan. Memory is that of the samples that
its windows need; rules that read the same series share them. A rule is dear where one core would be busy with it for
more than a tenth of the time, or where it needs more than a quarter of a gigabyte.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import process_time

from streams.rules.locality import reaches_beyond
from streams.rules.parse import parse_expression
from streams.rules.partial.split import split_rule
from streams.rules.partial.wide import Wide
from streams.rules.picks import Pick
from streams.rules.plan import Kept, Plan, Reading, compile_expression
from streams.rules.rule import Evaluate, Rule, RuleGroup
from streams.windows.panes import LEAST_SAMPLES
from streams.windows.series import SeriesStore

DEAR_SHARE = 0.1
DEAR_BYTES = 1 << 28
SERIES_BYTES = 450
"""A series in the store, its labels among them, and its places in a plan."""
SAMPLE_BYTES = 26
"""A sample in the store, 16 bytes, with the room to spare."""
SERIES_SECONDS = {Kept.LATEST: 3e-8, Kept.RUNNING: 8e-8, Kept.PANES: 1e-7, Kept.SAMPLES: 1e-7}
SAMPLE_SECONDS = 8e-9
"""Of each sample in a window, where all of them are looked at; else of those in the newest pane."""
PANE_SECONDS = 2e-8
"""Of each pane in a window, to merge it."""


@dataclass(frozen=True)
class Read:
    """One selector of a rule.

    Attributes:
        text: its matchers.
        kept: what is looked at.
        series: how many it picks.
        samples: how many of each are kept for it.
        looked_at: how many of each a window has.
        times: how often it is read at each evaluation.
        window_ms: how far back the samples go that are kept for it.
        panes: of how many panes a window is made, 0 where it is not.

    """

    text: str
    kept: Kept
    series: int
    samples: int
    looked_at: int
    times: int
    window_ms: int
    panes: int = 0

    @property
    def bytes(self) -> int:
        """Of the samples that it needs."""
        return self.series * (SERIES_BYTES + self.samples * SAMPLE_BYTES)

    @property
    def seconds(self) -> float:
        """A guess at the CPU time of one evaluation."""
        each = SERIES_SECONDS[self.kept]
        if self.kept is Kept.SAMPLES:
            each += self.looked_at * SAMPLE_SECONDS
        if self.kept is Kept.PANES:
            each += self.panes * PANE_SECONDS + self.looked_at / self.panes * SAMPLE_SECONDS
        return self.series * each * self.times


@dataclass(frozen=True)
class Cost:
    """What a rule takes.

    Attributes:
        rule: which.
        wide: why it takes two stages; empty where it takes one.
        reads: its selectors.
        seconds: CPU time of one evaluation.

    """

    rule: Rule
    wide: Sequence[str]
    reads: Sequence[Read]
    seconds: float

    @property
    def stages(self) -> int:
        """2 where it is wider than the locality."""
        return 2 if self.wide else 1

    @property
    def bytes(self) -> int:
        """Of the samples that it needs."""
        return sum(read.bytes for read in self.reads)

    @property
    def share(self) -> float:
        """Of one core's time."""
        return self.seconds * 1000 / self.rule.interval_ms

    @property
    def dear(self) -> bool:
        """Whether it is too dear."""
        return self.share > DEAR_SHARE or self.bytes > DEAR_BYTES


def guess_costs(
    groups: Iterable[RuleGroup], locality: Sequence[str], *, series: int, every_ms: int
) -> list[Cost]:
    """Costs where each selector picks so many series that have a sample every so many milliseconds."""
    costs = []
    for rule, why, plans in _plans(groups, locality):
        reads = [
            _read(reading, series, max(1, reading.selection.span_ms // every_ms))
            for plan in plans
            for reading in plan.readings()
        ]
        costs.append(Cost(rule, why, reads, sum(read.seconds for read in reads)))
    return costs


def measure_costs(
    groups: Iterable[RuleGroup], locality: Sequence[str], store: SeriesStore
) -> list[Cost]:
    """Costs over the samples of a store, at the time of the newest; each rule by itself, without what others record."""
    costs = []
    t_ms = store.newest_ms
    for rule, why, plans in _plans(groups, locality):
        reads = []
        for plan in plans:
            for reading in plan.readings():
                pick = Pick(reading.selection.matchers)
                pick.refresh(store)
                span_ms = reading.selection.span_ms
                found = store.window(pick.rows, t_ms - span_ms, t_ms)
                samples = found.high - found.low
                mean = round(float(samples.mean())) if len(samples) else 0
                reads.append(_read(reading, len(pick.rows), mean))
        seconds = sum(_timed(plan, store, t_ms, rule.interval_ms) for plan in plans)
        costs.append(Cost(rule, why, reads, seconds))
    return costs


def _timed(plan: Plan, store: SeriesStore, t_ms: int, interval_ms: int) -> float:
    """CPU time of an evaluation that is not the first: that one looks at labels, and makes all panes."""
    plan.evaluate_all(store, t_ms)
    if any(reading.panes for reading in plan.readings()):
        t_ms += interval_ms
    began = process_time()
    plan.evaluate_all(store, t_ms)
    return process_time() - began


def _plans(
    groups: Iterable[RuleGroup], locality: Sequence[str]
) -> Iterable[tuple[Rule, list[str], list[Plan]]]:
    groups = list(groups)
    wide = Wide(groups, locality)
    for rule in (rule for group in groups for rule in group.rules):
        if rule.evaluate is Evaluate.ON_ARRIVAL:
            continue  # it looks at the sample that comes, and at no other
        if rule in wide:
            why = reaches_beyond(parse_expression(rule.gathers), wide.names)
            plans = [cut.plan for cut in split_rule(rule, wide).cuts]
            yield rule, why or ["it reads what a rule in two stages makes"], plans
        else:
            yield rule, [], [compile_expression(rule.expr, interval_ms=rule.interval_ms)]


def _read(reading: Reading, series: int, samples: int) -> Read:
    selection = reading.selection
    text = "{" + ", ".join(map(str, selection.matchers)) + "}"
    looked_at = samples * selection.range_ms // max(1, selection.span_ms)
    span_ms = selection.span_ms
    if not reading.panes or looked_at < LEAST_SAMPLES * reading.panes:
        return Read(text, reading.kept, series, samples, looked_at, reading.times, span_ms)
    kept, panes = Kept.PANES, reading.panes
    return Read(text, kept, series, samples, looked_at, reading.times, span_ms, panes)
