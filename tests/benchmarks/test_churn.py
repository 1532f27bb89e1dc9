"""The benchmark of churn: the series that come are retired before the end."""

import pytest

from benchmarks.churn import STAYING, StageName, _stage, chunks, run


@pytest.mark.parametrize("name", ["ingest", "fused"])
def test_the_series_go_and_the_others_stay(name: StageName) -> None:
    """At the height there are all of them, at the end those that never fell silent."""
    stage = _stage(name)
    known: dict[str, int] = {}
    for phase, chunk in chunks(2_000):
        stage.apply(chunk)
        known[phase] = stage.series

    assert {"base": STAYING, "peak": STAYING + 2_000, "after": STAYING} == known


def test_each_phase_is_measured() -> None:
    """What is reported is memory at three times, and how many messages it took."""
    measured = run("ingest", 2_000)

    assert {"base_bytes", "peak_bytes", "after_bytes"} == measured.notes.keys()
    assert 0 < measured.notes["base_bytes"] <= measured.notes["peak_bytes"]
    assert sum(len(chunk) for _, chunk in chunks(2_000)) == measured.messages
