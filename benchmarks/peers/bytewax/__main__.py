"""Bytewax: its stateful operator keyed by series, or a whole batch of messages in one call with a plain dict.

Values are decoded a batch at a time by msgspec, which is faster than the json of its examples. One worker, no recovery
store, so that nothing survives the process.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from bytewax import operators as op  # type: ignore[import-not-found]  # not in our venv
from bytewax.connectors.kafka import KafkaSource  # type: ignore[import-not-found]  # as above
from bytewax.dataflow import Dataflow  # type: ignore[import-not-found]  # as above
from bytewax.run import cli_main  # type: ignore[import-not-found]  # as above
from bytewax.testing import TestingSink  # type: ignore[import-not-found]  # as above

from benchmarks.peers.job import State, Totals, learn, new_state
from benchmarks.peers.stretch import Stretch, read_arguments

BATCH = 100
"""Messages of one poll: 50, 100 and 250 were equally fast, 500 slower by a tenth or more; the default is 1,000."""


class Labels(msgspec.Struct):
    """Of a sample."""

    service: str


class Sample(msgspec.Struct):
    """One message."""

    ts: int
    value: float
    labels: Labels


Keyed = tuple[str, Sample]


def main() -> None:
    """Read the topic from its beginning, and measure."""
    given = read_arguments(__doc__, ["state", "batched"])
    stretch, totals = Stretch(given), Totals()
    decode = msgspec.json.Decoder(Sample).decode
    states: dict[str, State] = {}

    def keyed(batch: list[Any]) -> Iterable[Keyed]:
        samples = [decode(message.value) for message in batch]
        return [(sample.labels.service, sample) for sample in samples]

    def with_state(state: State | None, sample: Sample) -> tuple[State, Iterable[float]]:
        numbers = state or new_state()
        score = learn(numbers, sample.ts, sample.value, totals)
        if totals.messages >= stretch.mark:
            stretch.reach(totals)
        return numbers, (score,) if score else ()

    def with_dict(batch: list[Any]) -> Iterable[float]:
        scores = []
        for message in batch:
            sample = decode(message.value)
            series = sample.labels.service
            numbers = states.get(series)
            if numbers is None:
                numbers = states[series] = new_state()
            score = learn(numbers, sample.ts, sample.value, totals)
            if score:
                scores.append(score)
        if totals.messages >= stretch.mark:
            stretch.reach(totals)
        return scores

    flow = Dataflow("peer")
    source = KafkaSource([given.broker], [given.topic], batch_size=BATCH)
    read = op.input("read", flow, source)
    if given.form == "state":
        by_series = op.flat_map_batch("decode", read, keyed)
        alerts = op.stateful_flat_map("watch", by_series, with_state)
    else:
        alerts = op.flat_map_batch("watch", read, with_dict)
    op.output("alerts", alerts, TestingSink([]))
    cli_main(flow)


if __name__ == "__main__":
    main()
