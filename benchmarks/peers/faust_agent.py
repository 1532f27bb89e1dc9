"""Faust in its idiomatic form: one agent over JSON values, its state a plain dict of lists.

No table, no changelog, nothing survives the process. That flatters the peer, for a table costs more than all the rest.
"""

import argparse
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import faust

from benchmarks.peers.job import State, Totals, learn, new_state
from benchmarks.peers.stretch import Stretch, read_arguments

Series = tuple[str, tuple[tuple[str, str], ...]]
Sample = Mapping[str, Any]


class Statistics(Protocol):
    """Running statistics of every series."""

    totals: Totals

    def learn(self, sample: Sample) -> float:
        """Judge a sample, then learn it; its score where it is an alert, else 0."""
        ...


class Plain:
    """The job in plain Python."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._states: dict[Series, State] = {}

    def learn(self, sample: Sample) -> float:
        """Judge a sample, then learn it; its score where it is an alert, else 0."""
        series = series_of(sample)
        state = self._states.get(series)
        if state is None:
            state = self._states[series] = new_state()
        return learn(state, sample["ts"], sample["value"], self.totals)


def series_of(sample: Sample) -> Series:
    """What identifies the series of a sample: name and labels."""
    return sample["metric"], tuple(sorted(sample["labels"].items()))


def make_app(given: argparse.Namespace, statistics: Statistics) -> Any:
    """The Faust app; it reports and ends after the last of the messages that count."""
    app = faust.App(
        given.name,
        broker=f"kafka://{given.broker}",
        value_serializer="json",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
    )
    alerts = app.topic(given.alerts) if given.alerts else None
    stretch, totals = Stretch(given), statistics.totals

    @app.agent(app.topic(given.topic))  # type: ignore[untyped-decorator]  # Faust is untyped to mypy
    async def watch(stream: AsyncIterator[dict[str, Any]]) -> None:
        async for sample in stream:
            score = statistics.learn(sample)
            if score and alerts is not None:
                await alerts.send(value={**sample, "score": score})
            if totals.messages >= stretch.mark:
                stretch.reach(totals)

    return app


def work(about: str | None, statistics: Statistics) -> None:
    """Read the topic from its beginning, and measure."""
    app = make_app(read_arguments(about), statistics)
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    work(__doc__, Plain())
