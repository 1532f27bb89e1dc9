"""DetectStage and FusedStage: the pure stages around DetectCore.

DetectStage reads tocsin.samples; FusedStage reads the telemetry of producers that key by locality, with no hop between.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas import topics
from schemas.alerts import Alert, Tick
from schemas.config import Config, SourceConfig
from schemas.errors import DecodeError
from schemas.labels import TENANT, Labels, fingerprint_bytes, get_label, home
from schemas.records import cloud_event_headers, encode_record
from schemas.samples import SampleBatch, decode_batch, make_batch
from streams.detect.core import Arrived, DetectCore, Source
from streams.detect.rows import InternedRows
from streams.ingest.reader import Reader
from streams.ingest.stage import make_reader
from streams.letters import Letters, letter_record
from streams.rules.reload import NewRules
from streams.rules.rule import RuleGroup
from streams.stage import Figure, Outgoing
from streams.state.codec import decode, encode
from streams.time.idle import Idle
from streams.transport.chunk import Chunk

VERSION = 2

Columns: TypeAlias = dict[str, NDArray[np.generic]]


def alert_partition(tenant: str, partitions: int) -> int:
    """Partition of tocsin.alerts that a tenant's alerts go to."""
    return fingerprint_bytes(tenant.encode()) % partitions


def alert_records(found: Sequence[Alert | Tick], partitions: int) -> list[Outgoing]:
    """Transitions to their tenant's partition, ticks to every one.

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
        elif at + 1 == len(found) or isinstance(found[at + 1], Alert):
            stamp = record.record_time
            out += [Outgoing(topics.ALERTS, value, None, p, (), stamp) for p in range(partitions)]
    return out


def expected_sources(config: Config) -> list[Source]:
    """Every partition of every source that ingest reads for detect."""
    unkeyed = [s.topic for s in config.sources if not s.keyed]
    return [(topic, p) for topic in unkeyed for p in range(config.kafka.partitions)]


def detect_sources(config: Config) -> int:
    """How many detect partitions there are, fused ones included: the sources of the correlator."""
    fused = sum(s.keyed for s in config.sources)
    two_hop = any(not s.keyed for s in config.sources)
    return (fused + two_hop) * config.kafka.partitions


def fused_number(config: Config, topic: str, partition: int) -> int:
    """Number of a fused detect partition: after those of tocsin.samples."""
    keyed = [s.topic for s in config.sources if s.keyed]
    first = any(not s.keyed for s in config.sources)
    return (first + keyed.index(topic)) * config.kafka.partitions + partition


def _home(labels: Labels, config: Config) -> int:
    """Detect partition that a label set belongs to."""
    return home(
        get_label(labels, TENANT), dict(labels), config.locality[1:], config.kafka.partitions
    )


class _CoreStage:
    """What both stages share: the core, and how its state is written."""

    def __init__(self, config: Config, core: DetectCore) -> None:
        self.core = core
        self._partitions = config.kafka.partitions

    @property
    def series(self) -> int:
        """Series in the store."""
        return len(self.core.engine.store)

    def figures(self) -> list[Figure]:
        """Dropped samples by reason."""
        return [Figure("samples_dropped", r.value, n) for r, n in self.core.dropped.items()]

    def apply_event(self, event: object) -> list[Outgoing]:
        """Go on with other rules; alerts of those that are gone end at the next tick."""
        if not isinstance(event, NewRules):
            raise TypeError(f"detect takes no such events: {event!r}")
        self.core.engine.replace(event.groups)
        return []

    def _told(self, found: Sequence[Alert | Tick]) -> list[Outgoing]:
        return alert_records(found, self._partitions)

    def _extra(self) -> tuple[Columns, dict[str, Any]]:
        return {}, {}

    def snapshot(self) -> bytes:
        """The whole state of the partition."""
        columns, facts = self.core.snapshot()
        more, further = self._extra()
        return encode(columns | more, kind="detect", version=VERSION, meta=facts | further)

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot."""
        state = decode(blob, kind="detect", version=VERSION)
        self.core.restore(state.columns, state.meta)
        self._restore_extra(state.columns, state.meta)

    def _restore_extra(self, columns: Columns, facts: dict[str, Any]) -> None:
        pass


class DetectStage(_CoreStage):
    """One partition of tocsin.samples to alert transitions and ticks."""

    def __init__(self, config: Config, groups: Sequence[RuleGroup], partition: int) -> None:
        core = DetectCore(
            groups,
            number=partition,
            expected=expected_sources(config),
            time=config.time,
            limits=config.limits,
            owns=lambda labels: _home(labels, config) == partition,
        )
        self._letters = Letters()
        super().__init__(config, core)

    def figures(self) -> list[Figure]:
        """Refused records, and samples dropped."""
        return [*self._letters.figures(), *super().figures()]

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.alerts (and, for what is no batch, to tocsin.dead-letters)."""
        batches: list[SampleBatch] = []
        letters: list[Outgoing] = []
        for row, value in enumerate(chunk.values):
            try:
                batches.append(decode_batch(value or b""))
            except DecodeError as error:
                letters.append(self._letters.refuse(error, chunk, row))
        return [*letters, *self._told(self.core.apply(batches))]


class FusedStage(_CoreStage):
    """One partition of a source keyed by locality, straight to alert transitions and ticks."""

    def __init__(
        self,
        config: Config,
        groups: Sequence[RuleGroup],
        source: SourceConfig,
        partition: int,
    ) -> None:
        self._source: Source = (source.topic, partition)
        self._reader: Reader = make_reader(config, source, partitions=1)
        core = DetectCore(
            groups,
            number=fused_number(config, source.topic, partition),
            expected=[self._source],
            time=config.time,
            limits=config.limits,
        )
        self._rows = InternedRows(core.engine.store, self._reader.interner)
        self._idle_after_ms = config.time.idle_after
        super().__init__(config, core)

    def apply_event(self, event: object) -> list[Outgoing]:
        """Take in that there is nothing to read, or go on with other rules."""
        if not isinstance(event, Idle):
            return super().apply_event(event)
        watermark = max(self._reader.watermark, event.at_ms - self._idle_after_ms)
        topic, partition = self._source
        batch = make_batch(
            topic, partition, watermark=watermark, record_time=event.at_ms, idle=True
        )
        return self._told(self.core.apply([batch]))

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.alerts and tocsin.dead-letters because of a chunk of telemetry."""
        if not len(chunk):
            return []
        reader = self._reader
        samples, letters = reader.read(chunk)
        first = self.core.first_new(self._source, samples.offsets)
        arrived = Arrived(
            self._source,
            reader.watermark,
            reader.record_time,
            False,
            self._rows.of(samples.ids[first:]),
            samples.times[first:],
            samples.values[first:],
            samples.offsets[first:],
        )
        return [*map(letter_record, letters), *self._told(self.core.take([arrived]))]

    def figures(self) -> list[Figure]:
        """Refused records and samples, and those that detect dropped."""
        return [*self._reader.limits.figures(), *super().figures()]

    def _extra(self) -> tuple[Columns, dict[str, Any]]:
        columns, facts = self._reader.snapshot()
        return {f"reader.{name}": column for name, column in columns.items()}, {"reader": facts}

    def _restore_extra(self, columns: Columns, facts: dict[str, Any]) -> None:
        prefix = "reader."
        mine = {k.removeprefix(prefix): v for k, v in columns.items() if k.startswith(prefix)}
        self._reader.restore(mine, facts["reader"])
