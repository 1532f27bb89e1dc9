"""Worker: our own workers in a process of their own, measured while they read a topic to its end.

They are those of `tocsin run`; nothing is left out: checkpoints, commits, alerts and ticks on their topic. Fused, the
telemetry goes straight to detect; with two hops it goes through ingest and tocsin.samples, both in this process.
"""

import argparse
import asyncio
from collections.abc import Callable
from typing import Any

from benchmarks import workload
from benchmarks.measure import Meter, report
from streams.app import Setting, Workers
from streams.time.clock import WallClock
from streams.transport.broker import Broker
from streams.transport.runner import StageRunner

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 120.0


async def run(given: argparse.Namespace) -> None:
    """Read `messages` messages, and report those after the warm-up."""
    config = workload.config(given.topic, keyed=given.fused, prefix=given.prefix)
    broker = Broker.from_config(config.kafka, given.broker)
    stages = ("detect",) if given.fused else ("ingest", "detect")
    setting = Setting(config, workload.rules(), broker, WallClock(), stages)
    async with Workers(setting) as workers:
        runners = workers.host.runners
        reader = runners["fused" if given.fused else "ingest"]
        await _until(lambda: reader.stats.records >= given.warm_up, workers)
        meter = Meter(reader.stats.records)
        await _until(lambda: reader.stats.records >= given.messages, workers)
        if not given.fused:
            await _until(lambda: _through(reader, runners["detect"]), workers)
        measured = meter.stop(
            reader.stats.records,
            outputs=sum(r.stats.outputs for r in runners.values()),
            checkpoints=sum(r.checkpointer.commits for r in runners.values()),
            chunks=sum(r.stats.chunks for r in runners.values()),
        )
        report(measured)


async def _until(true: Callable[[], bool], workers: Workers) -> None:
    """Wait until it is true.

    Raises:
        RuntimeError: it did not come true in time; the message says how far each stage had come.
        Exception: what made a stage fail.

    """
    failed = asyncio.create_task(workers.host.wait(asyncio.Event()))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not true():
                if failed.done():
                    failed.result()
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        found = {n: (r.stats, r.vitals()) for n, r in workers.host.runners.items()}
        raise RuntimeError(f"not through after {PATIENCE_SECONDS:g} s: {found}") from error
    finally:
        failed.cancel()


def _through(ingest: StageRunner[Any], detect: StageRunner[Any]) -> bool:
    """Whether detect has applied all that ingest has put out."""
    if ingest.outbox.pending:
        return False
    stages = [partition.stage for partition in ingest.checkpointer.partitions.values()]
    letters = sum(
        figure.total
        for stage in stages
        for figure in stage.figures()
        if figure.name == "dead_letters"
    )
    return bool(detect.stats.records >= ingest.stats.outputs - letters)


def main() -> None:
    """Read the topic from its beginning, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--prefix", required=True, help="of our own topics and groups")
    parser.add_argument("--warm-up", type=int, required=True, help="messages before it counts")
    parser.add_argument("--messages", type=int, required=True, help="messages in all")
    parser.add_argument("--fused", action="store_true", help="one hop; two without it")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
