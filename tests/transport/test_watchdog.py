import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.transport.watchdog import (
    HELD_SECONDS,
    StallLimits,
    StallReason,
    Vitals,
    Watch,
    Watchdog,
    where,
)

ROOT = Path(__file__).parents[2]
IDLE = Vitals(
    rebalancing=False, lag=0, applied=5, unsaved=False, saves=2, undelivered=0, delivered=7
)
TEN = StallLimits(10, 10, 10, 10, 10)


@pytest.mark.parametrize(
    ("vitals", "expected"),
    [
        pytest.param(IDLE, None, id="an idle worker may rest"),
        pytest.param(IDLE._replace(rebalancing=True), StallReason.REBALANCING, id="rebalance"),
        pytest.param(IDLE._replace(lag=1), StallReason.NO_PROGRESS, id="lag that does not shrink"),
        pytest.param(IDLE._replace(unsaved=True), StallReason.NOT_SAVING, id="dead checkpoints"),
        pytest.param(IDLE._replace(undelivered=1), StallReason.NOT_DELIVERING, id="no deliveries"),
        pytest.param(
            Vitals(True, 1, 5, True, 2, 1, 7), StallReason.NOT_DELIVERING, id="deliveries go first"
        ),
        pytest.param(
            Vitals(True, 1, 5, True, 2, 1, 7, reachable=False), None, id="a broker that is away"
        ),
    ],
)
def test_what_stands_still_too_long_is_named(vitals: Vitals, expected: StallReason | None) -> None:
    """Nothing is said up to the limit, and the reason after it."""
    watch = Watch(TEN)
    assert [None, None, None] == [watch.observe(t, vitals) for t in (0, 5, 10)]
    assert expected == watch.observe(10.5, vitals)


@pytest.mark.parametrize("reason", list(StallReason)[:4])
def test_each_reason_has_a_limit_of_its_own(reason: StallReason) -> None:
    """The limit that is set for a reason is the one that ends the process for it."""
    seconds = dict.fromkeys(StallReason, 100.0) | {reason: 10.0}
    vitals = {
        StallReason.REBALANCING: IDLE._replace(rebalancing=True),
        StallReason.NO_PROGRESS: IDLE._replace(lag=1),
        StallReason.NOT_SAVING: IDLE._replace(unsaved=True),
        StallReason.NOT_DELIVERING: IDLE._replace(undelivered=1),
    }[reason]
    limits = StallLimits(
        seconds[StallReason.REBALANCING],
        seconds[StallReason.NO_PROGRESS],
        seconds[StallReason.NOT_SAVING],
        seconds[StallReason.NOT_DELIVERING],
    )
    watch = Watch(limits)
    assert [None, None, reason] == [watch.observe(t, vitals) for t in (0, 10, 10.5)]


@pytest.mark.parametrize(
    "moving",
    [
        lambda i: IDLE._replace(lag=9, applied=i),
        lambda i: IDLE._replace(lag=9, undelivered=99, delivered=i),
        lambda i: IDLE._replace(unsaved=True, saves=i),
        lambda i: IDLE._replace(rebalancing=i % 2 == 0),
    ],
)
def test_what_moves_is_left_alone(moving: Callable[[int], Vitals]) -> None:
    """Lag with progress, a full outbox that empties, unsaved work with checkpoints, rebalances that end."""
    watch = Watch(StallLimits(1.5, 1.5, 1.5, 1.5))
    assert {None} == {watch.observe(float(i), moving(i)) for i in range(20)}


def test_the_clock_starts_anew_after_progress() -> None:
    """A stall is counted from the last movement on."""
    watch = Watch(TEN)
    stuck = IDLE._replace(lag=3)
    times = [(0, 0), (9, 0), (9.5, 1), (10, 1), (19, 1), (20.5, 1)]
    found = [watch.observe(t, stuck._replace(applied=n)) for t, n in times]
    assert [None, None, None, None, None, StallReason.NO_PROGRESS] == found


def test_outputs_that_are_not_accepted_excuse_the_rest() -> None:
    """While deliveries stand still, lag and unsaved work are not held against a stage, up to their own limit."""
    watch = Watch(StallLimits(10, 10, 10, 100))
    stuck = IDLE._replace(lag=3, unsaved=True, rebalancing=True, undelivered=4)
    assert {None} == {watch.observe(t, stuck) for t in range(101)}
    assert StallReason.NOT_DELIVERING == watch.observe(101, stuck)


def test_an_output_on_its_way_does_not_stop_the_clock() -> None:
    """A delivery that is under way at the moment of a look excuses nothing."""
    watch = Watch(TEN)
    quiet = IDLE._replace(unsaved=True)
    looks = [quiet._replace(undelivered=int(t == HELD_SECONDS - 1)) for t in range(12)]
    assert StallReason.NOT_SAVING == [watch.observe(t, v) for t, v in enumerate(looks)][-1]


