"""Detect: one online pass over columns."""

from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.registry import names
from schemas.errors import ConfigError
from streams import analyse
from streams.analyse import Watch, ask
from streams.analyse.answer import join
from tests.analyse.conftest import START_MS, STEP_MS

FLAGS = 700, 702
# what is found must not hang on which detector is the default
detect = partial(analyse.detect, detector="robust")


def test_a_spike_is_found(times: np.ndarray, values: np.ndarray) -> None:
    """The spike is flagged from its first sample to its last, and each series is said in short."""
    found = detect(times, values)
    (summary,) = found.summary()

    assert FLAGS == (found.spans[0][0].first, found.spans[0][0].last)
    assert ("value", 1500, 10, times[700]) == (
        summary.series,
        summary.samples,
        summary.missing,
        summary.first_flag_ms,
    )
    assert int(found.judged.flag.sum()) == summary.flagged
    assert len(found.spans[0]) == summary.spans
    assert 1.0 == summary.asked_per_week


@given(st.integers(61, 1499), st.sampled_from(["robust", "gaussian", "seasonal"]))
@settings(max_examples=12, deadline=None)
def test_a_prefix_is_answered_the_same(cut: int, detector: str) -> None:
    """No sample is judged by a later one: the answer for a beginning is the beginning of the answer."""
    values = np.random.default_rng(cut).normal(size=1500)
    times = START_MS + STEP_MS * np.arange(1500)
    whole, part = (detect(times[:n], values[:n], detector=detector) for n in (1500, cut))

    for name in ("score", "expected", "flag", "reason"):
        np.testing.assert_array_equal(
            getattr(whole.judged, name)[:cut], getattr(part.judged, name), name
        )


def test_a_table_is_its_series(times: np.ndarray, values: np.ndarray) -> None:
    """Series of one table are judged as each alone, row after row or series after series."""
    other = values[::-1].copy()
    for detector in ("robust", "seasonal"):
        table = detect(times, {"a": values, "b": other}, detector=detector)
        alone = detect(times, other, detector=detector)

        assert ("a", "b") == table.frame.names
        np.testing.assert_array_equal(table.judged.score[1500:], alone.judged.score)


def test_arrow_goes_in_and_comes_out(times: np.ndarray, values: np.ndarray) -> None:
    """Arrow columns, times as timestamps, give the answer of numpy's, as an Arrow table too."""
    stamps = pa.array(times).cast(pa.timestamp("ms", tz="UTC"))
    found = detect(stamps, pa.array(values))
    table = found.arrow()

    np.testing.assert_array_equal(detect(times, values).judged.flag, found.judged.flag)
    assert times.tolist() == table["time"].cast(pa.int64()).to_pylist()
    assert ["above"] == table.slice(700, 1)["reason"].to_pylist()


def test_an_arrow_table_is_columns_by_name(times: np.ndarray, values: np.ndarray) -> None:
    """Its columns keep their names, in a table and in a batch."""
    table = pa.table({"a": values, "b": 2 * values})
    for given_ in (table, table.to_batches()[0]):
        found = detect(times, given_)
        assert ("a", "b") == found.frame.names
        assert found.judged.flag.any()


def test_history_ends_the_warm_up(times: np.ndarray, values: np.ndarray) -> None:
    """With history learnt before, the first sample is judged, and nothing of the history is told."""
    past = times[:600], values[:600]
    warm = detect(times[690:710], values[690:710], warm_start=past)
    cold = detect(times[690:710], values[690:710])

    assert 20 == len(warm.judged.flag)
    assert [10, 11, 12] == np.flatnonzero(warm.judged.flag).tolist()
    assert not cold.judged.flag.any()


def test_a_watch_goes_on(times: np.ndarray, values: np.ndarray) -> None:
    """Two halves with one watch are the whole."""
    watch = Watch(ask("robust"), interval_ms=STEP_MS)
    halves = [
        detect(times[at], values[at], detector=None, watch=watch)
        for at in (slice(750), slice(750, None))
    ]
    both = join([("first", halves[0]), ("second", halves[1])])

    np.testing.assert_array_equal(detect(times, values).judged.score, both.judged.score)
    assert ("first/value", "second/value") == both.frame.names


def test_the_default_chooses_for_itself_where_it_can() -> None:
    """Without a name it is `auto` where that is registered, else `robust`."""
    assert ("auto" if "auto" in names() else "robust") == ask().detector


def test_settings_are_those_of_a_rule() -> None:
    """The block of a rule, with the detector's own parameters, and its direction where it has one."""
    block = ask("seasonal", false_alarms="2 per day", direction="up", season="1h")

    assert (2.0, 86_400_000) == (block.false_alarms, block.per_ms)
    assert {"season_ms": 3_600_000, "direction": "up"} == dict(block.parameters)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"detector": "robst"}, "did you mean 'robust'"),
        ({"false_alarm": "1 per day"}, "did you mean 'false_alarms'"),
        ({"false_alarms": "often"}, "not a budget: 'often'"),
        ({"parameters": {"window": 3}}, "has no parameter 'window'"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], said: str) -> None:
    """A setting that is not known or makes no sense is said, with the nearest that is."""
    with pytest.raises(ConfigError, match=said):
        detect([0, 1], [1.0, 2.0], **settings)


def test_columns_that_do_not_fit_are_refused() -> None:
    """Columns of unequal length, and a watch with settings beside it, are errors."""
    with pytest.raises(ValueError, match="equal length"):
        detect([0, 1, 2], [1.0, 2.0])
    with pytest.raises(ValueError, match="its own settings"):
        detect([0], [1.0], watch=Watch(ask(), interval_ms=STEP_MS))


def test_nothing_is_no_error() -> None:
    """No samples, no answer."""
    found = detect([], [])

    assert (0, ((),)) == (len(found.judged.flag), found.spans)


def test_what_is_flagged_is_explained(times: np.ndarray, values: np.ndarray) -> None:
    """In a sentence, with its rank; what is not flagged is not."""
    found = detect(times, values, detector="robust", false_alarms="1 per day")
    columns, flag = found.columns, found.judged.flag
    assert flag.any()
    assert {True} == {text.startswith("The value ") for text in columns["explanation"][flag]}
    assert {""} == set(columns["explanation"][~flag])
    assert 1 == columns["rank"][flag].min()
    assert np.isnan(columns["rank"][~flag]).all()


def test_the_summary_says_how_long_it_could_not_speak(
    times: np.ndarray, values: np.ndarray
) -> None:
    """60 samples of a series that nobody knew; with history it is none; of a short one it never could."""
    (alone,) = detect(times, values, detector="robust").summary()
    history = (times[:200] - 10**9, values[:200])
    (known,) = detect(times, values, detector="robust", warm_start=history).summary()
    (short,) = detect(times[:20], values[:20], detector="robust").summary()
    assert 60 * int(times[1] - times[0]) == alone.speaks_after_ms
    assert (0, None) == (known.speaks_after_ms, short.speaks_after_ms)


def test_series_share_a_budget_of_all(times: np.ndarray, values: np.ndarray) -> None:
    """A budget for a tenant is that of all the series together: each may cost its part."""
    table = np.stack((values, values[::-1]), axis=1)
    found = detect(times, table, detector="robust", false_alarms="2 per week per tenant")
    assert [1.0, 1.0] == [each.asked_per_week for each in found.summary()]
    alone = detect(times, table, detector="robust", false_alarms="1 per week")
    np.testing.assert_array_equal(alone.judged.flag, found.judged.flag)
