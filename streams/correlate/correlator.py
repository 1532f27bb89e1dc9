"""Correlator: one partition of tocsin.alerts to incidents; the pure core of the stage.

Its only clock is the ticks in its input, so its output is a function of its log. The final records are the same,
byte for byte and in the same order, however the records of the detect partitions were interleaved and however often
a restarted worker sent them again; only provisional records depend on what arrived when.
"""

from collections import Counter

import msgspec

from schemas.alerts import Alert, Tick
from schemas.config import CorrelateConfig, TopologyConfig
from schemas.errors import CheckpointError
from schemas.incidents import Incident
from schemas.reasons import AlertState
from streams.correlate.early import Early, Told
from streams.correlate.ledger import Ledger
from streams.correlate.order import Order, OrderState, Release
from streams.correlate.reasons import DropReason
from streams.correlate.registry import RegistryState
from streams.correlate.topology import Topology

VERSION = 1

_encoder = msgspec.json.Encoder(order="deterministic")


class _Version(msgspec.Struct, frozen=True):
    correlator: int


class _State(msgspec.Struct, frozen=True):
    correlator: int
    order: OrderState
    ledger: RegistryState
    early: list[Told]


class Correlator:
    """Alerts and ticks in, records of incidents out.

    `sources` is how many detect partitions there are; all of them are waited for.
    """

    def __init__(
        self,
        config: CorrelateConfig,
        topology: TopologyConfig,
        *,
        sources: int,
        page_horizon_ms: int,
    ) -> None:
        self._order = Order(sources)
        graph = Topology(topology.calls)
        self._ledger = Ledger(config, graph, page_horizon_ms=page_horizon_ms)
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

    def apply(self, record: Alert | Tick) -> list[Incident]:
        """Take in one record; the final records that it releases, and the provisional one of an urgent alert."""
        if isinstance(record, Tick):
            return self._advance(self._order.tick(record))
        if record.state is AlertState.PENDING:
            # the onset that a pending alert tells of comes again with the firing one
            return []
        held = self._order.hold(record)
        if isinstance(held, DropReason):
            self._refused[held] += 1
            return []
        urgent = held.urgent and held.state is AlertState.FIRING
        told = self._early.tell(held) if urgent else []
        return told + self._advance(self._order.relieve())

    def _advance(self, release: Release | None) -> list[Incident]:
        if release is None:
            return []
        records = self._ledger.advance(release)
        return records + self._early.settle(records, release.until)

    def snapshot(self) -> bytes:
        """The whole state: JSON with a version; equal states have equal bytes."""
        return _encoder.encode(
            _State(
                VERSION,
                self._order.snapshot(),
                self._ledger.snapshot(),
                self._early.snapshot(),
            )
        )

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none, or of a version that is not known.

        """
        try:
            version = msgspec.json.decode(blob, type=_Version).correlator
            if version != VERSION:
                raise CheckpointError(
                    f"snapshot of the correlator has version {version}, known is {VERSION}"
                )
            state = msgspec.json.decode(blob, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CheckpointError(f"snapshot of the correlator: {error}") from error
        self._order.restore(state.order)
        self._ledger.restore(state.ledger)
        self._early.restore(state.early)
