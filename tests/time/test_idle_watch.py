"""The idle watch's shell: what it takes for silence, and what not."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from streams.agents import idle
from streams.time.clock import ManualClock
from streams.time.idle import Idle
from tests.kafka.reading import until

HERE = TP("telemetry", 0)
HOUR_MS = 3_600_000


class Still:
    """A runner whose only partition stands at its end; `looks` counts how often that was asked for."""

    def __init__(self) -> None:
        self.name = "ingest"
        self.looks = 0
        self.is_away = False
        self.told: list[Idle] = []
        self.checkpointer = SimpleNamespace(partitions={HERE: SimpleNamespace(next_offset=5)})
        self.app = SimpleNamespace(consumer=self)

    async def log_ends(self, places: list[TP]) -> dict[TP, int]:
        self.looks += 1
        if self.is_away:
            raise KafkaTimeoutError
        return dict.fromkeys(places, 5)

    def inject(self, tp: TP, verdict: Idle) -> None:
        assert HERE == tp
        self.told.append(verdict)


class Steady:
    """A wall clock that goes with the monotonic one."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> int:
        return int(time.monotonic() * 1000) + self.offset_ms


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "LOOK_SECONDS", 0.01)


async def test_a_partition_that_stands_at_its_end_is_told() -> None:
    """Once it has been silent for `idle_after`, and again later, with the time of the wall clock."""
    runner = Still()
    watching = asyncio.create_task(idle.watch_idle(runner, Steady(), 50))
    await until(lambda: len(runner.told) >= 2)
    watching.cancel()
    first, second = runner.told[:2]
    assert second.at_ms > first.at_ms


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS])
async def test_a_clock_that_is_set_makes_no_partition_silent(jump_ms: int) -> None:
    """An hour ahead or back: nobody is told, for the silence has not lasted."""
    runner, clock = Still(), Steady()
    watching = asyncio.create_task(idle.watch_idle(runner, clock, HOUR_MS // 2))
    await until(lambda: runner.looks >= 3)
    clock.offset_ms = jump_ms
    seen = runner.looks
    await until(lambda: runner.looks >= seen + 4)
    watching.cancel()
    assert [] == runner.told


async def test_a_clock_that_stands_hides_no_silence() -> None:
    """Silence is measured by the steady clock: one that is set back, little by little, holds nobody up."""
    runner = Still()
    watching = asyncio.create_task(idle.watch_idle(runner, ManualClock(), 50))
    await until(lambda: len(runner.told) >= 2)
    watching.cancel()
    assert Idle(0) == runner.told[0]


async def test_a_broker_that_does_not_answer_makes_no_partition_silent() -> None:
    """However long it was away: nobody is told before its answers alone have lasted for `idle_after`."""
    runner = Still()
    runner.is_away = True
    watching = asyncio.create_task(idle.watch_idle(runner, Steady(), 50))
    await until(lambda: runner.looks >= 20)
    assert [] == runner.told
    runner.is_away, answered = False, runner.looks
    await until(lambda: len(runner.told) >= 1)
    watching.cancel()
    assert runner.looks - answered >= 50 / (idle.MOST_GAP_LOOKS * 10)
