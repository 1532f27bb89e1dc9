"""Alertmanager 0.34's own answers, kept in `differential/golden.json`, against ours."""

import os
from typing import Any

import msgspec
import pytest

from schemas.config.intervals import IntervalConfig
from schemas.matchers import parse_matchers, show_matcher
from streams.correlate.dispatcher import Dispatcher
from streams.correlate.grouping import DispatcherState
from streams.time.intervals import holds
from tests.correlate.differential import golden, judge
from tests.correlate.differential.moments import INTERVALS, MATCHERS, times
from tests.correlate.differential.named import named
from tests.correlate.differential.play import config_of, play, releases, shown
from tests.correlate.differential.scenarios import Scenario, random_scenario


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What Alertmanager said."""
    return golden.load()


def test_answers_are_to_these_questions(answers: dict[str, Any]) -> None:
    """The kept answers are to the questions of today; `python -m tests.correlate.differential --write` renews them."""
    assert golden.stamp() == answers["stamp"]


@pytest.mark.parametrize("scenario", named(), ids=lambda s: s.name)
def test_named_scenario(scenario: Scenario, answers: dict[str, Any]) -> None:
    """The same notifications: instant, receiver, group, reason, firing and resolved alerts, in the same order."""
    assert answers["scenarios"][scenario.name] == play(scenario)


def test_random_scenarios(answers: dict[str, Any]) -> None:
    """The same notifications in scenarios that nobody thought of, thousands of them in all."""
    differing = [
        s.name
        for s in map(random_scenario, golden.RANDOM)
        if play(s) != answers["scenarios"][s.name]
    ]
    assert [] == differing
    assert sum(map(len, answers["scenarios"].values())) > 2_000


def test_matchers(answers: dict[str, Any]) -> None:
    """Texts of matchers mean the same, and the same ones are refused."""
    found: list[list[str] | None] = []
    for text in MATCHERS:
        try:
            found.append([show_matcher(m) for m in parse_matchers(text)])
        except ValueError:
            found.append(None)
    assert answers["matchers"] == found


@pytest.mark.parametrize("number", range(len(INTERVALS)))
def test_time_intervals(number: int, answers: dict[str, Any]) -> None:
    """The same moments lie in an interval, across months, leap years and changes to summer time."""
    interval = IntervalConfig.model_validate(INTERVALS[number], context={"file": True})
    assert answers["moments"][number] == [holds(interval, at) for at in times()]


@pytest.mark.skipif(
    (PROGRAM := judge.find()) is None, reason="`python -m tests.correlate.differential` builds it"
)
def test_fresh_random_scenarios() -> None:
    """Others every time; `python -m tests.correlate.differential --seed N --scenarios 100` repeats a failure."""
    seed = int.from_bytes(os.urandom(4), "big")
    scenarios = [random_scenario(seed + n) for n in range(100)]
    assert [] == [s.name for s in judge.differing(PROGRAM, scenarios)]


@pytest.mark.parametrize("seed", range(12))
def test_kill_between_every_two_inputs(seed: int) -> None:
    """With a restart from the snapshot after each input, what is told is what is told without: nothing leaks."""
    scenario = random_scenario(seed)
    config = config_of(scenario)
    assert config.route is not None
    told, state = [], msgspec.json.encode(DispatcherState())
    for release in releases(scenario):
        dispatcher = Dispatcher(config, config.route)
        dispatcher.restore(msgspec.json.decode(state, type=DispatcherState))
        told += dispatcher.advance(release, [])
        state = msgspec.json.encode(dispatcher.snapshot())
    assert play(scenario) == shown(scenario, told)
