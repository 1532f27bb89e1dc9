"""Chunks that wait for an answer: their partition stands still, the others go on, and nothing is lost."""

import asyncio
from collections.abc import Collection

from schemas.wire.asking import Answers, Nothing
from streams.transport.broker import Broker
from streams.transport.chunk import Chunk
from streams.transport.host import Host
from streams.transport.options import RunnerOptions
from tests.kafka.reading import PATIENCE_SECONDS
from tests.transport.tally import Tally, expected
from tests.transport.test_runner import collect, make_topics, produce


class Curious(Tally):
    """A tally that must know the number of a key's first value before it counts any."""

    def __init__(self, output_topic: str) -> None:
        super().__init__(output_topic)
        self.learnt: set[int] = set()

    def wanted(self, chunk: Chunk) -> set[int]:
        found = (value.decode() for value in chunk.values if value)
        asked = {ord(value[0]) for value in found if value[0] in "xyz"}
        return asked - self.learnt

    def learn(self, answers: Answers) -> None:
        self.learnt |= set(answers)


class Oracle:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, frozenset[int]]] = []
        self.open = asyncio.Event()

    async def ask(self, topic: str, ids: Collection[int]) -> Answers:
        self.asked.append((topic, frozenset(ids)))
        await self.open.wait()
        return dict.fromkeys(ids, Nothing(""))


def host(bootstrap: str, prefix: str, oracle: Oracle) -> Host:
    """A process that tallies `<prefix>-in` to `<prefix>-out`, and asks."""
    made = Host(Broker(bootstrap))
    options = RunnerOptions(
        checkpoint_interval_seconds=0.2,
        session_timeout_seconds=6,
        state_topic=f"{prefix}-state",
        ask=oracle.ask,
    )
    made.add(prefix, [f"{prefix}-in"], lambda _topic, _p: Curious(f"{prefix}-out"), options)
    return made


async def until_asked(oracle: Oracle, times: int = 1) -> None:
    """Wait until so many questions are open."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(oracle.asked) < times:
            await asyncio.sleep(0.01)


async def test_others_go_on_while_one_partition_waits(bootstrap: str, prefix: str) -> None:
    """While x waits, what other partitions bring is applied; with the answer x is applied in its order, and once."""
    await make_topics(bootstrap, prefix)
    waits = [f"{key}:{n}" for n in range(40) for key in "xt"]
    goes = [f"{key}:{n}" for n in range(40) for key in "abc"]
    await produce(bootstrap, prefix, waits[:20])
    oracle = Oracle()
    async with host(bootstrap, prefix, oracle) as running:
        await until_asked(oracle)
        await produce(bootstrap, prefix, goes + waits[20:])
        seen = await collect(bootstrap, prefix, set(expected(goes)))
        runner = running.runners[prefix]
        assert set(expected(goes)) == set(seen)
        assert runner.vitals().lag >= 20
        assert not runner.vitals().reachable
        oracle.open.set()
        seen = await collect(bootstrap, prefix, set(expected(waits + goes)))
        assert runner.vitals().reachable
        assert (200, 0) == (runner.stats.records, runner.stats.lost_records)

    assert sorted(expected(waits + goes)) == sorted(seen.elements())
    assert [(f"{prefix}-in", frozenset({ord("x")}))] == oracle.asked


async def test_a_stop_while_a_chunk_waits_loses_nothing(bootstrap: str, prefix: str) -> None:
    """What waits is in no checkpoint, so the next process reads it again and goes on from there."""
    await make_topics(bootstrap, prefix)
    values = [f"{key}:{n}" for n in range(20) for key in "axby"]
    await produce(bootstrap, prefix, values)
    oracle = Oracle()
    async with host(bootstrap, prefix, oracle):
        await until_asked(oracle)
        await collect(bootstrap, prefix, set(expected([f"b:{n}" for n in range(20)])))
    oracle.open.set()
    async with host(bootstrap, prefix, oracle):
        seen = await collect(bootstrap, prefix, set(expected(values)))

    assert sorted(expected(values)) == sorted(seen.elements())


async def test_a_fault_in_what_waited_ends_the_runner(embedded_bootstrap: str, prefix: str) -> None:
    """A stage that fails on a chunk which had waited ends its runner like any other."""
    await make_topics(embedded_bootstrap, prefix)
    await produce(embedded_bootstrap, prefix, ["x:1"])
    oracle = Oracle()
    made = host(embedded_bootstrap, prefix, oracle)
    async with made as running:
        await until_asked(oracle)
        running.runners[prefix].checkpointer.partitions.clear()
        stage_of = running.runners[prefix]._inquiries
        stage_of._go_on = _poisoned
        oracle.open.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running.runners[prefix].failed.wait()
    assert isinstance(running.runners[prefix].error, ValueError)


async def _poisoned(*_: object) -> None:
    raise ValueError("poison")


def test_without_anybody_to_ask_a_stage_is_not_asked() -> None:
    """A runner without registries never holds a chunk."""
    from streams.transport.inquiry import Inquiries

    inquiries = Inquiries(None, None, _poisoned, lambda _: None)  # type: ignore[arg-type]  # not used
    chunk = Chunk("t", 0, fetch_offset=0, next_offset=1, values=[b"x"], timestamps=[0])
    assert set() == inquiries.wanted(Curious("t"), chunk)
