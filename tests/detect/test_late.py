"""Late samples wait apart from the others, bounded; what comes back from a source that was given up is late too."""

import numpy as np
import pytest

from schemas.config import Config
from schemas.labels import Labels, make_labels
from schemas.reasons import AlertReason, AlertState, DeadLetterReason
from schemas.samples import SampleBatch, make_batch
from streams.detect import late as held
from streams.detect.core import DetectCore
from streams.detect.late import LateHeld
from streams.rules.load import parse_rules

T0 = 1_700_000_000_000 - 1_700_000_000_000 % 60_000
RULES = """
groups:
  - name: g
    interval: 5s
    rules:
      - alert: High
        expr: sum by (service) (m) > 10
"""
SOURCES = [("telemetry", 0), ("telemetry", 1)]


def columns(*times: int, at: int) -> tuple[np.ndarray, ...]:
    """Samples of one row at these times that came at this watermark."""
    rows = np.zeros(len(times), np.int64)
    return rows, np.array(times), np.ones(len(times)), np.full(len(times), at)


def test_a_sample_waits_for_the_first_step_behind_its_watermark() -> None:
    """Steps are multiples of 15 s; those that wait come out by time, whatever order they came in."""
    waiting = LateHeld(30_000)

    assert 0 == waiting.hold(*columns(14_000, 9_000, at=15_000))
    assert waiting.take(15_000) is None
    found = waiting.take(30_000)
    assert found is not None
    assert ([9_000, 14_000], [6_000, 1_000]) == (found.times.tolist(), found.behind_ms.tolist())
    assert 0 == len(waiting)


def test_steps_at_which_nothing_waits_are_passed_over() -> None:
    """Without late samples the last step within reach is the next one; with them every step is gone to."""
    waiting = LateHeld(30_000)
    assert (None, 60_000) == (waiting.next_step(15_000, 29_999), waiting.next_step(15_000, 61_000))
    waiting.hold(*columns(14_000, at=15_000))
    assert 30_000 == waiting.next_step(15_000, 61_000)


def test_what_is_too_far_behind_or_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newcomers are refused where there is no room, and all where nothing is amended."""
    monkeypatch.setattr(held, "HELD_MAX", 3)
    waiting = LateHeld(30_000)

    assert 1 == waiting.hold(*columns(69_999, 70_000, at=100_000))
    assert 2 == waiting.hold(*columns(80_000, 80_001, 80_002, 80_003, at=100_000))
    assert 3 == len(waiting)
    assert 1 == LateHeld(0).hold(*columns(80_000, at=100_000))


def make_core() -> DetectCore:
    """Two sources, and a rule over all of a service."""
    config = Config()
    groups, faults = parse_rules(RULES, "rules.yml")
    assert faults == []
    return DetectCore(groups, number=0, expected=SOURCES, time=config.time, limits=config.limits)


def batch(
    source: int, second: int, *found: tuple[str, int, float], idle: bool = False
) -> SampleBatch:
    """Samples (room, second, value) of a source whose watermark is at a second; offsets are its seconds."""

    def labels(room: str) -> Labels:
        return make_labels({"__name__": "m", "__tenant__": "t", "service": "s", "room": room})

    samples = [(labels(room), T0 + at * 1_000, value, second) for room, at, value in found]
    stamp = T0 + second * 1_000
    return make_batch(
        "telemetry", source, watermark=stamp, record_time=stamp, samples=samples, idle=idle
    )


LOG = [
    batch(0, 1, ("hall", 1, 8.0)),
    batch(1, 1, ("attic", 1, 1.0)),
    batch(1, 2, idle=True),
    batch(0, 20, ("hall", 20, 8.0)),
    batch(0, 41, ("hall", 41, 8.0)),
    batch(1, 40, ("attic", 30, 5.0)),
    batch(1, 50, ("attic", 49, 5.0)),
    batch(0, 70, ("hall", 69, 8.0)),
    batch(1, 70, ("attic", 69, 5.0)),
]


@pytest.mark.parametrize("cut", [*range(1, len(LOG) + 1), None])
def test_a_source_that_was_given_up_amends_when_it_comes_back(cut: int | None) -> None:
    """Its samples are judged by the furthest watermark before their batch, wherever the log is cut."""
    core = make_core()
    parts = [LOG[:cut], LOG[cut:]] if cut is not None else [[each] for each in LOG]
    alerts = [
        found
        for part in parts
        for found in core.apply(part)
        if getattr(found, "state", None) is AlertState.FIRING
    ]

    assert [(AlertReason.AMENDED, T0 + 45_001, T0 + 30_000)] == [
        (a.reason, a.time, a.active_at) for a in alerts
    ]
    assert alerts[0].late is not None
    assert (1, 11_000) == (alerts[0].late.samples, alerts[0].late.most_ms)
    assert 0 == core.dropped[DeadLetterReason.LATE]