async def _said_by(dog_of: Callable[[Callable[[str], None]], Watchdog], seconds: float = 60) -> str:
    """What a watchdog says when it ends the process, in a process that goes on."""
    said: list[str] = []
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(message: str) -> None:
        said.append(message)
        loop.call_soon_threadsafe(ended.set)

    dog = dog_of(end)
    dog.start()
    async with asyncio.timeout(seconds):
        await ended.wait()
    dog.stop()
    (message,) = said
    return message


async def test_the_thread_ends_the_process_with_stage_and_reason() -> None:
    """The thread calls the end once, and says which stage stalled, why, with which figures, and where the loop is."""
    stuck = IDLE._replace(lag=1)
    limits = StallLimits(progress_seconds=0.02)
    message = await _said_by(
        lambda end: Watchdog(
            {"ingest": lambda: IDLE, "detect": lambda: stuck},
            limits=limits,
            period_seconds=0.01,
            end=end,
        )
    )
    begin = "stage detect has stalled (no_progress) for more than 0.02 seconds: rebalancing False, lag 1, "
    assert message.startswith(begin)
    assert " in select < " in message
    assert "\n" not in message


async def test_a_stage_is_watched_from_when_it_is_named() -> None:
    """While the stages start the loop alone is watched; a stage that stalls afterwards ends the process."""

    def dog_of(end: Callable[[str], None]) -> Watchdog:
        dog = Watchdog(limits=StallLimits(progress_seconds=0.02), period_seconds=0.01, end=end)
        stuck = IDLE._replace(lag=1)
        asyncio.get_running_loop().call_later(0.1, lambda: dog.watch({"detect": lambda: stuck}))
        return dog

    assert (await _said_by(dog_of)).startswith("stage detect has stalled (no_progress)")


async def test_a_blocked_loop_is_named_with_the_place() -> None:
    """Code that keeps the loop from answering is found from outside, and named by file and function."""
    told = threading.Event()

    def end_hog(message: str, end: Callable[[str], None]) -> None:
        end(message)
        told.set()

    def hog() -> None:
        while not told.is_set():
            time.sleep(0.01)

    asyncio.get_running_loop().call_later(0.05, hog)
    message = await _said_by(
        lambda end: Watchdog(
            {"a": lambda: IDLE},
            limits=StallLimits(blocked_seconds=0.2),
            period_seconds=0.01,
            end=lambda message: end_hog(message, end),
        )
    )
    assert message.startswith("the event loop has stalled (loop_blocked) for more than 0.2 seconds")
    assert "the loop is at transport/test_watchdog.py:" in message
    assert " in hog < " in message


async def test_a_process_that_was_stopped_is_not_judged_by_the_gap() -> None:
    """After SIGSTOP and SIGCONT the watch begins anew: no look was taken meanwhile."""
    now = [0.0]
    stuck = IDLE._replace(lag=1)
    looks = threading.Semaphore(0)
    ended: list[str] = []

    def read() -> Vitals:
        looks.release()
        return stuck

    dog = Watchdog(
        {"a": read},
        limits=TEN,
        period_seconds=0.01,
        end=ended.append,
        seconds=lambda: now[0],
    )
    dog.start()
    for at in (1.0, 1000.0, 1005.0):
        now[0] = at
        for _ in range(2):
            await asyncio.to_thread(looks.acquire)
    dog.stop()
    assert [] == ended


async def test_a_stopped_watchdog_is_silent() -> None:
    """After `stop` the thread is gone."""
    dog = Watchdog({"a": lambda: IDLE}, period_seconds=0.01, end=pytest.fail)
    dog.start()
    dog.stop()
    assert not dog._thread.is_alive()


def test_a_held_interpreter_ends_without_python() -> None:
    """Where no thread of Python can run, the process still ends, and the places of all threads are told."""
    program = """
import asyncio, re
from streams.transport.watchdog import StallLimits, Watchdog
async def main():
    Watchdog({}, limits=StallLimits(blocked_seconds=0.5), period_seconds=0.1).start()
    await asyncio.sleep(0.5)
    re.fullmatch("(a+)+", "a" * 60 + "b")
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
    )
    assert 1 == done.returncode
    assert "Timeout (" in done.stderr
    assert "in fullmatch" in done.stderr


def test_where_a_thread_is_has_the_innermost_place_first() -> None:
    """File, line and function of this very call."""
    assert where(threading.get_ident()).startswith("transport/watchdog.py:")
    assert "in test_where_a_thread_is_has_the_innermost_place_first" in where(threading.get_ident())
    assert "no frame" == where(0)
