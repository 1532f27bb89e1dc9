"""`for` and `keep_firing_for`: time lines by hand, and against Prometheus's own algorithm."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from schemas.reasons import AlertReason, AlertState
from streams.rules.alert_states import STATES, AlertStates, Runs

STEP_MS = 10_000


def play(states: AlertStates, line: str, first: int = 0) -> str:
    """Evaluate one slot each step, `x` true and `.` false; the state that each step changed to, else a space."""
    told = ""
    for i, mark in enumerate(line, first):
        runs = Runs.single(np.array([0]), np.array([mark == "x"]), i * STEP_MS)
        changes = states.advance(runs)
        letters = [STATES[s].value[0] for s in changes.states.tolist()]
        told += "".join(letters) or " "
    return told


@pytest.mark.parametrize(
    ("for_s", "keep_s", "line", "told"),
    [
        (0, 0, "..xx.x", "  f rf"),
        (20, 0, "xxxx..", "p f r "),
        (20, 0, "xx.xxx", "p rp f"),
        (15, 0, "xxxx", "p f "),
        (0, 20, "x...x", "f  rf"),
        (0, 20, "x..x...x", "f     rf"),
        (0, 20, "x.x.x..", "f      "),
        (20, 20, "xxx....", "p f  r "),
        (20, 20, "x.xxx", "prp f"),
        (0, 5, "x..", "f r"),
    ],
)
def test_time_lines(for_s: int, keep_s: int, line: str, told: str) -> None:
    """Pending until `for` is over, firing until `keep_firing_for` is; 10 s between evaluations."""
    states = AlertStates(for_ms=for_s * 1000, keep_firing_for_ms=keep_s * 1000)
    states.grow(1)
    assert told == play(states, line)


def prometheus(times: Sequence[int], holds: Sequence[bool], for_ms: int, keep_ms: int) -> list[str]:
    """Prometheus's loop over one alert (rules/alerting.go), written down plainly."""
    state, active_at, quiet_since = "inactive", 0, None
    told = []
    for t, hold in zip(times, holds, strict=True):
        if hold and state == "inactive":
            state, active_at, quiet_since = "pending", t, None
            if for_ms > 0:
                told.append(f"{t} pending")
        if not hold:
            keeps = False
            if state == "firing" and keep_ms > 0:
                quiet_since = t if quiet_since is None else quiet_since
                keeps = t - quiet_since < keep_ms
            if state != "inactive" and not keeps:
                state = "inactive"
                told.append(f"{t} resolved")
            continue
        quiet_since = None
        if state == "pending" and t - active_at >= for_ms:
            state = "firing"
            told.append(f"{t} firing")
    return told


@given(
    holds=st.lists(st.booleans(), min_size=1, max_size=40),
    gaps=st.lists(st.integers(1, 5), min_size=40, max_size=40),
    for_ms=st.integers(0, 12),
    keep_ms=st.integers(0, 12),
    cuts=st.sets(st.integers(1, 39)),
)
def test_runs_of_any_cut_change_as_prometheus_does(
    holds: list[bool], gaps: list[int], for_ms: int, keep_ms: int, cuts: set[int]
) -> None:
    """Evaluations packed into runs, cut anywhere, make the transitions of Prometheus's loop."""
    times = np.cumsum(gaps)[: len(holds)]
    ends = [
        i
        for i in range(1, len(holds) + 1)
        if i == len(holds) or i in cuts or holds[i] != holds[i - 1]
    ]
    states = AlertStates(for_ms=for_ms, keep_firing_for_ms=keep_ms)
    states.grow(3)
    told = []
    start = 0
    for end in ends:
        runs = Runs(
            np.array([2]), np.array([holds[start]]), np.array([start]), np.array([end]), times
        )
        changes = states.advance(runs)
        told += [
            f"{times[p]} {STATES[s].value}"
            for p, s in zip(changes.positions.tolist(), changes.states.tolist(), strict=True)
        ]
        start = end
    assert prometheus(times.tolist(), holds, for_ms, keep_ms) == told


def test_reasons_tell_why() -> None:
    """At once, after `for`, and when it ends."""
    at_once = AlertStates(for_ms=0, keep_firing_for_ms=0)
    waits = AlertStates(for_ms=5, keep_firing_for_ms=0)
    told = []
    for states in (at_once, waits):
        states.grow(1)
        for t, hold in ((0, True), (5, True), (10, False)):
            changes = states.advance(Runs.single(np.array([0]), np.array([hold]), t))
            told += [
                (STATES[s], r)
                for s, r in zip(changes.states.tolist(), changes.reasons, strict=True)
            ]
    assert told == [
        (AlertState.FIRING, AlertReason.CONDITION_TRUE),
        (AlertState.RESOLVED, AlertReason.CONDITION_FALSE),
        (AlertState.PENDING, AlertReason.CONDITION_TRUE),
        (AlertState.FIRING, AlertReason.HELD_FOR),
        (AlertState.RESOLVED, AlertReason.CONDITION_FALSE),
    ]


def test_slots_do_not_touch_each_other() -> None:
    """Only the slots of a call change; growing keeps what is known."""
    states = AlertStates(for_ms=0, keep_firing_for_ms=0)
    states.grow(2)
    states.advance(Runs.single(np.array([1]), np.array([True]), 5))
    states.grow(4)
    states.advance(Runs.single(np.array([3]), np.array([True]), 6))
    assert [0, 2, 0, 2] == states.state.tolist()
    assert [5, 6] == states.active_at[[1, 3]].tolist()
    states.reset(np.array([1]))
    assert [0, 0, 0, 2] == states.state.tolist()


def test_a_snapshot_continues_where_it_was_taken() -> None:
    """Timers of `for` run on."""
    first = AlertStates(for_ms=20_000, keep_firing_for_ms=0)
    first.grow(1)
    second = AlertStates(for_ms=20_000, keep_firing_for_ms=0)
    assert play(first, "x") == "p"
    second.restore(first.snapshot())
    assert play(second, "xx", first=1) == " f"


def test_a_foreign_snapshot_is_refused() -> None:
    """A missing column or unequal lengths never become a state."""
    states = AlertStates(for_ms=0, keep_firing_for_ms=0)
    with pytest.raises(CheckpointError, match="no column"):
        states.restore({"state": np.zeros(1, np.int8)})
    with pytest.raises(CheckpointError, match="different lengths"):
        states.restore(
            {
                "state": np.zeros(1, np.int8),
                "active_at": np.zeros(2, np.int64),
                "quiet_since": np.zeros(1, np.int64),
            }
        )
