import threading
from collections.abc import Callable

import pytest

from streams.transport.watchdog import StallReason, Vitals, Watch, Watchdog

IDLE = Vitals(rebalancing=False, lag=0, applied=5, unsaved=False, saves=2)


@pytest.mark.parametrize(
    ("vitals", "expected"),
    [
        pytest.param(IDLE, None, id="an idle worker may rest"),
        pytest.param(IDLE._replace(rebalancing=True), StallReason.REBALANCING, id="rebalance"),
        pytest.param(IDLE._replace(lag=1), StallReason.NO_PROGRESS, id="lag that does not shrink"),
        pytest.param(IDLE._replace(unsaved=True), StallReason.NOT_SAVING, id="dead checkpoints"),
    ],
)
def test_what_stands_still_too_long_is_named(vitals: Vitals, expected: StallReason | None) -> None:
    """Nothing is said up to the limit, and the reason after it."""
    watch = Watch(limit_seconds=10)
    assert [None, None, None] == [watch.observe(t, vitals) for t in (0, 5, 10)]
    assert expected == watch.observe(10.5, vitals)


@pytest.mark.parametrize(
    "moving",
    [
        lambda i: IDLE._replace(lag=9, applied=i),
        lambda i: IDLE._replace(unsaved=True, saves=i),
        lambda i: IDLE._replace(rebalancing=i % 2 == 0),
    ],
)
def test_what_moves_is_left_alone(moving: Callable[[int], Vitals]) -> None:
    """Lag with progress, unsaved work with checkpoints, and rebalances that end are all well."""
    watch = Watch(limit_seconds=1.5)
    assert {None} == {watch.observe(float(i), moving(i)) for i in range(20)}


def test_the_clock_starts_anew_after_progress() -> None:
    """A stall is counted from the last movement on."""
    watch = Watch(limit_seconds=10)
    stuck = IDLE._replace(lag=3)
    times = [(0, 0), (9, 0), (9.5, 1), (10, 1), (19, 1), (20.5, 1)]
    found = [watch.observe(t, stuck._replace(applied=n)) for t, n in times]
    assert [None, None, None, None, None, StallReason.NO_PROGRESS] == found


def test_the_thread_ends_the_process_with_stage_and_reason() -> None:
    """The thread calls the end once, and says which stage stalled and why."""
    ended = threading.Event()
    said = []

    def end(message: str) -> None:
        said.append(message)
        ended.set()

    stuck = IDLE._replace(lag=1)
    dog = Watchdog(
        {"ingest": lambda: IDLE, "detect": lambda: stuck},
        limit_seconds=0.02,
        period_seconds=0.01,
        end=end,
    )
    dog.start()
    assert ended.wait(5)
    dog.stop()
    assert [
        "stage detect has stalled (no_progress) for more than 0.02 seconds; the process ends"
    ] == said


def test_a_stopped_watchdog_is_silent() -> None:
    """After `stop` the thread is gone."""
    dog = Watchdog({"a": lambda: IDLE}, period_seconds=0.01, end=pytest.fail)
    dog.start()
    dog.stop()
    assert not dog._thread.is_alive()
