"""History: files of the past, gathered into one store of series, for expressions to be evaluated over.

All samples are taken, in whatever order they stand: nothing is late, and of two samples of a series at one time the
first counts. Memory grows with the files.
Refuses files that cannot be read; single samples that no decoder takes are counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas import topics
from schemas.config import Config, SourceConfig
from schemas.errors import ConfigError, DecodeError
from schemas.handles import without_handles
from schemas.histograms import NativeHistogram
from schemas.samples import decode_batch
from schemas.wire.columns import Decoder
from schemas.wire.identity import NOWHERE, Identity
from schemas.wire.interner import Interner
from schemas.wire.registry import AUTO
from streams.ingest.identity import make_interner, make_source_decoder
from streams.produce.columns import Columns
from streams.replay.openmetrics import is_exposition, read_exposition
from streams.replay.pipeline import Recorded
from streams.replay.sources import open_files
from streams.rules.native.append import append_mixed
from streams.rules.selectors import EVER_MS
from streams.windows.histograms import Bag
from streams.windows.series import SeriesStore

CHUNK = 2_000
"""Records decoded at a time; the result does not hang on it."""


@dataclass
class History:
    """What the files hold.

    Attributes:
        store: every series with all of its samples.
        refused: records and samples that make no sense.

    """

    store: SeriesStore
    refused: int = 0
    _rows: list[NDArray[np.int64]] = field(default_factory=list)
    _times: list[NDArray[np.int64]] = field(default_factory=list)
    _values: list[NDArray[np.float64]] = field(default_factory=list)
    _bag: Bag = field(default_factory=Bag)

    def add(
        self,
        prints: NDArray[np.uint64],
        codes: Sequence[bytes],
        series: NDArray[np.int64],
        times: NDArray[np.int64],
        values: NDArray[np.float64],
        histograms: Sequence[NativeHistogram] = (),
    ) -> None:
        """Samples of series; `series` says which of the label sets each is of, times are ms.

        Handles among the values name `histograms`.
        """
        rows = self.store.rows(prints, codes)[series]
        good = (rows >= 0) & (times >= 0)
        self.refused += int(len(good) - np.count_nonzero(good))
        self._rows.append(rows[good])
        self._times.append(times[good])
        own = values[good]
        self._values.append(
            self._bag.adopt(own, histograms) if histograms else without_handles(own)
        )

    def settle(self) -> None:
        """Put all that was added into the store."""
        none = np.zeros(0)
        rows = np.concatenate([none.astype(np.int64), *self._rows])
        times = np.concatenate([none.astype(np.int64), *self._times])
        values = np.concatenate([none, *self._values])
        order = np.lexsort((times, rows))
        append_mixed(self.store, rows[order], times[order], values[order], self._bag)
        self._bag = Bag()
        self._rows, self._times, self._values = [], [], []


def gather(
    paths: Sequence[Path], config: Config, columns: Columns, at_ms: int | None = None
) -> History:
    """Samples of these files: OpenMetrics texts, a recording, CSV or JSON lines.

    `at_ms` is the time of samples in OpenMetrics texts that have none. Sources of the configuration say how recorded
    topics are read.

    Raises:
        ConfigError: a file cannot be read; says which and why.

    """
    history = _empty(config)
    tenant = config.sources[0].tenant if config.sources else None
    identity = Identity(tenant.label, tenant.default) if tenant else Identity()
    others = []
    for path in paths:
        if is_exposition(path):
            history.add(*read_exposition(path, identity, at_ms))
        else:
            others.append(path)
    if others:
        topic = config.sources[0].topic if config.sources else topics.TELEMETRY
        _Reading(history, config).read(open_files(others, topic, columns))
    history.settle()
    return history


class _Reading:
    """Decodes records of all topics into a history."""

    def __init__(self, history: History, config: Config) -> None:
        self._history = history
        self._config = config
        self._sources = {source.topic: source for source in config.sources}
        self._readers: dict[str, tuple[Decoder, Interner]] = {}

    def _source(self, topic: str) -> SourceConfig:
        """How a topic is read; one that nobody configured is read as it comes, for the tenants of the first source."""
        other = {"topic": topic, "format": AUTO, "labels": {}, "relabel": ()}
        return self._sources.get(topic) or self._config.sources[0].model_copy(update=other)

    def read(self, records: Iterable[Recorded]) -> None:
        remaining = iter(records)
        while chunk := list(islice(remaining, CHUNK)):
            for topic in dict.fromkeys(record.topic for record in chunk):
                values = [record.value for record in chunk if record.topic == topic]
                if topic == topics.SAMPLES:
                    self._batches(values)
                elif topic not in topics.OWN_NAMES:
                    self._telemetry(topic, values)

    def _batches(self, values: Sequence[bytes | None]) -> None:
        for value in values:
            try:
                batch = decode_batch(value or b"")
            except DecodeError:
                self._history.refused += 1
                continue
            series = batch.series.astype(np.int64)
            self._history.add(
                batch.fingerprints,
                batch.label_bytes,
                series,
                batch.times,
                batch.values,
                batch.histograms,
            )

    def _telemetry(self, topic: str, values: Sequence[bytes | None]) -> None:
        if topic not in self._readers:
            config, source = self._config, self._source(topic)
            interner = make_interner(config, source, partitions=1)
            self._readers[topic] = make_source_decoder(config, source), interner
        decoder, interner = self._readers[topic]
        found = decoder.decode(values, interner)
        self._history.refused += len(found.refused) + sum(found.unread.values())
        if interner.drops:
            found = found.keep(interner.partitions(found.series) != NOWHERE)
        ids, series = np.unique(found.series, return_inverse=True)
        codes = interner.label_bytes.gather(ids)
        prints = interner.fingerprints(ids)
        self._history.add(
            prints, codes, series.astype(np.int64), found.times, found.values, found.histograms
        )


def gather_records(records: Iterable[Recorded], config: Config) -> History:
    """Samples of records as they stand in topics: those of `tocsin.samples`, and of the sources as these say."""
    history = _empty(config)
    _Reading(history, config).read(records)
    history.settle()
    return history


def _empty(config: Config) -> History:
    return History(SeriesStore(max_series=config.limits.series, retention_ms=EVER_MS))


def newest_ms(history: History) -> int:
    """Time of the newest sample.

    Raises:
        ConfigError: there is none.

    """
    if not len(history.store):
        raise ConfigError(["there are no samples in these files"])
    return history.store.newest_ms
