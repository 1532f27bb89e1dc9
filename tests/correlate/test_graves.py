"""How long an incident stays on its topic."""

import pytest

from schemas import topics
from schemas.config import Config
from schemas.config.correlate import CorrelateConfig
from schemas.records import Record, encode_record
from streams.correlate import CorrelateStage
from streams.correlate import graves as graves_room
from streams.correlate.graves import Graves, Tombstone
from streams.stage import Outgoing
from streams.transport.chunk import Chunk
from tests.correlate.sample import MINUTE, T0, make_alert, make_tick, resolved

HOUR = 60 * MINUTE


def make_stage(retention: int = HOUR) -> CorrelateStage:
    return CorrelateStage(Config(correlate=CorrelateConfig(retention=retention)), sources=1)


def tell(stage: CorrelateStage, *records: Record) -> list[Outgoing]:
    """What comes out of records."""
    values = [encode_record(r) for r in records]
    return stage.apply(
        Chunk(
            topics.ALERTS,
            2,
            fetch_offset=0,
            next_offset=len(values),
            values=list(values),
            timestamps=[T0] * len(values),
        )
    )


def over(stage: CorrelateStage) -> bytes | None:
    """Let an incident open and end within two minutes; its key."""
    alert = make_alert("cart", 0)
    return tell(stage, alert, make_tick(MINUTE), resolved(alert, MINUTE + 1))[-1].key


def test_tombstone_after_retention() -> None:
    """One, in the incident's partition, when it could no longer be reopened for as long as it is kept."""
    stage = make_stage()
    key = over(stage)
    # resolved at 2 minutes, can be reopened for 10 more
    before = tell(stage, make_tick(12 * MINUTE + HOUR))
    (gone,) = tell(stage, make_tick(12 * MINUTE + HOUR + 1))

    assert [] == [r for r in before if r.value is None]
    assert (topics.INCIDENTS, key, None, 2, T0 + 12 * MINUTE + HOUR + 1) == (
        gone.topic,
        gone.key,
        gone.value,
        gone.partition,
        gone.timestamp_ms,
    )
    assert b"tocsin.incident.deleted" == dict(gone.headers)["ce_type"]
    assert [] == tell(stage, make_tick(99 * HOUR))


def test_restart_forgets_no_tombstone() -> None:
    """It comes from a restored stage as from one that went on."""
    stage, restored = make_stage(), make_stage()
    over(stage)
    tell(stage, make_tick(20 * MINUTE))
    restored.restore(stage.snapshot())
    tick = make_tick(3 * HOUR)

    assert tell(stage, tick) == tell(restored, tick) != []


def test_retention_of_zero_keeps_for_ever() -> None:
    """Then the topic keeps the last record of every incident."""
    stage = make_stage(retention=0)
    over(stage)

    assert [] == [r for r in tell(stage, make_tick(9_999 * HOUR)) if r.value is None]


def test_graves_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes early where there are too many."""
    monkeypatch.setattr(graves_room, "GRAVES_MAX", 2)
    graves = Graves(100)
    for n in range(4):
        graves.bury(f"i{n}", "acme", n)

    assert [Tombstone("i0", "acme", 100), Tombstone("i1", "acme", 101)] == graves.due(0)
    assert ["i2", "i3"] == [t.id for t in graves.snapshot()]
