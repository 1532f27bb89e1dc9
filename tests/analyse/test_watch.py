"""Watch: the judgement of a rule, over series by name."""

from itertools import pairwise

import numpy as np
import pytest

from schemas.errors import ConfigError
from streams.analyse import Judged, Watch, ask
from streams.analyse import watch as room
from streams.rules.detect import DetectRule
from streams.rules.verdict import Verdict
from tests.analyse.conftest import STEP_MS

COLUMNS = ("flag", "score", "expected", "low", "high", "reason")


def _watch(detector: str, false_alarms: str = "1 per day") -> Watch:
    return Watch(ask(detector, false_alarms=false_alarms), interval_ms=STEP_MS)


def _judged(watch: Watch, times: np.ndarray, values: np.ndarray, *cuts: int) -> dict[str, object]:
    rows = np.repeat(watch.rows_of(["a"]), len(values))
    edges = [0, *cuts, len(values)]
    parts: list[Judged] = [
        watch.judge(rows[i:j], times[i:j], values[i:j]) for i, j in pairwise(edges)
    ]
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}


@pytest.mark.parametrize("detector", ["robust", "gaussian", "ewma", "seasonal"])
def test_a_rule_judges_the_same(detector: str, times: np.ndarray, values: np.ndarray) -> None:
    """Sample after sample through a rule's own rounds: the same flags, scores and bands."""
    watch, rule = (
        _watch(detector),
        DetectRule(ask(detector, false_alarms="1 per day"), interval_ms=STEP_MS, max_series=1),
    )
    rule._widen(1)
    verdict = Verdict.unsaid(len(values))
    row = np.zeros(1, np.int64)
    for at in np.arange(len(values))[:, None]:
        rule._round(row, times[at], values[at], at, verdict)
    found = _judged(watch, times, values)

    for name, column in zip(COLUMNS[:5], verdict, strict=False):
        np.testing.assert_array_equal(column, found[name], name)


@pytest.mark.parametrize("detector", ["robust", "seasonal"])
def test_cuts_change_nothing(detector: str, times: np.ndarray, values: np.ndarray) -> None:
    """However the samples are cut into calls, in a span or in a gap too: the same answers."""
    whole = _judged(_watch(detector), times, values)
    cut = _judged(_watch(detector), times, values, 1, 64, 701, 950, 1105, 1200, 1201)

    for name in COLUMNS:
        np.testing.assert_array_equal(whole[name], cut[name], name)


def test_missing_samples_are_no_alarm(times: np.ndarray, values: np.ndarray) -> None:
    """NaN and infinity are said to be that, are not flagged, and what follows is as if they had not been."""
    found = _judged(_watch("robust"), times, values)
    kept = np.isfinite(values)
    without = _judged(_watch("robust"), times[kept], values[kept])

    assert {2} == set(np.asarray(found["reason"])[1100:1110].tolist())
    assert 3 == np.asarray(found["reason"])[1200]
    assert not np.asarray(found["flag"])[~kept].any()
    np.testing.assert_array_equal(np.asarray(found["score"])[kept], without["score"])


def test_what_is_flagged_has_a_side(times: np.ndarray, values: np.ndarray) -> None:
    """Each flagged sample says above or below, also where the score alone is not outside of the band."""
    found = _judged(_watch("robust", "20 per hour"), times, values)
    flagged = np.asarray(found["flag"])

    assert flagged.sum() > 50
    assert {4, 5} == set(np.asarray(found["reason"])[flagged].tolist())


def test_history_leaves_no_alarm_behind(times: np.ndarray, values: np.ndarray) -> None:
    """A history that ends in the middle of a span is learnt, and the next calm sample is calm."""
    watch = _watch("robust")
    rows = np.repeat(watch.rows_of(["a"]), 702)
    watch.learn(rows, times[:702], values[:702])
    after = watch.judge(rows[:1], times[710:711], values[710:711])

    assert not after.flag[0]
    assert after.score[0] < 1
    assert "ok" == ("ok" if after.reason[0] == 0 else "not")


def test_too_many_series_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a limit to the series of one run, and it is said."""
    monkeypatch.setattr(room, "MOST_SERIES", 2)

    with pytest.raises(ConfigError, match="3 series; at most 2"):
        _watch("robust").rows_of(["a", "b", "c"])
