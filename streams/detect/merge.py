"""MergeStage: the second stage of wide rules, one partition of tocsin.partials to alert transitions and ticks.

A detect core like the others: its samples are what the detect partitions found, its sources are those partitions, and
all of them are waited for. What is no record of them becomes a dead letter; the rest of its chunk goes through.
"""

from collections.abc import Sequence
from typing import Any

from schemas import topics
from schemas.commands import Command
from schemas.config import Config
from schemas.errors import DecodeError
from schemas.labels import TENANT, get_label
from schemas.partials import Partials, decode_partials
from schemas.records import decode_record
from streams.detect.core import DetectCore
from streams.detect.numbers import detect_sources
from streams.detect.stage import Columns, CoreStage, alert_partition, is_command
from streams.letters import Letters
from streams.rules.partial.merged import Senders
from streams.rules.partial.stages import Second
from streams.rules.past import STEP_MS
from streams.rules.rule import RuleGroup
from streams.stage import Figure, Outgoing
from streams.transport.chunk import Chunk


def _reach(amend_within_ms: int) -> int:
    """How far back corrections go."""
    return amend_within_ms and amend_within_ms + 2 * STEP_MS


class MergeStage(CoreStage):
    """One partition of the second stage: whole tenants."""

    kind = "merge"

    def __init__(self, config: Config, groups: Sequence[RuleGroup], partition: int) -> None:
        sources = detect_sources(config)
        expected = [(topics.SAMPLES, number) for number in range(sources)]
        partitions = config.kafka.partitions
        self._senders = Senders(expected)
        self._letters = Letters()
        # a tenant's series here are groups of rules, of which those of all partitions count
        limits = config.limits.model_copy(update={"series_per_tenant": config.limits.series})
        core = DetectCore(
            groups,
            number=sources + partition,
            expected=expected,
            # what is late is what the detect partitions find otherwise, which they do up to a step behind a late sample
            time=config.time.model_copy(update={"amend_within": _reach(config.time.amend_within)}),
            limits=limits,
            owns=lambda labels: alert_partition(get_label(labels, TENANT), partitions) == partition,
            part=Second(config.locality, self._senders),
        )
        super().__init__(config, core)

    def arrive(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.alerts and tocsin.dead-letters because of a chunk."""
        found: list[Partials] = []
        letters: list[Outgoing] = []
        for row, value in enumerate(chunk.values):
            try:
                if is_command(value):
                    self.core.said.hold(decode_record(value or b"", Command))
                else:
                    found.append(decode_partials(value or b""))
            except DecodeError as error:
                letters.append(self._letters.refuse(error, chunk, row))
        for each in found:
            self._senders.note((each.batch.topic, each.batch.partition), each.since)
        return [*letters, *self._arrived([self.core.admit(each.batch) for each in found])]

    def figures(self) -> list[Figure]:
        """Refused records, and groups dropped for want of room."""
        return [*self._letters.figures(), *super().figures()]

    def _extra(self) -> tuple[Columns, dict[str, Any]]:
        return {}, {"since": self._senders.snapshot()}

    def _restore_extra(self, columns: Columns, facts: dict[str, Any]) -> None:  # noqa: ARG002  it has none
        self._senders.restore(((s[0], s[1]), since) for s, since in facts["since"])
