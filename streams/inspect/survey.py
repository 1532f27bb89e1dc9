"""Survey: records through the very reader that ingest uses, and everything that is worth knowing on the way.

Nothing is refused as late, so that lateness can be told; what would be is counted. Where the records' own times are not
known, as in a file of lines, no time is too old or too far ahead.

It refuses to write anything anywhere.
"""

from schemas.config import Config, SourceConfig
from schemas.dead_letters import DeadLetter
from schemas.labels import METRIC, Labels, decode_labels, get_label
from schemas.reasons import DeadLetterReason
from schemas.wire.asking import Answers, Nothing
from schemas.wire.identity import DROPPED
from streams.ingest.identity import make_interner, make_source_decoder
from streams.ingest.reader import Reader
from streams.inspect.behaviour import Behaviour
from streams.inspect.cardinality import label_reports
from streams.inspect.lateness import Spread
from streams.inspect.report import (
    Format,
    Label,
    Lateness,
    Metric,
    Proposal,
    Refused,
    Report,
    Scrubbed,
)
from streams.transport.chunk import Chunk

FOREVER_MS = 2**50
"""Longer than any log, and far from what an int64 holds."""
MOST_TENANTS = 20
SHOWN_HEAD_BYTES = 120
_UNASKED = Nothing("no registry was asked")


class Survey:
    """Takes in the records of one source."""

    def __init__(
        self, config: Config, source: SourceConfig, *, dated: bool, answers: Answers | None = None
    ) -> None:
        """`dated` says that the records have times of their own; `answers` are the schemas that they need."""
        self._answers = answers or {}
        wide = {"allowed_lateness": FOREVER_MS}
        if not dated:
            wide |= {"max_age": FOREVER_MS, "max_ahead": FOREVER_MS}
        self._time = config.time.model_copy(update=wide)
        # ids hold while no series is forgotten
        self._limits = config.limits.model_copy(update={"series_idle": FOREVER_MS})
        self._config = config.model_copy(update={"limits": self._limits})
        self._source = source
        self._dated = dated
        self._interner = make_interner(self._config, source, partitions=1)
        self._readers: dict[int, Reader] = {}
        self._behaviour = Behaviour()
        self._spread = Spread(config.time.allowed_lateness)
        self._examples: dict[DeadLetterReason, DeadLetter] = {}
        self._records = self._bytes = self._samples = 0
        self._first_ms, self._last_ms = FOREVER_MS, -FOREVER_MS
        self._first_stamp, self._last_stamp = FOREVER_MS, -FOREVER_MS

    def add(self, chunk: Chunk) -> None:
        """Take in the next records of a partition."""
        if not len(chunk):
            return
        reader = self._reader(chunk.partition)
        while wanted := reader.wanted(chunk):  # it asks again, and once for each chunk at most
            reader.learn({number: self._answers.get(number, _UNASKED) for number in wanted})
        samples, letters = reader.read(chunk)
        for letter in letters:
            self._examples.setdefault(letter.reason, letter)
        self._records += len(chunk)
        self._bytes += sum(len(value or b"") for value in chunk.values)
        self._first_stamp = min(self._first_stamp, *chunk.timestamps)
        self._last_stamp = max(self._last_stamp, *chunk.timestamps)
        self._samples += len(samples.ids)
        if len(samples.ids):
            self._first_ms = min(self._first_ms, int(samples.times.min()))
            self._last_ms = max(self._last_ms, int(samples.times.max()))
        self._behaviour.add(samples.ids, samples.times, samples.values)
        self._spread.add(chunk.partition, samples.times)

    def _reader(self, partition: int) -> Reader:
        if partition not in self._readers:
            decoder = make_source_decoder(self._config, self._source)
            self._readers[partition] = Reader(decoder, self._interner, self._time, self._limits)
        return self._readers[partition]

    def metrics(self) -> list[Metric]:
        """What is known of each metric, by name."""
        by_name: dict[str, list[int]] = {}
        for at, labels in self._series().items():
            by_name.setdefault(get_label(labels, METRIC), []).append(at)
        return [self._behaviour.metric(name, ids) for name, ids in sorted(by_name.items())]

    def _series(self) -> dict[int, Labels]:
        """Label sets by id, without what rules drop."""
        codes = self._interner.label_bytes
        found = {at: decode_labels(codes[at]) for at in range(len(self._interner))}
        return {at: labels for at, labels in found.items() if not get_label(labels, DROPPED)}

    def report(
        self,
        name: str,
        formats: list[Format],
        *,
        configured: bool,
        rule: Proposal | None,
        config: str,
    ) -> Report:
        """Everything that was found."""
        some = self._samples > 0
        return Report(
            name=name,
            records=self._records,
            size_bytes=self._bytes,
            partitions=len(self._readers),
            formats=formats,
            read_as=self._source.format,
            configured=configured,
            samples=self._samples,
            series=len(self._series()),
            tenants=sorted(self._interner.tenants.names)[:MOST_TENANTS],
            first_ms=self._first_ms if some else None,
            last_ms=self._last_ms if some else None,
            samples_per_second=_rate(self._samples, self._last_ms - self._first_ms),
            records_per_second=_rate(self._records, self._last_stamp - self._first_stamp)
            if self._dated
            else None,
            metrics=self.metrics(),
            labels=self.labels(),
            lateness=self._spread.report(),
            refused=self._refused(),
            ignored=self._ignored(),
            scrubbed=self._scrubbed(),
            rule=rule,
            config=config,
        )

    def labels(self) -> list[Label]:
        """What is known of each label."""
        return label_reports(self._series().values())

    @property
    def lateness(self) -> Lateness | None:
        """How late samples came."""
        return self._spread.report()

    def _refused(self) -> list[Refused]:
        """Reasons with their counts, the most frequent first; late samples, which were let through, among them."""
        counts = {DeadLetterReason.LATE: self._spread.late} if self._spread.late else {}
        for reader in self._readers.values():
            for reason, count in reader.limits.refused.items():
                counts[reason] = counts.get(reason, 0) + count
        return [
            self._example(reason, count)
            for reason, count in sorted(counts.items(), key=lambda pair: -pair[1])
            if count
        ]

    def _example(self, reason: DeadLetterReason, count: int) -> Refused:
        letter = self._examples.get(reason)
        if letter is None:
            return Refused(reason.value, count, -1, -1, "", "")
        head = letter.head[:SHOWN_HEAD_BYTES].decode(errors="backslashreplace")
        return Refused(reason.value, count, letter.partition, letter.offset, letter.detail, head)

    def _ignored(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for reader in self._readers.values():
            for reason, count in reader.limits.ignored.items():
                found[reason.value] = found.get(reason.value, 0) + count
        return found

    def _scrubbed(self) -> list[Scrubbed]:
        scrubber = self._interner.labelling.scrubber
        counts = scrubber.counts if scrubber is not None else {}
        return [Scrubbed(*which, n) for which, n in sorted(counts.items())]


def _rate(count: int, span_ms: int) -> float | None:
    return count / (span_ms / 1000) if span_ms > 0 else None
