import asyncio
from collections.abc import Callable

import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from streams.transport import scout as module
from streams.transport.broker import Broker
from streams.transport.scout import Scout
from tests.transport.test_runner import make_topics, produce


async def until(true: Callable[[], bool]) -> None:
    """Wait for the scout's next look."""
    async with asyncio.timeout(120):
        while not true():
            await asyncio.sleep(0.02)


async def test_it_knows_ends_that_nobody_has_fetched(
    bootstrap: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that arrive move the end, without any consumer of the group."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    await make_topics(bootstrap, prefix)
    place = TP(f"{prefix}-in", sum(b"a") % 4)
    scout = Scout(Broker(bootstrap), lambda: [place])
    await scout.start()
    await until(lambda: {place: 0} == scout.ends)
    await produce(bootstrap, prefix, ["a:1", "a:2", "a:3"])
    await until(lambda: {place: 3} == scout.ends)
    await scout.stop()
    assert scout.reachable


async def test_a_broker_that_does_not_answer_is_no_error(
    embedded_bootstrap: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told by `reachable`, until the next answer; what was known stays."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    await make_topics(embedded_bootstrap, prefix)
    place = TP(f"{prefix}-in", 0)
    scout = Scout(Broker(embedded_bootstrap), lambda: [place])
    await scout.start()
    await until(lambda: {place: 0} == scout.ends)
    assert scout._consumer is not None
    real = scout._consumer.end_offsets

    async def silent(_: object) -> None:
        raise KafkaTimeoutError

    monkeypatch.setattr(scout._consumer, "end_offsets", silent)
    await until(lambda: not scout.reachable)
    assert {place: 0} == scout.ends
    monkeypatch.setattr(scout._consumer, "end_offsets", real)
    await until(lambda: scout.reachable)
    await scout.stop()


async def test_a_scout_that_never_started_can_be_stopped() -> None:
    """A host that fails early stops everything, what has not begun too."""
    scout = Scout(Broker("127.0.0.1:1"), list)
    await scout.stop()
    assert scout.task is None
