"""A backtest: the same incidents however its input is cut, and none of its own making."""

from collections import Counter

import pytest

from schemas.config import LimitsConfig, load_document
from schemas.reasons import DeadLetterReason, IncidentState
from streams.demo.run import demo_rules, demo_text
from streams.produce.shop import Shop
from streams.produce.shop.faults import FaultKind
from streams.replay import backtest
from streams.replay.backtest import Backtest, Outcome
from streams.replay.pipeline import Recorded

START = 1_700_000_000_000 // 60_000 * 60_000


def recorded(shop: Shop) -> list[Recorded]:
    """A shop's telemetry as it would stand on a topic of four partitions."""
    offsets: Counter[int] = Counter()
    found = []
    for turn, record in enumerate(shop.records()):
        partition = turn % 4
        found.append(
            Recorded("telemetry", partition, offsets[partition], record.timestamp_ms, record.value)
        )
        offsets[partition] += 1
    return found


def run(records: list[Recorded], *, flush: bool = True) -> Outcome:
    """The demo's configuration over these records."""
    config = load_document(demo_text("tocsin.yaml"), "tocsin.yaml").config
    return Backtest(config, demo_rules()).run(records, flush=flush)


STORY = recorded(Shop(5, START, kinds=(FaultKind.SLOW_DATABASE,)))


@pytest.mark.parametrize("size", [97, 100_000])
def test_how_the_input_is_cut_changes_nothing(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Every record of every incident is the same, byte for byte, in chunks of any size."""
    expected = run(STORY)
    monkeypatch.setattr(backtest, "CHUNK", size)

    assert run(STORY).values == expected.values
    assert len(expected.incidents) == 1


def test_order_between_partitions_changes_nothing() -> None:
    """The partitions' records may come in any order that keeps each partition's own."""
    behind = [r for r in STORY if r.partition != 1]
    mixed: list[Recorded] = []
    for at in range(0, len(behind), 300):
        mixed += behind[at : at + 300]
        mixed += [r for r in STORY if r.partition == 1][at // 3 : at // 3 + 100]

    assert sorted(mixed) == sorted(STORY)
    assert run(mixed).values == run(STORY).values


def test_garbage_is_counted_and_changes_nothing() -> None:
    """What cannot be read is refused with its reason; the incidents are the same."""
    garbage = Recorded("telemetry", 0, 10**9, STORY[-1].timestamp_ms, b"\xff")
    outcome = run([*STORY, garbage])

    assert outcome.refused == {DeadLetterReason.NOT_UTF8: 1}
    assert outcome.values == run(STORY).values


def test_a_flood_of_garbage_is_counted_whole() -> None:
    """What is refused counts, also beyond the dead letters that are written of it."""
    last = STORY[-1]
    flood = [
        Recorded("telemetry", 0, 10**9 + n, last.timestamp_ms, b"\xff")
        for n in range(LimitsConfig().dead_letters_per_minute + 50)
    ]

    assert {DeadLetterReason.NOT_UTF8: len(flood)} == run([*STORY, *flood]).refused


def test_shop_without_faults_has_no_incident() -> None:
    """An hour and more in which nothing is wrong stays quiet."""
    shop = Shop(6, START, kinds=())
    records = []
    offsets: Counter[int] = Counter()
    for turn in range(200):
        for record in shop.messages():
            partition = turn % 4
            records.append(
                Recorded(
                    "telemetry", partition, offsets[partition], record.timestamp_ms, record.value
                )
            )
            offsets[partition] += 1

    assert run(records).incidents == []


def test_without_a_flush_the_end_is_left_waiting() -> None:
    """Live workers would still wait for more; a flush brings out what the end had left open."""
    cut = [r for r in STORY if r.timestamp_ms < START + 28 * 60_000]
    waiting, flushed = run(cut, flush=False), run(cut)

    assert [i.id for i in waiting.incidents] == [i.id for i in flushed.incidents]
    assert all(i.state is IncidentState.OPEN for i in flushed.incidents)
