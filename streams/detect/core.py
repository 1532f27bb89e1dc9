"""DetectCore: batches of samples in, alert transitions and ticks out; the same for the two-hop and the fused path.

Samples of rules that are evaluated on arrival go through at once, in the order of the log. All others wait until the
watermark has passed them; then every rule group is evaluated at each multiple of its interval that it has passed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.alerts import Alert, Found, Tick
from schemas.config import LimitsConfig, TimeConfig
from schemas.handles import is_handle
from schemas.histograms import NativeHistogram
from schemas.reasons import DeadLetterReason
from schemas.samples import Int64s, SampleBatch
from streams.detect.arrived import Arrived, Source
from streams.detect.edges import Edges
from streams.detect.late import LateHeld
from streams.detect.reorder import Held, Reorder
from streams.detect.said import Said
from streams.rules.engine import RuleEngine
from streams.rules.failing import Failing
from streams.rules.owned import Owns
from streams.rules.partial.rule import ALWAYS, NOT_YET
from streams.rules.partial.stages import Part
from streams.rules.rule import RuleGroup
from streams.time.watermark import BEFORE_ALL, Watermarks

Columns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]

LITTLE_MS = 1_000
"""Samples of so much time are not too many for the store to take at once."""
RETIREMENTS = 12
"""Silent series are looked for this often within the time after which one is forgotten."""


class DetectCore:
    """State of one detect partition.

    Attributes:
        number: what this partition calls itself in its alerts and ticks.
        record_time: largest record time of what was read, ms.
        dropped: how many samples were dropped, by reason.
        late: how many late samples have `taken` their places, and are `unjudged` by detectors and on arrival.

    """

    def __init__(
        self,
        groups: Sequence[RuleGroup],
        *,
        number: int,
        expected: Sequence[Source],
        time: TimeConfig,
        limits: LimitsConfig,
        owns: Owns = None,
        part: Part = None,
    ) -> None:
        self.number = number
        self.dropped: Counter[DeadLetterReason] = Counter()
        self.engine = RuleEngine(
            groups,
            source=number,
            max_series=limits.series,
            max_per_tenant=limits.series_per_tenant,
            owns=owns,
            part=part,
            amend_within_ms=time.amend_within,
        )
        self._time = time
        self._series_idle_ms = limits.series_idle
        self._watermarks: Watermarks[Source] = Watermarks(expected)
        self._reorder = Reorder()
        self._late = LateHeld(time.amend_within)
        self.late: Counter[str] = Counter()
        self._sources = {source: i for i, source in enumerate(expected)}
        # what was late comes in batches of its own
        self._applied: dict[tuple[Source, bool], int] = {}
        self._frontier = BEFORE_ALL
        self._settled = BEFORE_ALL
        self._failing = Failing(number)
        self._evaluated = BEFORE_ALL
        self._ticked = BEFORE_ALL
        self.record_time = BEFORE_ALL
        self._retired = BEFORE_ALL
        self._edges = Edges(number)
        self.said = Said()

    def apply(self, batches: Sequence[SampleBatch]) -> list[Found]:
        """Take in batches; what is to be told because of them."""
        return [*self.take([self.admit(batch) for batch in batches]), *self.advance()]

    def admit(self, batch: SampleBatch) -> Arrived:
        """The samples of a batch that are new, and the rows of their series."""
        source = (batch.topic, batch.partition)
        late = batch.late_at
        first = self.first_new(source, batch.offsets, late=late is not None)
        rows = np.zeros(0, np.int64)
        if first < len(batch):
            # of a batch that brings nothing new, no series becomes known either
            found = self.engine.store.rows(batch.fingerprints, batch.label_bytes)
            rows = found[batch.series[first:]]
        return Arrived(
            source,
            batch.watermark,
            batch.record_time,
            batch.idle,
            rows,
            batch.times[first:],
            batch.values[first:],
            batch.offsets[first:],
            batch.histograms,
            None if late is None else late[first:],
        )

    def first_new(self, source: Source, offsets: NDArray[np.int64], *, late: bool = False) -> int:
        """Index of the first sample of a source, its offsets ascending, that was not applied before."""
        applied = self._applied.get((source, late), -1)
        if not len(offsets) or offsets[0] > applied:
            return 0
        return int(np.searchsorted(offsets, applied, side="right"))

    def take(self, arrived: Sequence[Arrived]) -> list[Found]:
        """Take in what has come, in the order of the log; what is to be told at once. `advance` is still to come."""
        # one evaluation on arrival for all of a chunk
        taken = [new for each in arrived if (new := self._keep(each)) is not None]
        out: list[Found] = []
        if taken:
            rows, times, values = (
                column[0] if len(column) == 1 else np.concatenate(column)
                for column in zip(*taken, strict=True)
            )
            self.engine.store.touch(rows, times)
            if any(each.histograms for each in arrived):
                # a rule on arrival sees numbers only
                numbers = ~is_handle(values)
                rows, times, values = rows[numbers], times[numbers], values[numbers]
            out += self.engine.arrive(rows, times, values)
            out += self._failed()
        return out

    def _keep(self, arrived: Arrived) -> Columns | None:
        """Hold samples until their tick: row, time and value of those that have a row."""
        source, rows, times, values, offsets = arrived.source, *arrived[4:8]
        frontier = self._frontier
        self._watermarks.advance(source, arrived.watermark, idle=arrived.idle)
        self._frontier = max(frontier, self._watermarks.current())
        self.record_time = max(self.record_time, arrived.record_time)
        if not len(rows):
            return None
        late_at = arrived.late_at
        self._applied[source, late_at is not None] = int(offsets[-1])
        if int(rows.min()) < 0:
            fits = np.flatnonzero(rows >= 0)
            self.dropped[DeadLetterReason.TOO_MANY_SERIES] += len(rows) - len(fits)
            rows, times, values, offsets = rows[fits], times[fits], values[fits], offsets[fits]
            late_at = None if late_at is None else late_at[fits]
        if late_at is not None:
            late_at = np.maximum(late_at, frontier)
            self._hold_late((rows, times, values), late_at, arrived.histograms)
            return None
        if self.engine.ticking:
            number = self._sources.setdefault(source, len(self._sources))
            held = Held(rows, times, values, np.full(len(rows), number, np.int32), offsets)
            if len(times) and int(times.min()) < frontier:
                # its source was given up as idle, and has come back
                late = times < frontier
                late_at = np.full(int(np.count_nonzero(late)), frontier, np.int64)
                behind = rows[late], times[late], values[late]
                self._hold_late(behind, late_at, arrived.histograms)
                held = held.take(np.flatnonzero(~late))
            if arrived.histograms:
                held = held._replace(
                    values=self._reorder.bag.adopt(held.values, arrived.histograms)
                )
            self._reorder.hold(held)
        return rows, times, values

    def _hold_late(
        self, samples: Columns, late_at: Int64s, histograms: Sequence[NativeHistogram]
    ) -> None:
        """Hold late samples until their step; those that are refused are counted."""
        if self.engine.ticking:
            self.engine.store.touch(*samples[:2])
            refused = self._late.hold(*samples, late_at, histograms)
            self.dropped[DeadLetterReason.LATE] += refused

    @property
    def behind(self) -> bool:
        """Whether `advance` has a tick to evaluate or to tell of."""
        passed = self._frontier - 1
        return passed - passed % self._time.tick > self._ticked or (
            self._evaluated != BEFORE_ALL and self.engine.next_tick(self._evaluated) <= passed
        )

    def advance(self) -> list[Found]:
        """Evaluate what the watermark has passed, and say how far that is; after many `take` the same as after each."""
        out: list[Found] = []
        if self._frontier == BEFORE_ALL:
            return out
        passed = self._frontier - 1
        if self._evaluated == BEFORE_ALL:
            self._evaluated = self._before_first(passed)
            if self._evaluated != BEFORE_ALL:
                for rule in self.engine.partial:
                    rule.since = ALWAYS
                self._settle(self._evaluated)
        if self._evaluated != BEFORE_ALL:
            out += self._evaluate(passed)
        told = passed - passed % self._time.tick
        if told > self._ticked:
            self._ticked = told
            if self._evaluated != BEFORE_ALL and told > self._evaluated:
                if self.engine.next_tick(told) > told + LITTLE_MS:
                    # little by little: all the samples of a long interval at once would hold up what comes meanwhile
                    self._append(told)
                # no rule was due since, and none that comes with a reload can be
                self._evaluated = told
            self._obey(told)
            out += self._failing.recover(told)
            if told > self._retired + self._series_idle_ms // RETIREMENTS:
                self._retired = told
                self.engine.retire(told - self._series_idle_ms)
            out.append(Tick(source=self.number, time=told, record_time=self.record_time))
        return out

    def _evaluate(self, until_ms: int) -> list[Found]:
        """All ticks and steps up to a time, in order; where both are at one time, the tick goes first."""
        out: list[Found] = []
        while True:
            tick = self.engine.next_tick(self._evaluated)
            step = self._late.next_step(self._settled, min(until_ms, tick - 1))
            if step is not None:
                out += self._settle(step)
                continue
            if tick > until_ms:
                return out
            self._append(tick)
            self._obey(tick)
            out += self.engine.tick(tick)
            out += self._failed()
            out += self._edges.look(self.engine.store, tick)
            self._evaluated = tick

    def _obey(self, t_ms: int) -> None:
        """Do what people say to detectors, once event time has come to it."""
        for command in self.said.due(t_ms):
            self.engine.obey(command)

    def _settle(self, step: int) -> list[Alert]:
        """Let late samples have their places, and say what is different because of them."""
        late = self._late.take(step)
        if late is not None:
            # those in time come first, wherever they wait
            self._append(step)
        found = self.engine.settle(step, late, self._late.bag)
        self._settled = step
        self.late.update(taken=found.taken, unjudged=found.unjudged)
        return found.alerts

    def _failed(self) -> list[Alert]:
        """Alerts for the rules that have begun to fail."""
        failures, self.engine.failures = self.engine.failures, []
        return self._failing.fail(failures)

    def _append(self, until_ms: int) -> None:
        """Let the store have the samples up to a time, in the order of event time."""
        held, late = self._reorder.release(until_ms)
        self.dropped[DeadLetterReason.LATE] += late
        self.engine.append_sorted(held.rows, held.times, held.values, self._reorder.bag)

    def _before_first(self, passed: int) -> int:
        """Time just before the first sample, once none can come before it any more: the first tick follows it."""
        if not self.engine.ticking:
            return passed
        first = self._reorder.earliest()
        return BEFORE_ALL if first is None or first > passed else first - 1

    @property
    def reached(self) -> int:
        """Event time in ms up to which all has been evaluated, `BEFORE_ALL` where nothing has."""
        return max(self._evaluated, self._ticked)

    @property
    def cuts_since(self) -> dict[str, int]:
        """Event time in ms from which on each cut of wide rules was evaluated, by id; without those that never were."""
        if self._evaluated == BEFORE_ALL:
            # of no samples there is nothing to find
            return {cut.id: ALWAYS for rule in self.engine.partial for cut in rule.cuts}
        begun = [rule for rule in self.engine.partial if rule.since != NOT_YET]
        return {cut.id: rule.since for rule in begun for cut in rule.cuts}

    def snapshot(self) -> tuple[dict[str, NDArray[np.generic]], dict[str, object]]:
        """Columns and small facts that `restore` takes."""
        columns = {f"engine.{k}": v for k, v in self.engine.snapshot().items()}
        columns |= {f"reorder.{k}": v for k, v in self._reorder.snapshot().items()}
        columns |= {f"late.{k}": v for k, v in self._late.snapshot().items()}
        facts: dict[str, object] = {
            "marks": [[*source, *mark] for source, mark in self._watermarks.snapshot().items()],
            "sources": [list(source) for source in self._sources],
            "applied": [[*s, offset] for (s, late), offset in self._applied.items() if not late],
            "applied_late": [[*s, offset] for (s, late), offset in self._applied.items() if late],
            "frontier": self._frontier,
            "settled": self._settled,
            "evaluated": self._evaluated,
            "ticked": self._ticked,
            "record_time": self.record_time,
            "retired": self._retired,
            "failing": self._failing.snapshot(),
            "edges": self._edges.snapshot(),
            "said": self.said.snapshot(),
        }
        return columns, facts

    def restore(
        self, columns: Mapping[str, NDArray[np.generic]], facts: Mapping[str, object]
    ) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: the rules' state cannot be read.

        """

        def part(prefix: str) -> dict[str, NDArray[np.generic]]:
            return {k.removeprefix(prefix): v for k, v in columns.items() if k.startswith(prefix)}

        known: dict[str, list[tuple[str, int, int, bool]]] = facts  # type: ignore[assignment]  # as `snapshot` wrote it
        numbers: dict[str, int] = facts  # type: ignore[assignment]  # as above
        self.engine.restore(part("engine."))
        self._reorder.restore(part("reorder."))
        self._late.restore(part("late."))
        self._watermarks.restore({(t, p): (mark, idle) for t, p, mark, idle in known["marks"]})
        self._sources = {(s[0], s[1]): i for i, s in enumerate(known["sources"])}
        self._applied = {((s[0], s[1]), False): s[2] for s in known["applied"]}
        self._applied |= {((s[0], s[1]), True): s[2] for s in known.get("applied_late", [])}
        self._evaluated = numbers["evaluated"]
        self._ticked = numbers["ticked"]
        self._frontier = numbers.get("frontier", max(self._evaluated, self._ticked))
        self._settled = numbers.get("settled", self._evaluated)
        self.record_time = numbers["record_time"]
        self._retired = numbers["retired"]
        self._failing.restore(known.get("failing", []))
        self.said.restore(known.get("said", {}))  # type: ignore[arg-type]  # as above
        if "edges" in facts:
            self._edges.restore(facts["edges"])  # type: ignore[arg-type]  # as above
