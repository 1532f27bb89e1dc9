"""The peers do one job: in plain Python, with river, as numpy has it, and as our own detector has it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import workload
from benchmarks.peers import job
from benchmarks.peers.expected import Written, differences
from benchmarks.peers.faust_agent import Plain
from benchmarks.peers.faust_river import River
from detectors import registry

START_MS = 1_760_000_000_000
PEERS = Path(job.__file__).parent
SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 3),
        st.floats(-1e6, 1e6).map(lambda value: round(value, 4)),
    ),
    max_size=200,
)


def messages_of(samples: list[tuple[int, int, float]]) -> list[workload.Message]:
    """Messages of the samples: a series, how many seconds after the one before it (times five), a value."""
    found, time_ms = [], START_MS
    for series, later, value in samples:
        time_ms += later * 5_000
        name = f"service-{series:04d}".encode()
        found.append(
            workload.Message(0, name, workload.encode(time_ms, value, name), time_ms),
        )
    return found


def work(statistics: Plain | River, messages: list[workload.Message]) -> dict[str, int]:
    for message in messages:
        statistics.learn(json.loads(message.value))
    return statistics.totals.notes()


def expected(messages: list[workload.Message]) -> dict[str, int]:
    written = Written()
    assert messages == list(written.watch(messages))
    return written.checksums()


@given(SAMPLES)
def test_plain_python_comes_to_what_numpy_does(samples: list[tuple[int, int, float]]) -> None:
    """Whatever order, gaps and values the series have, the job one by one and over columns has the same checksums."""
    messages = messages_of(samples)
    assert [] == differences(expected(messages), work(Plain(), messages))


@pytest.mark.parametrize("statistics", [Plain, River])
def test_telemetry_comes_to_what_numpy_does(
    statistics: type[Plain | River], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the benchmark's own telemetry each Faust peer scores, alerts and closes windows as the columns say."""
    monkeypatch.setattr(workload, "SERIES", 100)
    messages = list(workload.messages(30_000, START_MS))
    wanted = expected(messages)
    assert 30_000 == wanted["samples"]
    assert all(count > 0 for count in wanted.values())
    assert [] == differences(wanted, work(statistics(), messages))


def test_alerts_are_those_of_our_detector() -> None:
    """The job alerts at the samples that the bank `gaussian` scores beyond the limit, and at no others."""
    values = np.random.default_rng(3).normal(300.0, 5.0, 4_000)
    values[500::700] += workload.SPIKE
    bank = registry.create("gaussian", {"warm_up_samples": workload.WARM_UP_SAMPLES})
    bank.grow(1)
    raw = bank.update(np.zeros(4_000, np.int64), np.zeros(4_000, np.int64), values).raw
    told = [*range(job.WARM_UP_SAMPLES, len(values))]
    ours = {at: raw[at] for at in told if raw[at] >= job.LIMIT}
    state, totals = job.new_state(), job.Totals()
    scores = [job.learn(state, START_MS, value, totals) for value in values.tolist()]
    theirs = {at: abs(score) for at, score in enumerate(scores) if score}
    assert 5 <= len(ours) == totals.alerts
    assert pytest.approx(ours, rel=1e-9) == theirs


def test_the_job_is_that_of_the_workload() -> None:
    """Warm-up, tail and window are those of the rules that our own workers evaluate."""
    assert (workload.WARM_UP_SAMPLES, workload.TAIL) == (job.WARM_UP_SAMPLES, job.TAIL)
    assert workload.WINDOW_SECONDS * 1000 == job.WINDOW_MS


@pytest.mark.parametrize("name", ["WARM_UP_SAMPLES", "LIMIT", "SCORED_FROM", "WINDOW_MS"])
def test_java_has_the_same_constants(name: str) -> None:
    """Each constant of the job stands in its Java form with the same value."""
    text = (PEERS / "Job.java").read_text()
    found = re.search(rf"static final \w+ {name} = ([\d._]+);", text)
    assert found is not None
    assert getattr(job, name) == float(found[1])


def test_checksums_that_differ_are_named() -> None:
    """Counts must be equal, sums within rounding; what is not is told with both figures."""
    totals = job.Totals(messages=9, alerts=2, scores=5e6, windows=3, means=7.0)
    notes = totals.notes()
    assert [] == differences(notes, replace(totals, scores=5e6 + 4.0, means=8.0).notes())
    wrong = replace(totals, alerts=1, scores=5e6 + 40.0).notes()
    assert ["alerts 1 instead of 2", "scores 5000040 instead of 5000000"] == differences(
        notes, wrong
    )
