"""When a process that was stopped may write, and when it never may again."""

import asyncio

from streams.transport.fence import Fence, FencedError


class World:
    """A clock that is set by hand, and groups that answer when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.notes = 0
        self.answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.asked = 0
        self.errors: list[FencedError] = []
        self.fence = Fence(6.0, self.note, self.ask, self.errors.append, lambda: self.now)

    def note(self) -> None:
        self.notes += 1

    async def ask(self) -> bool:
        self.asked += 1
        return await self.answer


async def passes(fence: Fence) -> bool:
    """Whether a write passes without waiting for anybody."""
    waiting = asyncio.create_task(fence.passed())
    for _ in range(5):
        await asyncio.sleep(0)
    done = waiting.done()
    waiting.cancel()
    return done


async def test_a_process_that_runs_is_asked_nothing() -> None:
    """Beats come, members are noted at each beat and at each write, and every write passes."""
    world = World()
    for _ in range(10):
        world.now += 5.0
        world.fence.beat()
        assert await passes(world.fence)
    assert (20, 0, []) == (world.notes, world.asked, world.errors)


async def test_a_write_waits_whichever_thread_is_first() -> None:
    """After a gap nothing passes, be it that the beat comes before the write or after it."""
    for beats_first in (True, False):
        world = World()
        world.fence.beat()
        world.now += 7.0
        if beats_first:
            world.fence.beat()
            world.now += 1.0
            world.fence.beat()
        assert not world.fence.is_open
        assert not await passes(world.fence)
        assert (1, 1) == (world.asked, world.notes), "what it was before the gap is what counts"


async def test_who_is_still_a_member_goes_on() -> None:
    """All writes that waited pass, in spite of the gap, and the groups are asked once."""
    world = World()
    world.now += 60.0
    waiting = [asyncio.create_task(world.fence.passed()) for _ in range(3)]
    await asyncio.sleep(0)
    world.answer.set_result(True)
    await asyncio.gather(*waiting)
    assert (1, []) == (world.asked, world.errors)
    assert await passes(world.fence)


async def test_who_is_none_any_more_never_writes_again() -> None:
    """The error is told once; what waits waits for ever, and so does what comes later."""
    world = World()
    world.now += 60.0
    world.answer.set_result(False)
    assert not await passes(world.fence)
    world.fence.beat()
    assert not await passes(world.fence)
    assert ["stopped for 60 s, others have its partitions"] == list(map(str, world.errors))


async def test_the_thread_beats() -> None:
    """With time that goes on a fence stays open for as long as its thread runs."""
    noted = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def never() -> bool:
        raise AssertionError

    fence = Fence(3_600.0, lambda: loop.call_soon_threadsafe(noted.set), never, print)
    fence.start()
    await noted.wait()
    await fence.passed()
    fence.stop()
