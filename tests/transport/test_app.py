import asyncio

import pytest

from streams.transport.app import ChunkApp
from streams.transport.broker import Broker
from streams.transport.options import RunnerOptions


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch) -> ChunkApp:
    """An app with a queue of two whose length is told by `waiting`."""
    made = ChunkApp("group", Broker("127.0.0.1:1"), RunnerOptions(queue_fetches=2))
    made.chunk_topics(["t"])
    made.waiting = 2
    monkeypatch.setattr(made, "_waiting", lambda: made.waiting)
    return made


async def test_there_is_no_room_while_fetches_wait(app: ChunkApp) -> None:
    """After the time given, the fetch is told to try later."""
    assert not await app.room(0.01)
    app.taken.set()
    assert not await app.room(0.01)


async def test_a_fetch_that_is_taken_makes_room_at_once(app: ChunkApp) -> None:
    """The fetch does not wait for its time to pass."""
    asking = asyncio.create_task(app.room(60.0))
    await asyncio.sleep(0)
    app.waiting = 1
    app.taken.set()
    async with asyncio.timeout(60):
        assert await asking


async def test_with_room_nobody_waits(app: ChunkApp) -> None:
    """Even without any time to wait there is an answer."""
    app.waiting = 1
    assert await app.room(0.0)


@pytest.mark.parametrize(("late_ms", "gathers_ms"), [(0.1, 1), (0.5, 1), (1.6, 3), (40.0, 5)])
async def test_the_busier_the_loop_the_longer_a_fetch_gathers(
    late_ms: float, gathers_ms: int
) -> None:
    """Between one millisecond and five; a stage that is in no hurry always gathers as long as it is told."""
    hurried = ChunkApp("group", Broker("127.0.0.1:1"))
    unhurried = ChunkApp("group", Broker("127.0.0.1:1"), RunnerOptions(gather_ms=200))
    hurried.pauses.usual_seconds = unhurried.pauses.usual_seconds = late_ms / 1000

    assert (gathers_ms, 200) == (hurried.gather_ms, unhurried.gather_ms)
