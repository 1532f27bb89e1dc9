"""DetectStage and FusedStage: the pure stages around DetectCore.

DetectStage reads tocsin.samples; FusedStage reads the telemetry of producers that key by locality, with no hop between.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from schemas import topics
from schemas.alerts import Alert, Found, Tick
from schemas.commands import Command
from schemas.config import Config, SourceConfig
from schemas.edges import Edge
from schemas.errors import DecodeError
from schemas.labels import TENANT, Labels, fingerprint_bytes, get_label, home
from schemas.reasons import CommandReason
from schemas.records import cloud_event_headers, decode_record, encode_record
from schemas.samples import SampleBatch, decode_batch, make_batch
from schemas.scrub import Scrubber
from schemas.wire.asking import Answers
from streams.detect.arrived import Arrived, Source
from streams.detect.core import DetectCore
from streams.detect.handover import Sender, partial_records
from streams.detect.hush import Hush
from streams.detect.numbers import expected_sources, fused_number
from streams.detect.rows import InternedRows
from streams.detect.said import Told
from streams.detect.states import detector_figures
from streams.ingest.identity import make_scrubber
from streams.ingest.reader import Reader, Samples, parted
from streams.ingest.stage import make_reader
from streams.letters import Letters, letter_record
from streams.rules.partial.rule import take_found
from streams.rules.partial.stages import First
from streams.rules.partial.wide import needs_second_stage
from streams.rules.reload import NewRules
from streams.rules.rule import RuleGroup
from streams.stage import Deferring, Figure, Outgoing, Sealing, scrub_figures
from streams.state.codec import decode, freeze
from streams.time.idle import Idle
from streams.time.watermark import BEFORE_ALL
from streams.transport.chunk import Chunk

VERSION = 2
READS = (1, VERSION)
"""Versions that can be read; the first knew no limits, no rules that fail and no edges."""

Columns: TypeAlias = dict[str, NDArray[np.generic]]


def is_command(value: bytes | None) -> bool:
    """Whether a record between the stages is what somebody says to detectors, and no columns."""
    return value is not None and value.startswith(b"{")


@lru_cache(maxsize=1_000)
def alert_partition(tenant: str, partitions: int) -> int:
    """Partition of tocsin.alerts that a tenant's alerts go to."""
    return fingerprint_bytes(tenant.encode()) % partitions


def alert_records(found: Sequence[Found], partitions: int) -> list[Outgoing]:
    """Transitions and edges to their tenant's partition, ticks to every one.

    Only the last of ticks that follow one another goes out: it says what the others say.
    """
    out = []
    for at, record in enumerate(found):
        value = encode_record(record)
        if isinstance(record, Alert):
            target = alert_partition(record.tenant, partitions)
            source = f"{record.tenant}/{record.rule}"
            headers = cloud_event_headers("alert", record.id, source, record.time)
            key = record.tenant.encode()
            out.append(Outgoing(topics.ALERTS, value, key, target, headers, record.time))
        elif isinstance(record, Edge):
            target = alert_partition(record.tenant, partitions)
            headers = cloud_event_headers("edge", record.id, f"{record.tenant}/edges", record.time)
            key = record.tenant.encode()
            out.append(Outgoing(topics.ALERTS, value, key, target, headers, record.time))
        elif at + 1 == len(found) or not isinstance(found[at + 1], Tick):
            stamp = record.record_time
            out += [Outgoing(topics.ALERTS, value, None, p, (), stamp) for p in range(partitions)]
    return out


def _hands_over(config: Config, groups: Sequence[RuleGroup], given: bool | None) -> bool:
    return needs_second_stage(groups, config.locality) if given is None else given


def _home(labels: Labels, config: Config) -> int:
    """Detect partition that a label set belongs to."""
    return home(
        get_label(labels, TENANT), dict(labels), config.locality[1:], config.kafka.partitions
    )


def _scrubbed(alert: Alert, scrubber: Scrubber) -> Alert:
    """An alert without what its annotations hold that is personal; what its labels show stays."""
    told = scrubber.annotations(alert.annotations, alert.labels)
    return alert if told is alert.annotations else replace(alert, annotations=dict(told))


