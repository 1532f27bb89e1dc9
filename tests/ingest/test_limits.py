"""Limits of a source partition: other tenants are untouched, floods are counted, verdicts hang on the log alone."""

import json
from collections import Counter
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import Config
from schemas.errors import CheckpointError
from schemas.reasons import DeadLetterReason as Why
from streams.ingest.reader import Reader
from streams.ingest.stage import IngestStage, make_reader
from streams.transport.chunk import Chunk

NOW = 1_700_000_000_000


class Sent(NamedTuple):
    """One sample, written this many seconds after the start."""

    tenant: str
    series: int
    second: int = 0
    age_seconds: int = 0


def reader(**limits: object) -> Reader:
    config = Config.model_validate({"limits": limits})
    return make_reader(config, config.sources[0], partitions=4)


def chunk(found: list[Sent], start: int = 0) -> Chunk:
    """A chunk with one sample a record."""
    values: list[bytes | None] = [
        json.dumps(
            {
                "ts": NOW + (each.second - each.age_seconds) * 1000,
                "metric": "m",
                "value": at,
                "labels": {"tenant": each.tenant, "n": str(each.series)},
            }
        ).encode()
        for at, each in enumerate(found, start)
    ]
    return Chunk(
        "telemetry",
        0,
        fetch_offset=start,
        next_offset=start + len(values),
        values=values,
        timestamps=[NOW + each.second * 1000 for each in found],
    )


def outcome(reader: Reader, found: list[Sent], start: int = 0) -> tuple[list[Any], list[Any]]:
    """Label set and offset of each sample that is kept, and origin and reason of each dead letter."""
    samples, letters = reader.read(chunk(found, start))
    labels = reader.interner.label_bytes
    kept = [(labels[i], o) for i, o in zip(samples.ids, samples.offsets.tolist(), strict=True)]
    return kept, [(letter.offset, letter.reason) for letter in letters]


TIGHT = {
    "series": 5,
    "series_per_tenant": 2,
    "tenants": 3,
    "samples_per_second": 2,
    "burst": "1s",
    "series_idle": "2m",
    "dead_letters_per_minute": 2,
}
sent = st.builds(
    Sent,
    st.sampled_from("aaaaabbbcde"),
    st.integers(0, 3),
    st.integers(0, 70),
    st.sampled_from([0, 0, 0, 0, 4, 8]),
)


def in_order(found: list[Sent]) -> list[Sent]:
    """The same with growing times: each second counts from that of the one before."""
    out, second = [], 0
    for each in found:
        second += each.second if each.second > 40 else 0
        out.append(each._replace(second=second))
    return out


@settings(deadline=None)
@given(st.lists(sent, min_size=1, max_size=90), st.data())
def test_cuts_and_restarts_change_nothing(found: list[Sent], data: st.DataObject) -> None:
    """Under limits that all bite, chunks of any size with a restart after each give the same samples and letters."""
    found = in_order(found)
    whole = reader(**TIGHT)
    expected = outcome(whole, found)
    kept: list[Any] = []
    letters: list[Any] = []
    refused: Counter[Why] = Counter()
    state = reader(**TIGHT).snapshot()
    at = 0
    while at < len(found):
        end = at + data.draw(st.integers(1, len(found)))
        part = reader(**TIGHT)
        part.restore(*state)
        more, more_letters = outcome(part, found[at:end], at)
        kept, letters, at = kept + more, letters + more_letters, end
        refused += part.limits.refused
        state = part.snapshot()

    assert expected == (kept, letters)
    assert whole.limits.refused == refused
    assert len(found) == len(kept) + refused.total()


def test_tenant_over_its_rate_loses_its_newest_samples() -> None:
    """What stands above the quota is refused and counted; another tenant in the same chunk keeps everything."""
    busy = reader(samples_per_second=3, burst="1s")
    kept, letters = outcome(busy, [Sent("a", 1), *[Sent("b", 1)] * 5, *[Sent("a", 1)] * 2])

    assert [0, 1, 2, 3, 6, 7] == [offset for _, offset in kept]
    assert [(4, Why.RATE_LIMITED), (5, Why.RATE_LIMITED)] == letters
    assert {"b": 2} == busy.limits.refused_of


def test_refused_by_rate_does_not_move_the_watermark() -> None:
    """A sample over the quota is as if it had not been sent."""
    busy = reader(samples_per_second=1, burst="1s")
    outcome(busy, [Sent("a", 1), Sent("a", 1, age_seconds=-60)])

    assert NOW == busy.newest


