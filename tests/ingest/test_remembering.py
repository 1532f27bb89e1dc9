"""A decoder that adds up what comes: what it knows is part of ingest's checkpoint."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from schemas import topics
from schemas.config import Config
from schemas.labels import Labels
from schemas.samples import SampleBatch, decode_batch
from streams.ingest.stage import IngestStage
from streams.stage import Outgoing
from streams.transport.chunk import Chunk
from tests.schemas.wire.otlp.reading import GOLDEN, Reading

VALUES = [value for values in GOLDEN["sdk"].values() for value in values]
NOW = max(time for _, _, time, _ in Reading().samples(*VALUES))


def stage(kind: str, **source: object) -> IngestStage:
    config = Config.model_validate(
        {
            "sources": [{"topic": "telemetry", "format": kind, **source}],
            # golden records of all signals follow one another, each with its own times
            "time": {"allowed_lateness": "5m", "max_ahead": "5m"},
        }
    )
    return IngestStage(config, config.sources[0], "telemetry", 3)


def chunk(first: int, last: int) -> Chunk:
    return Chunk(
        "telemetry",
        3,
        fetch_offset=first,
        next_offset=last,
        values=list(VALUES[first:last]),
        timestamps=[NOW] * (last - first),
    )


def samples(out: list[Outgoing]) -> Iterator[tuple[Labels, int, str, int]]:
    """Samples of what a stage sends; a native histogram is told by its place alone."""
    for sent in out:
        if sent.topic == topics.SAMPLES:
            batch: SampleBatch = decode_batch(sent.value or b"")
            for row, at in enumerate(batch.series.tolist()):
                value = repr(batch.values[row].item())
                yield batch.labels(at), batch.times.item(row), value, batch.offsets.item(row)


@pytest.mark.parametrize("kind", ["otlp", "auto"])
@pytest.mark.parametrize("cuts", [(), (4,), (5, 6, 13), tuple(range(1, len(VALUES)))])
def test_what_is_added_up_outlives_a_restart(kind: str, cuts: tuple[int, ...]) -> None:
    """However a topic is cut, and with a new worker for each piece, the same samples are sent."""
    wanted = sorted(samples(stage(kind).apply(chunk(0, len(VALUES)))))
    found: list[tuple[Labels, int, str, int]] = []
    worker = stage(kind)
    for first, last in pairwise([0, *cuts, len(VALUES)]):
        found += samples(worker.apply(chunk(first, last)))
        stored = worker.snapshot()
        worker = stage(kind)
        worker.restore(stored)

    assert wanted == sorted(found)
    assert ("source_partition", "telemetry-3") in {pair for labels, *_ in wanted for pair in labels}


RULES = {
    "dropped": {"action": "drop", "source_labels": ["source_partition"], "regex": ".+"},
    "put together": {"action": "labeldrop", "regex": "http_route|direction|le"},
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_series_that_rules_make_one_are_no_repetition(rule: dict[str, object]) -> None:
    """Deltas of series that are dropped, or are one here, are not taken for a record that was sent twice."""
    out = stage("otlp", relabel=[rule]).apply(chunk(0, len(VALUES)))

    assert [] == [sent.value for sent in out if sent.topic == topics.DEAD_LETTERS]
    assert list(samples(out))