class CoreStage(Deferring):
    """What all stages with rules share: the core, how its state is written, and what is told.

    `hands_over` says whether there is a second stage for wide rules, which then hears of every step of time.
    """

    kind = "detect"

    def __init__(self, config: Config, core: DetectCore, *, hands_over: bool = False) -> None:
        self.core = core
        self._partitions = config.kafka.partitions
        self.scrubber = make_scrubber(config)
        self._hands_over = hands_over
        self._hush = Hush(config.time.page_horizon)

    @property
    def series(self) -> int:
        """Series in the store."""
        return len(self.core.engine.store)

    def figures(self) -> list[Figure]:
        """Dropped samples by reason, late ones that found a place, and what was scrubbed of annotations."""
        dropped = [Figure("samples_dropped", r.value, n) for r, n in self.core.dropped.items()]
        late = [Figure("samples_late", reason, n) for reason, n in self.core.late.items()]
        known = detector_figures(self.core.engine.detectors)
        many = Figure("commands_refused", CommandReason.TOO_MANY.value, self.core.said.refused)
        return [*dropped, *late, many, *known, *scrub_figures(self.scrubber)]

    def apply_event(self, event: object) -> list[Outgoing]:
        """Go on with other rules; alerts of those that are gone end at the next tick."""
        if not isinstance(event, NewRules):
            raise TypeError(f"detect takes no such events: {event!r}")
        due = self.catch_up()
        self.core.engine.replace(event.groups)
        return due

    @property
    def behind(self) -> bool:
        """Whether a tick is due."""
        return self.core.behind

    def catch_up(self) -> list[Outgoing]:
        """Evaluate the ticks that are due; what is to be sent because of them."""
        return self._told(self.core.advance()) if self.behind else []

    def _arrived(self, arrived: Sequence[Arrived]) -> list[Outgoing]:
        """Take in samples; where no tick is due, there is little else to do, and it is done."""
        found = self.core.take(arrived)
        return self._told(found if self.behind else [*found, *self.core.advance()])

    def _told(self, found: Sequence[Found]) -> list[Outgoing]:
        scrubber = self.scrubber
        if scrubber is not None:
            found = [
                _scrubbed(each, scrubber) if isinstance(each, Alert) else each for each in found
            ]
        records = alert_records(self._hush.over(found), self._partitions)
        if not self._hands_over:
            return records
        core = self.core
        partial = take_found(core.engine.partial)
        if not partial and not any(isinstance(each, Tick) for each in found):
            return records
        homes = {
            tenant: alert_partition(tenant, self._partitions)
            for tenant in {series.tenant for each in partial for series in each.series}
        }
        sender = Sender(core.number, core.reached, core.record_time, core.cuts_since)
        return records + partial_records(sender, partial, homes, self._partitions)

    def _extra(self) -> tuple[Columns, dict[str, Any]]:
        return {}, {}

    def freeze(self) -> Sealing:
        """The whole state of the partition."""
        columns, facts = self.core.snapshot()
        more, further = self._extra()
        further = further | {"hush": self._hush.end}
        return freeze(columns | more, kind=self.kind, version=VERSION, meta=facts | further)

    def snapshot(self) -> bytes:
        """The same as bytes."""
        return bytes(self.freeze()())

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot."""
        state = decode(blob, kind=self.kind, version=READS)
        self.core.restore(state.columns, state.meta)
        self._hush.end = state.meta.get("hush", BEFORE_ALL)
        self._restore_extra(state.columns, state.meta)

    def resumed(self, away_ms: int) -> None:
        """Keep to itself what ended long before it could become known."""
        self._hush.resumed(self.core.record_time, away_ms)

    def _restore_extra(self, columns: Columns, facts: dict[str, Any]) -> None:
        pass


class DetectStage(CoreStage):
    """One partition of tocsin.samples to alert transitions and ticks."""

    def __init__(
        self,
        config: Config,
        groups: Sequence[RuleGroup],
        partition: int,
        *,
        hands_over: bool | None = None,
    ) -> None:
        """`hands_over` is found in the rules where it is not given."""
        core = DetectCore(
            groups,
            number=partition,
            expected=expected_sources(config),
            time=config.time,
            limits=config.limits,
            owns=lambda labels: _home(labels, config) == partition,
            part=First(config.locality),
        )
        self._letters = Letters()
        super().__init__(config, core, hands_over=_hands_over(config, groups, hands_over))

    def figures(self) -> list[Figure]:
        """Refused records, and samples dropped."""
        return [*self._letters.figures(), *super().figures()]

    def arrive(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.alerts (and, for what is no batch, to tocsin.dead-letters)."""
        batches: list[SampleBatch] = []
        letters: list[Outgoing] = []
        for row, value in enumerate(chunk.values):
            try:
                if is_command(value):
                    self.core.said.hold(decode_record(value or b"", Command))
                else:
                    batches.append(decode_batch(value or b""))
            except DecodeError as error:
                letters.append(self._letters.refuse(error, chunk, row))
        return [*letters, *self._arrived([self.core.admit(batch) for batch in batches])]


