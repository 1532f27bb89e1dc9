"""What the pulse takes for a standstill."""

import asyncio

import pytest

from tests.chaos.pulse import Pulse

DETECT = "p-tocsin-detect"


class Loop:
    """The event loop's time, set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    made = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: made)
    return made


def test_work_that_is_not_done_is_a_standstill(loop: Loop) -> None:
    """It counts once however long it lasts, and again after the stage has gone on in between."""
    pulse = Pulse("", "p-", 60.0)
    for loop.now, done in ((0, 1), (50, 1), (70, 1), (90, 1), (91, 2), (150, 2), (152, 2)):
        pulse._note(DETECT, done, 10)
    assert 2 == pulse.stalls
    assert {"detect": 90.0} == pulse.longest
    assert {"detect": 8} == pulse.behind


def test_neither_idleness_nor_what_was_just_done_to_it_is_a_standstill(loop: Loop) -> None:
    """Nothing to read is no fault; a fault of ours starts the time anew."""
    pulse = Pulse("", "p-", 60.0)
    pulse._note(DETECT, 10, 10)
    loop.now = 100
    pulse._note(DETECT, 10, 10)
    pulse._note(DETECT, 10, 11)
    loop.now = 150
    pulse.excuse()
    loop.now = 200
    pulse._note(DETECT, 10, 11)
    assert (0, {"detect": 50.0}) == (pulse.stalls, pulse.longest)


async def test_level_is_when_every_stage_was_seen_with_nothing_left() -> None:
    """One after the other will do, for a verdict of silence comes by now and then; what was before does not count."""
    pulse = Pulse("", "p-", 60.0)
    stages = ("ingest", "detect", "merge", "correlate", "notify")
    for stage in stages:
        pulse._note(f"p-tocsin-{stage}", 10, 10)
    waiting = asyncio.create_task(pulse.level())
    await asyncio.sleep(0)
    for stage in stages[:-1]:
        pulse._note(f"p-tocsin-{stage}", 10, 10)
    pulse._note("p-tocsin-detect", 10, 11)
    pulse._note("p-tocsin-notify", 10, 11)
    await asyncio.sleep(0)
    assert not waiting.done()
    pulse._note("p-tocsin-notify", 11, 11)
    await waiting
