"""Backtest: history through ingest, detect and correlate; the incidents that the live workers would have written.

A recording keeps its partitions and offsets. Samples of other files make one source with one partition. At the end of
the input nothing more is to be waited for, so the end is told to all stages as a watermark; `flush=False` omits it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from schemas import topics
from schemas.alerts import Alert, AlertRecord
from schemas.config import Config
from schemas.incidents import Incident
from schemas.reasons import AlertState, DeadLetterReason
from schemas.records import decode_record
from schemas.samples import encode_batch, make_batch
from streams.correlate import CorrelateStage, ForwardStage, IntakeStage
from streams.detect.merge import MergeStage
from streams.detect.numbers import alert_sources
from streams.detect.stage import CoreStage, DetectStage
from streams.ingest.stage import IngestStage
from streams.replay.pipeline import NewStage, Pipeline, Recorded
from streams.rules.detect import DetectRule
from streams.rules.partial.wide import needs_second_stage
from streams.rules.rule import Rule, RuleGroup
from streams.stage import Counting, Outgoing

CHUNK = 2_000
"""Records fed at a time; the result does not hang on it."""
NEVER_MS = 1 << 62


@dataclass
class Outcome:
    """What came out.

    Attributes:
        records: every record of tocsin.incidents, in order, by incident.
        alerts: transitions by state.
        refused: records and samples refused, by reason; only the first of a flood become dead letters.
        read: records read.

    """

    records: dict[str, list[Incident]] = field(default_factory=dict)
    values: list[bytes] = field(default_factory=list)
    alerts: Counter[AlertState] = field(default_factory=Counter)
    refused: Counter[DeadLetterReason] = field(default_factory=Counter)
    read: int = 0

    @property
    def incidents(self) -> list[Incident]:
        """The last final record of each incident, in the order of their opening."""
        last = [records[-1] for records in self.records.values()]
        return sorted(last, key=lambda i: (i.opened_at, i.id))


class Backtest:
    """Runs records through the stages of a configuration."""

    def __init__(self, config: Config, groups: Sequence[RuleGroup]) -> None:
        self._config = config
        self.outcome = Outcome()
        source = {s.topic: s.model_copy(update={"keyed": False}) for s in config.sources}
        # however much time a chunk spans, nobody was away
        time = config.time.model_copy(update={"page_horizon": NEVER_MS})
        unkeyed = config.model_copy(update={"sources": tuple(source.values()), "time": time})
        second_stage = needs_second_stage(groups, unkeyed.locality)
        sources = alert_sources(unkeyed, second_stage=second_stage)
        readers: dict[str, NewStage] = {
            topics.SAMPLES: lambda _, p: DetectStage(unkeyed, groups, p),
            topics.PARTIALS: lambda _, p: MergeStage(unkeyed, groups, p),
            topics.ALERTS: lambda _t, _p: CorrelateStage(unkeyed, sources=sources),
            topics.COMMANDS: lambda _t, _p: ForwardStage(unkeyed, second_stage=second_stage),
        }
        if config.changes.topic:
            readers[config.changes.topic] = lambda _t, _p: IntakeStage(unkeyed)
        for name in source:
            readers[name] = lambda topic, p: IngestStage(unkeyed, source[topic], topic, p)
        watch = (topics.ALERTS, topics.INCIDENTS)
        self._pipeline = Pipeline(readers, watch=watch)

    def run(
        self,
        records: Iterable[Recorded],
        *,
        flush: bool = True,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Outcome:
        """Feed all records; the outcome.

        `progress` is told how many records have been read.
        """
        remaining = iter(records)
        while chunk := list(islice(remaining, CHUNK)):
            self._note(self._pipeline.feed(chunk))
            self.outcome.read += len(chunk)
            progress(self.outcome.read)
        if flush:
            self._note(self._pipeline.inject(self._end()))
        self.outcome.refused = self._refused()
        return self.outcome

    @property
    def detectors(self) -> list[tuple[Rule, DetectRule]]:
        """Rules with a detector, and what it knows now, of all partitions."""
        return [
            found
            for stage in self._pipeline.stages.values()
            if isinstance(stage, CoreStage)
            for found in stage.core.engine.detectors
        ]

    def _refused(self) -> Counter[DeadLetterReason]:
        counts: Counter[DeadLetterReason] = Counter()
        for stage in self._pipeline.stages.values():
            if isinstance(stage, Counting):
                for figure in stage.figures():
                    if figure.name == "refused":
                        counts[DeadLetterReason(figure.reason)] += figure.total
        return counts

    def _end(self) -> list[Outgoing]:
        """Watermark behind everything, from every source partition to every detect partition."""
        config = self._config
        ingests = [s for s in self._pipeline.stages.values() if isinstance(s, IngestStage)]
        if not ingests:
            return []
        end = max(stage.newest for stage in ingests) + config.time.tick + 1
        partitions = range(config.kafka.partitions)
        return [
            Outgoing(
                topics.SAMPLES,
                encode_batch(make_batch(source.topic, p, watermark=end, record_time=end)),
                partition=target,
                timestamp_ms=end,
            )
            for source in config.sources
            for p in partitions
            for target in partitions
        ]

    def _note(self, sent: Iterable[Outgoing]) -> None:
        for record in sent:
            value = record.value or b""
            if record.topic == topics.INCIDENTS:
                incident = decode_record(value, Incident)
                if not incident.provisional:
                    self.outcome.records.setdefault(incident.id, []).append(incident)
                    self.outcome.values.append(value)
            elif record.topic == topics.ALERTS and record.key is not None:
                found = msgspec.json.decode(value, type=AlertRecord)
                if isinstance(found, Alert):
                    self.outcome.alerts[found.state] += 1