class FusedStage(CoreStage):
    """One partition of a source keyed by locality, straight to alert transitions and ticks."""

    def __init__(
        self,
        config: Config,
        groups: Sequence[RuleGroup],
        source: SourceConfig,
        partition: int,
        *,
        hands_over: bool | None = None,
    ) -> None:
        """`hands_over` is found in the rules where it is not given."""
        self._source: Source = (source.topic, partition)
        self._reader: Reader = make_reader(config, source, partitions=1)
        core = DetectCore(
            groups,
            number=fused_number(config, source.topic, partition),
            expected=[self._source],
            time=config.time,
            limits=config.limits,
            part=First(config.locality),
        )
        self._rows = InternedRows(core.engine.store, self._reader.interner)
        self._idle_after_ms = config.time.idle_after
        super().__init__(config, core, hands_over=_hands_over(config, groups, hands_over))

    def apply_event(self, event: object) -> list[Outgoing]:
        """Take in that there is nothing to read, what people say to detectors, or other rules."""
        if isinstance(event, Told):
            self.core.said.hear(event)
            return []
        if not isinstance(event, Idle):
            return super().apply_event(event)
        watermark = max(self._reader.watermark, event.at_ms - self._idle_after_ms)
        topic, partition = self._source
        batch = make_batch(
            topic, partition, watermark=watermark, record_time=event.at_ms, idle=True
        )
        return self._told(self.core.apply([batch]))

    def wanted(self, chunk: Chunk) -> set[int]:
        """Ids of schemas that are to be learnt before this chunk is applied."""
        return self._reader.wanted(chunk)

    def learn(self, answers: Answers) -> None:
        """Take in schemas."""
        self._reader.learn(answers)

    def arrive(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.alerts and tocsin.dead-letters because of a chunk of telemetry."""
        if not len(chunk):
            return []
        reader = self._reader
        samples, letters = reader.read(chunk)
        arrived = [self._new(part) for part in parted(samples)]
        return [*map(letter_record, letters), *self._arrived(arrived)]

    def _new(self, samples: Samples) -> Arrived:
        late_at = samples.late_at
        first = self.core.first_new(self._source, samples.offsets, late=late_at is not None)
        return Arrived(
            self._source,
            self._reader.watermark if late_at is None else BEFORE_ALL,
            self._reader.record_time,
            False,
            self._rows.of(samples.ids[first:]),
            samples.times[first:],
            samples.values[first:],
            samples.offsets[first:],
            samples.histograms,
            None if late_at is None else late_at[first:],
        )

    def figures(self) -> list[Figure]:
        """Refused records and samples, and those that detect dropped."""
        return [*self._reader.limits.figures(), *super().figures()]

    def _extra(self) -> tuple[Columns, dict[str, Any]]:
        columns, facts = self._reader.snapshot()
        return {f"reader.{name}": column for name, column in columns.items()}, {"reader": facts}

    def _restore_extra(self, columns: Columns, facts: dict[str, Any]) -> None:
        prefix = "reader."
        mine = {k.removeprefix(prefix): v for k, v in columns.items() if k.startswith(prefix)}
        self._reader.restore(mine, facts.get("reader", facts))
