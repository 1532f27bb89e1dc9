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
