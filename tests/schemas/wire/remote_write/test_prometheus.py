"""What the real Prometheus 3 wrote: every request of it is read, and both versions say the same."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import LimitsConfig
from schemas.handles import is_handle, numbers_of
from schemas.histograms import Hint, NativeHistogram
from schemas.labels import METRIC
from schemas.reasons import IgnoreReason
from schemas.samples import STALE_BITS
from schemas.wire.auto import AUTO
from schemas.wire.columns import Columns
from schemas.wire.interner import Identity, Interner
from tests.schemas.wire.remote_write.requests import GOLDEN, decode, names, pack, prometheus

VERSIONS = pytest.mark.parametrize("version", [1, 2])
ENDED = "ended"


def spelled(columns: Columns, interner: Interner) -> list[tuple[str, int, object]]:
    """Each sample as label set, time and value: a histogram, the word for a stale marker, or a number."""
    stale = columns.values.view(np.int64) == STALE_BITS
    native = is_handle(columns.values)
    numbers = numbers_of(columns.values)
    found: list[tuple[str, int, object]] = []
    for at, labels in enumerate(names(columns, interner)):
        value: object = repr(float(columns.values[at]))
        if stale[at]:
            value = ENDED
        elif native[at]:
            value = columns.histograms[numbers[at]]
        found.append((json.dumps(labels, sort_keys=True), int(columns.times[at]), value))
    return sorted(found, key=lambda each: each[:2])


@VERSIONS
def test_nothing_is_refused(version: int) -> None:
    """Exemplars are counted; the other things that a request has are no loss."""
    columns, _ = decode(*(each.value for each in prometheus(version)))

    assert [] == columns.refused
    assert {IgnoreReason.EXEMPLAR: 35} == dict(columns.ignored)


def test_both_versions_say_the_same() -> None:
    """Every sample of 1.0 is one of 2.0, which has the histograms with custom buckets besides."""
    first, second = (
        spelled(*decode(*(each.value for each in prometheus(version)))) for version in (1, 2)
    )
    custom = [each for each in second if '"answer_seconds"' in each[0] and each[2] != ENDED]

    assert first == [each for each in second if each not in custom]
    assert 14 == len(custom)
    assert all(isinstance(value, NativeHistogram) and value.is_custom for *_, value in custom)


def test_a_histogram_is_what_the_exporter_said() -> None:
    """Integer buckets with gaps, negative ones, a zero bucket; custom bounds; a recorded one is a gauge of floats."""
    found = spelled(*decode(*(each.value for each in prometheus(2))))

    def of(metric: str) -> list[NativeHistogram]:
        return [
            value
            for labels, _, value in found
            if json.loads(labels)[METRIC] == metric and isinstance(value, NativeHistogram)
        ]

    assert (
        NativeHistogram(
            schema=3,
            count=8.0,
            sum=6.0,
            zero_threshold=0.001,
            zero_count=1.0,
            positive={-8: 1.0, -7: 2.0, -6: 1.0, 5: 1.0},
            negative={2: 2.0},
        )
        == of("request_seconds")[0]
    )
    assert {0: 2.0, 1: 3.0, 2: 1.0, 3: 1.0} == of("answer_seconds")[0].positive
    assert (0.5, 1.0, 2.5) == of("answer_seconds")[0].bounds
    recorded = of("job:request_seconds:rate6s")
    assert {Hint.GAUGE} == {each.hint for each in recorded}
    assert any(each.count != round(each.count) for each in recorded)


@VERSIONS
def test_series_end_with_a_stale_marker(version: int) -> None:
    """One that the exporter left out, and all when it went away, the histograms too."""
    ends: dict[str, list[object]] = {}
    for labels, _, value in spelled(*decode(*(each.value for each in prometheus(version)))):
        ends.setdefault(labels, []).append(value)
    scraped = {each: values for each, values in ends.items() if "instance" in json.loads(each)}
    ours = ("up", "scrape_")
    ended = {e for e in scraped if not json.loads(e)[METRIC].startswith(ours)}

    assert 11 == len(ended)
    assert {ENDED} == {scraped[each][-1] for each in ended}
    assert {1} == {values.count(ENDED) for each, values in scraped.items() if each in ended}
    (left_out,) = (values for each, values in scraped.items() if '"404"' in each)
    assert 8 == len(left_out)
    (nan,) = (values for each, values in scraped.items() if '"nan"' in each)
    assert "nan" in nan


@VERSIONS
def test_infinity_is_a_value(version: int) -> None:
    """Both of them."""
    columns, _ = decode(*(each.value for each in prometheus(version)))

    assert {math.inf, -math.inf} == set(columns.values[np.isinf(columns.values)].tolist())


@VERSIONS
def test_auto_knows_it(version: int) -> None:
    """Every request, whether its headers are there or not."""
    records = json.loads(GOLDEN.read_text())["records"]
    headers = [
        [(key, text.encode()) for key, text in each["headers"].items()]
        for each in records
        if each["version"] == version
    ]
    values = [each.value for each in prometheus(version)]
    limits = LimitsConfig()
    expected, _ = decode(*values)
    for told in (headers, None):
        columns = AUTO.make(limits).decode(values, Interner(Identity(partitions=4), limits), told)

        assert [] == columns.refused
        assert expected.values.tobytes() == columns.values.tobytes()


REAL = [each.value for version in (1, 2) for each in prometheus(version)]


@given(st.sampled_from(REAL), st.integers(0, 10_000), st.binary(max_size=6), st.booleans())
def test_damaged_requests_never_raise(real: bytes, at: int, damage: bytes, inside: bool) -> None:
    """Bytes changed in the packed request or within it, or the rest cut off; its neighbours go through."""
    import cramjam

    data = bytes(cramjam.snappy.decompress_raw(real)) if inside else real
    at %= len(data)
    broken = data[:at] + damage + (data[at + len(damage) :] if damage else b"")
    columns, interner = decode(REAL[0], pack(broken) if inside else broken, REAL[-1])
    whole = [len(decode(each)[0].series) for each in (REAL[0], REAL[-1])]

    assert whole == [int(np.count_nonzero(columns.records == n)) for n in (0, 2)]
    assert all(0 <= row < len(interner) for row in columns.series.tolist())
