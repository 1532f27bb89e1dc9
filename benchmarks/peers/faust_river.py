"""The peer: the same job in idiomatic Faust, as its documentation and river's would have it.

One agent, JSON values, a running mean and variance of river for each series, a z-score for each sample, an alert on a
topic where it is far out. The state is a plain dict: no table, no changelog, nothing survives the process. That
flatters the peer by two thirds, for a table costs more than all the rest.
"""

import argparse
import math
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any

import faust
from river import stats
from scipy.special import erfcinv  # type: ignore[import-untyped]  # scipy ships no types

from benchmarks.measure import Meter, report
from benchmarks.workload import TAIL, WARM_UP_SAMPLES

LIMIT = math.sqrt(2.0) * float(erfcinv(TAIL))
"""Standard deviations beyond which a sample is an alert."""

Series = tuple[str, tuple[tuple[str, str], ...]]


class ZScores:
    """Running mean and variance of each series."""

    def __init__(self) -> None:
        self._variances: dict[Series, stats.Var] = {}

    def score(self, sample: Mapping[str, Any]) -> float:
        """How many standard deviations this sample lies from the mean of those before it; NaN in warm-up."""
        series = (sample["metric"], tuple(sorted(sample["labels"].items())))
        variance = self._variances.get(series)
        if variance is None:
            variance = self._variances[series] = stats.Var()
        value, score = sample["value"], math.nan
        if variance.mean.n >= WARM_UP_SAMPLES:
            deviation = math.sqrt(variance.get())
            score = (value - variance.mean.get()) / deviation if deviation else 0.0
        variance.update(value)
        return score


def make_app(name: str, broker: str, topic: str, alerts_topic: str, limits: tuple[int, int]) -> Any:
    """The Faust app; it reports and ends after the last of the messages that count."""
    app = faust.App(
        name,
        broker=f"kafka://{broker}",
        value_serializer="json",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
    )
    telemetry, alerts = app.topic(topic), app.topic(alerts_topic)
    warm_up, last = limits

    @app.agent(telemetry)  # type: ignore[untyped-decorator]  # Faust is untyped to mypy
    async def watch(stream: AsyncIterator[dict[str, Any]]) -> None:
        scores, seen, found = ZScores(), 0, 0
        meter: Meter | None = None
        async for sample in stream:
            score = scores.score(sample)
            if abs(score) >= LIMIT:
                await alerts.send(value={**sample, "score": score})
                found += 1
            seen += 1
            if seen == warm_up:
                meter = Meter(seen)
            elif seen == last:
                assert meter is not None
                report(meter.stop(seen, alerts=found))
                # nobody waits for what is not measured: Faust takes seconds to leave its group
                os._exit(0)

    return app


def main() -> None:
    """Read the topic from its beginning, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the app and its consumer group")
    parser.add_argument("--broker", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--alerts", required=True, help="topic of the alerts")
    parser.add_argument("--warm-up", type=int, required=True, help="messages before it counts")
    parser.add_argument("--messages", type=int, required=True, help="messages in all")
    given = parser.parse_args()
    limits = (given.warm_up, given.messages)
    app = make_app(given.name, given.broker, given.topic, given.alerts, limits)
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
