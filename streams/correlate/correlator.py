"""Correlator: one partition of tocsin.alerts to incidents; the pure core of the stage.

Its only clock is the ticks in its input, so its output is a function of its log. The final records are the same,
byte for byte and in the same order, however the records of the detect partitions were interleaved and however often
a restarted worker sent them again; only provisional records depend on what arrived when.
"""

from collections import Counter

import msgspec

from schemas.alerts import AlertRecord, Tick
from schemas.changes import Change
from schemas.commands import Command
from schemas.config import CorrelateConfig, TopologyConfig
from schemas.edges import Edge
from schemas.errors import CheckpointError
from schemas.incidents import Incident
from schemas.reasons import AlertState, CommandReason
from streams.correlate.desk import Refusal
from streams.correlate.dispatcher import Dispatcher
from streams.correlate.early import Early, Told
from streams.correlate.gates import Gates, GatesState
from streams.correlate.graves import Tombstone
from streams.correlate.grouping import DispatcherState
from streams.correlate.ledger import Ledger, LedgerState
from streams.correlate.order import Order, OrderState, Release
from streams.correlate.reasons import DropReason
from streams.correlate.registry import RegistryState

VERSION = 2
READS = (1, VERSION)
"""Versions that can be read; in the first the ledger was nothing but its registry."""

_encoder = msgspec.json.Encoder(order="deterministic")


class _Version(msgspec.Struct, frozen=True):
    correlator: int


class _State(msgspec.Struct, frozen=True):
    correlator: int
    order: OrderState
    ledger: LedgerState
    early: list[Told]
    gates: GatesState = msgspec.field(default_factory=GatesState)
    dispatcher: DispatcherState = msgspec.field(default_factory=DispatcherState)


class _First(msgspec.Struct, frozen=True):
    """The state as version 1 wrote it."""

    order: OrderState
    ledger: RegistryState
    early: list[Told]


class Correlator:
    """Alerts, commands, facts and ticks in, records of incidents out.

    `sources` is how many detect partitions there are; all of them are waited for. With a dispatcher it is that which
    says who is told: its notices stand among the records, and those of the incidents ask for nothing.
    """

    def __init__(
        self,
        config: CorrelateConfig,
        topology: TopologyConfig,
        *,
        sources: int,
        page_horizon_ms: int,
        gates: Gates | None = None,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self._order = Order(sources)
        self.gates = gates
        self.dispatcher = dispatcher
        self._ledger = Ledger(
            config,
            topology,
            page_horizon_ms=page_horizon_ms,
            gates=gates,
            announces=dispatcher is None,
        )
        self._early = Early(self._ledger)
        self._refused: Counter[DropReason] = Counter()

    @property
    def dropped(self) -> Counter[DropReason]:
        """How many alerts had no effect, by reason, since the start of the process."""
        return self._refused + self._ledger.dropped

    @property
    def late(self) -> int:
        """How many alerts were taken in after their time, since the start of the process."""
        return self._order.late

    @property
    def refused(self) -> Counter[CommandReason]:
        """How many commands were not carried out, by reason, since the start of the process."""
        return self._ledger.desk.refused

    def take_refusals(self) -> list[Refusal]:
        """Commands that were not carried out and that no incident shows, since the last call."""
        return self._ledger.desk.take_refusals()

    def take_tombstones(self) -> list[Tombstone]:
        """Keys of incidents whose records may go from the topic by now."""
        return self._ledger.graves.due(self._order.until)

    def apply(self, record: AlertRecord) -> list[Incident]:
        """Take in one record; the final records that it releases, and the provisional one of an urgent alert."""
        if isinstance(record, Tick):
            passed = self._order.tick(record)
            return [] if passed is None else self._advance(passed)
        if isinstance(record, Command):
            self._hold(record)
            return []
        if isinstance(record, Change | Edge):
            self._order.hold_fact(record)
            return []
        if record.state is AlertState.PENDING:
            # the onset that a pending alert tells of comes again with the firing one
            return []
        held = self._order.hold(record)
        if isinstance(held, DropReason):
            self._refused[held] += 1
            return []
        urgent = held.urgent and held.state is AlertState.FIRING
        told = self._early.tell(held) if urgent else []
        if self.dispatcher is not None:
            told = list(map(_untold, told))
        release = self._order.relieve()
        return told if release is None else told + self._advance(release)

    def _hold(self, command: Command) -> None:
        reason = self._order.hold_command(command)
        if reason is CommandReason.DUPLICATE:
            self.refused[reason] += 1
        elif reason is not None:
            self._ledger.desk.refuse(command, reason)

    def _advance(self, release: Release) -> list[Incident]:
        records = self._ledger.advance(release)
        settled = records + self._early.settle(records, release.until)
        if self.dispatcher is None:
            return settled
        notices = self.dispatcher.advance(release, records)
        for command, reason in self.dispatcher.take_refusals():
            self._ledger.desk.refuse(command, reason)
        return list(map(_untold, settled)) + notices

    def snapshot(self) -> bytes:
        """The whole state: JSON with a version; equal states have equal bytes."""
        return _encoder.encode(
            _State(
                VERSION,
                self._order.snapshot(),
                self._ledger.snapshot(),
                self._early.snapshot(),
                GatesState() if self.gates is None else self.gates.snapshot(),
                DispatcherState() if self.dispatcher is None else self.dispatcher.snapshot(),
            )
        )

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none, or of a version that is not known.

        """
        state = _read(blob)
        self._order.restore(state.order)
        self._ledger.restore(state.ledger)
        self._early.restore(state.early)
        if self.gates is not None:
            self.gates.restore(state.gates)
        if self.dispatcher is not None:
            self.dispatcher.restore(state.dispatcher)


def _read(blob: bytes) -> _State:
    try:
        version = msgspec.json.decode(blob, type=_Version).correlator
        if version not in READS:
            raise CheckpointError(
                f"snapshot of the correlator has version {version}, known are {READS}"
            )
        if version == VERSION:
            return msgspec.json.decode(blob, type=_State)
        first = msgspec.json.decode(blob, type=_First)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"snapshot of the correlator: {error}") from error
    return _State(VERSION, first.order, LedgerState(first.ledger), first.early)


def _untold(record: Incident) -> Incident:
    """The record of an incident where notices say who is told."""
    return msgspec.structs.replace(record, announce=None, historical=False)
