import time

import pytest

from streams.time.clock import ManualClock, WallClock


def test_the_wall_clock_tells_milliseconds() -> None:
    """It agrees with the machine's time."""
    before = time.time() * 1000
    assert before - 1 <= WallClock().now_ms() <= time.time() * 1000 + 1


def test_a_manual_clock_moves_only_when_told() -> None:
    """It stands, advances and is set forward."""
    clock = ManualClock(100)
    assert 100 == clock.now_ms()
    clock.advance(5)
    clock.set(200)
    assert 200 == clock.now_ms()


def test_a_manual_clock_does_not_go_back() -> None:
    """A step back is an error, for replays would become meaningless."""
    with pytest.raises(ValueError, match="does not go back"):
        ManualClock(10).set(9)