def test_a_flood_becomes_few_dead_letters() -> None:
    """Of each tenant, reason and minute so many are written; all are counted; the next minute begins anew."""
    flooded = reader(series_per_tenant=1, dead_letters_per_minute=2)
    flood = [Sent("a", n) for n in range(100)] + [Sent("b", n) for n in range(3)]
    _, letters = outcome(flooded, flood)
    _, later = outcome(flooded, [s._replace(second=60) for s in flood], len(flood))

    assert [1, 2, 101, 102] == [offset for offset, _ in letters]
    assert 4 == len(later)
    assert {Why.TOO_MANY_SERIES: 202} == flooded.limits.refused
    assert {"a": 198, "b": 4} == flooded.limits.refused_of
    assert {Why.TOO_MANY_SERIES: 8} == flooded.limits.written


def test_late_flood_is_sampled_by_tenant() -> None:
    """Refusals by time are sampled like those of the decoder: each tenant's first."""
    flooded = reader(dead_letters_per_minute=2)
    late = [Sent("ab"[n % 2], 1, age_seconds=60) for n in range(20)]
    _, letters = outcome(flooded, [Sent("a", 1), *late])

    assert [(n, Why.LATE) for n in (1, 2, 3, 4)] == letters
    assert {"a": 10, "b": 10} == flooded.limits.refused_of


def test_silent_series_make_room() -> None:
    """A tenant at its limit gets another series once one of its own was silent for `series_idle`."""
    small = reader(series_per_tenant=1, series_idle="2m")
    story = [Sent("a", 1), Sent("a", 2)]
    story += [Sent("b", 1, second) for second in range(0, 181, 30)]
    story.append(Sent("a", 2, 180))
    _, letters = outcome(small, story)

    assert [(1, Why.TOO_MANY_SERIES)] == letters
    assert 3 == len(small.interner)
    outcome(small, [Sent("b", 1, 181)], len(story))
    assert 2 == len(small.interner)


def test_tenants_are_bounded_too() -> None:
    """Above `tenants` a new tenant is refused, and its name makes no series of a metric."""
    small = reader(tenants=2)
    _, letters = outcome(small, [Sent(t, 1) for t in "abcab"])

    assert [(2, Why.TOO_MANY_TENANTS)] == letters
    assert {} == small.limits.refused_of


def test_series_of_a_partition_are_bounded() -> None:
    """Above `series` nobody gets another one, and everybody keeps theirs."""
    small = reader(series=2)
    _, letters = outcome(small, [Sent("a", 1), Sent("b", 1), Sent("a", 2), Sent("b", 1)])

    assert [(2, Why.TOO_MANY_SERIES)] == letters


def test_stage_counts_what_is_refused_and_what_is_written() -> None:
    """Figures of the stage: all refusals, those written, and the tenants."""
    config = Config.model_validate(
        {"limits": {"series_per_tenant": 1, "dead_letters_per_minute": 1}}
    )
    stage = IngestStage(config, config.sources[0], "telemetry", 0)
    stage.apply(chunk([Sent("a", 1), Sent("a", 2), Sent("a", 3)]))

    assert [
        ("refused", "too_many_series", 2),
        ("dead_letters", "too_many_series", 1),
        ("tenant_refused", "a", 2),
    ] == [tuple(figure) for figure in stage.figures()]


def test_restored_stage_keeps_a_tenants_series() -> None:
    """After a restart the same series are within the limit as before, whichever is heard first."""
    config = Config.model_validate({"limits": {"series_per_tenant": 1}})

    def make() -> IngestStage:
        return IngestStage(config, config.sources[0], "telemetry", 0)

    first, second = make(), make()
    first.apply(chunk([Sent("a", 1)]))
    second.restore(first.snapshot())
    sent = second.apply(chunk([Sent("a", 2), Sent("a", 1)], 1))

    assert [1] == [out.value.count(b'"n","1"') for out in sent if out.value and b'"m"' in out.value]
    assert {"too_many_series": 1} == {
        f.reason: f.total for f in second.figures() if f.name == "refused"
    }


@pytest.mark.parametrize("missing", ["tokens", "series.heard", "elapsed", "letters"])
def test_a_snapshot_without_limits_is_refused(missing: str) -> None:
    """Columns or facts that are missing are a fault of the checkpoint."""
    columns, facts = reader().snapshot()

    with pytest.raises(CheckpointError):
        reader().restore(
            {name: column for name, column in columns.items() if name != missing},
            {name: fact for name, fact in facts.items() if name != missing},
        )
