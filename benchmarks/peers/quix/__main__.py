"""Quix Streams: its stateful `update` on RocksDB, or the same with a plain dict.

State in its own store is one value for each series, because each read and write of it is a call into RocksDB and JSON.
Changelog topics, commits and checkpoints are as the engine has them by default.
"""

from typing import Any

from quixstreams import Application, State  # type: ignore[import-not-found]  # not in our venv

from benchmarks.peers.job import State as Numbers
from benchmarks.peers.job import Totals, learn, new_state
from benchmarks.peers.stretch import Stretch, read_arguments


def main() -> None:
    """Read the topic from its beginning, and measure."""
    given = read_arguments(__doc__, ["state", "dict"])
    stretch, totals = Stretch(given), Totals()
    states: dict[str, Numbers] = {}

    def with_state(sample: dict[str, Any], state: State) -> None:
        numbers = state.get("series") or new_state()
        learn(numbers, sample["ts"], sample["value"], totals)
        state.set("series", numbers)
        if totals.messages >= stretch.mark:
            stretch.reach(totals)

    def with_dict(sample: dict[str, Any]) -> None:
        series = sample["labels"]["service"]
        numbers = states.get(series)
        if numbers is None:
            numbers = states[series] = new_state()
        learn(numbers, sample["ts"], sample["value"], totals)
        if totals.messages >= stretch.mark:
            stretch.reach(totals)

    app = Application(
        given.broker,
        consumer_group=given.name,
        auto_offset_reset="earliest",
        state_dir=given.folder,
        loglevel="ERROR",
    )
    samples = app.dataframe(app.topic(given.topic, value_deserializer="json"))
    if given.form == "state":
        samples.update(with_state, stateful=True)
    else:
        samples.update(with_dict)
    app.run()


if __name__ == "__main__":
    main()
