"""Held: our own workers in a process of their own, one stage of which can be held, to see what piles up before it.

It takes one command a line on standard input and answers each with one line of JSON: `hold STAGE`, `release STAGE`
and `look`; the end of the input is the end of the workers. A held stage takes no chunk and everything around it goes
on: the fetcher, the group's heartbeat, the other stages. A process that is stopped as a whole would prove nothing.
"""

import argparse
import asyncio
import logging
import sys
from typing import Any

import msgspec

from benchmarks import workload
from streams.app import Setting, Workers
from streams.time.clock import WallClock
from streams.transport.broker import Broker
from streams.transport.chunk import Chunk
from streams.transport.runner import StageRunner

FLAPPING = f"""
groups:
  - name: flapping
    interval: 1s
    rules:
      - alert: Flapping
        expr: {workload.METRIC} % 2 > 1
        evaluate: on_arrival
"""
"""A rule that changes its mind at every other sample, so that as much goes out as comes in."""
DEAR = f"""
groups:
  - name: dear
    interval: 1s
    rules:
      - alert: RequestTimeOdd
        expr: {workload.METRIC}
        evaluate: on_arrival
        detect: {{detector: auto, false_alarms: 1 per 1000000s}}
"""
"""A rule beside which the broker's part of a message is small."""
RULES = {"plain": workload.RULES, "flapping": FLAPPING, "dear": DEAR}


class Seen(msgspec.Struct, frozen=True):
    """What a stage has done and what waits: `lag` before it, `waiting` behind it; `partitions` that it has now."""

    records: int
    outputs: int
    lag: int
    waiting: int
    checkpoints: int
    partitions: int


class Gate:
    """Stands before a runner's stage; open until it is told otherwise."""

    def __init__(self, runner: StageRunner[Any]) -> None:
        self._runner = runner
        self._take = runner._take  # noqa: SLF001  where a chunk comes out of the queue
        self._open = asyncio.Event()
        self._open.set()
        runner._take = self._pass  # type: ignore[method-assign]  # noqa: SLF001  no user holds a stage

    async def _pass(self, chunk: Chunk) -> None:
        epoch = self._runner.checkpointer.epoch
        await self._open.wait()
        if epoch == self._runner.checkpointer.epoch:
            await self._take(chunk)

    def hold(self) -> None:
        """Let nothing through."""
        self._open.clear()

    def release(self) -> None:
        """Let everything through."""
        self._open.set()


async def run(given: argparse.Namespace) -> None:
    """Run until the input ends.

    Raises:
        Exception: what made a stage fail.

    """
    config = workload.config(
        given.topic, keyed=given.fused, partitions=given.partitions, prefix=given.prefix
    )
    groups = workload.rules(RULES[given.rules])
    broker = Broker.from_config(config.kafka, given.broker)
    stages = ("detect",) if given.fused else ("ingest", "detect")
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    async with Workers(Setting(config, groups, broker, WallClock(), stages)) as workers:
        failing = asyncio.create_task(workers.host.wait(asyncio.Event()))
        obeying = asyncio.create_task(_obey(lines, workers.host.runners))
        await asyncio.wait({failing, obeying}, return_when=asyncio.FIRST_COMPLETED)
        failing.cancel()
        obeying.cancel()
        if failing.done():
            failing.result()
        await asyncio.gather(obeying, return_exceptions=True)


async def _obey(lines: asyncio.StreamReader, runners: dict[str, StageRunner[Any]]) -> None:
    gates = {name: Gate(runner) for name, runner in runners.items()}
    print("{}", flush=True)
    async for line in lines:
        what, _, stage = line.decode().strip().partition(" ")
        if what == "hold":
            gates[stage].hold()
        elif what == "release":
            gates[stage].release()
        answer = {name: look(runner) for name, runner in runners.items()}
        print(msgspec.json.encode(answer).decode(), flush=True)


def look(runner: StageRunner[Any]) -> Seen:
    """What a runner has done so far."""
    vitals = runner.vitals()
    stats = runner.stats
    return Seen(
        stats.records,
        stats.outputs,
        vitals.lag,
        vitals.undelivered,
        vitals.saves,
        len(runner.checkpointer.partitions),
    )


def main() -> None:
    """Obey standard input."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a refusal is told ten times a second
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--prefix", required=True, help="of our own topics and groups")
    parser.add_argument("--partitions", type=int, default=workload.PARTITIONS)
    parser.add_argument("--fused", action="store_true", help="one hop; two without it")
    parser.add_argument("--rules", choices=RULES, default="plain")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
