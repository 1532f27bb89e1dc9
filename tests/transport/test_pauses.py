"""The longest pause of an event loop."""

import asyncio
import time
from contextlib import suppress

from streams.transport.pauses import STRETCH_SECONDS, Pauses


def test_the_longest_pause_is_forgotten_after_two_minutes() -> None:
    """A pause is told for at least a minute after it, and for two at most."""
    pauses = Pauses()
    told = []
    for at, pause in ((1.0, 0.2), (59.0, 0.1), (61.0, 0.05), (119.0, 0.01), (121.5, 0.02)):
        pauses.note(at, pause)
        told.append(pauses.longest_seconds)

    assert [0.2, 0.2, 0.2, 0.2, 0.05] == told


def test_silence_is_no_pause() -> None:
    """What was noted long ago does not come back."""
    pauses = Pauses()
    pauses.note(1.0, 0.2)
    pauses.note(10 * STRETCH_SECONDS, 0.01)

    assert 0.01 == pauses.longest_seconds


async def test_a_blocked_loop_is_seen() -> None:
    """A call that holds the loop for a tenth of a second is a pause of about that length."""
    pauses = Pauses()
    task = asyncio.create_task(pauses.watch())
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251  to hold the loop is the point
    await asyncio.sleep(0.02)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert 0.09 < pauses.longest_seconds


def test_what_is_usual_follows_the_pauses() -> None:
    """A single long one moves it little, many short ones bring it to their length."""
    pauses = Pauses()
    pauses.note(1.0, 0.1)
    assert 0.001 < pauses.usual_seconds < 0.01
    for step in range(200):
        pauses.note(1.0 + step / 100, 0.002)

    assert abs(pauses.usual_seconds - 0.002) < 0.0001
