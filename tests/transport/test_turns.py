"""Whose turn it is when what time asks for can wait."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from faust.types import TP

from streams.stage import Deferring
from streams.state.partition import Partition
from streams.transport.chunk import Chunk
from streams.transport.turns import CHUNKS_MAX, Turns
from tests.kafka.reading import PATIENCE_SECONDS
from tests.transport.tally import LateTally, Tally


def partition(number: int, kind: type[Tally] = LateTally) -> Partition[Any]:
    """A partition with a stage that has taken in a record."""
    stage = kind("out")
    chunk = Chunk("t", number, fetch_offset=0, next_offset=1, values=[b"a:1"], timestamps=[0])
    (stage.arrive if isinstance(stage, Deferring) else stage.apply)(chunk)
    return Partition(TP("t", number), stage, 1)


@pytest.fixture
def done() -> list[object]:
    """What happened, in order."""
    return []


@pytest.fixture
def turns(done: list[object]) -> Turns:
    """Turns whose partitions catch up, and say so."""

    def catch_up(partition: Partition[Any]) -> None:
        partition.stage.catch_up()
        done.append(partition.tp.partition)

    return Turns(catch_up)


async def test_each_has_its_turn_and_others_go_between(turns: Turns, done: list[object]) -> None:
    """In the order in which they began to wait; what else the loop has to do goes before each."""
    for number in (2, 0, 1):
        turns.arrived(partition(number))
    running = asyncio.create_task(turns.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len([each for each in done if each != "else"]) < 3:
            done.append("else")
            await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert [2, 0, 1] == [each for each in done if each != "else"]
    assert all("else" == done[done.index(number) - 1] for number in (2, 0, 1))


async def test_who_is_not_behind_does_not_wait(turns: Turns, done: list[object]) -> None:
    """A stage that puts nothing off has no turn, nor has one that has caught up."""
    turns.arrived(partition(0, Tally))
    caught_up = partition(1)
    caught_up.stage.catch_up()
    turns.arrived(caught_up)
    for number in (0, 1):
        turns.finish(TP("t", number))

    assert [] == done


async def test_nobody_waits_for_many_chunks(turns: Turns, done: list[object]) -> None:
    """Who has put off so many is waited for at once; and once only."""
    waiting = partition(0)
    for _ in range(CHUNKS_MAX - 1):
        turns.arrived(waiting)
    assert [] == done
    turns.arrived(waiting)
    turns.finish(waiting.tp)

    assert [0] == done
