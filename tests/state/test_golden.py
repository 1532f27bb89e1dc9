"""Snapshots that earlier code wrote, kept in `golden`, and read by the code of today."""

import zlib
from pathlib import Path

import pytest

from tests.state.golden.story import Stages, halves

GOLDEN = Path(__file__).parent / "golden"
SETS = sorted(int(folder.name) for folder in GOLDEN.iterdir() if folder.name.isdecimal())[-2:]


@pytest.mark.parametrize("number", SETS)
def test_a_new_version_goes_on_from_an_older_one(number: int) -> None:
    """From each stage's snapshot of the last two versions the story goes on as if it had never stopped."""
    before, after = halves()
    undisturbed, resumed = Stages(), Stages()
    undisturbed.feed(before)
    for name, stage in resumed.by_name.items():
        stage.restore(zlib.decompress((GOLDEN / str(number) / f"{name}.bin").read_bytes()))
    told = undisturbed.feed(after)
    assert told.alerts
    assert told.merged
    assert told.incidents
    assert told == resumed.feed(after)


def test_the_story_is_under_way_where_it_is_cut() -> None:
    """At the cut alerts fire and are pending, and a page and an intent wait: else the snapshots would prove little."""
    told = Stages().feed(halves()[0])
    assert {"firing", "pending", "resolved"} == {state for _, state, _ in told.alerts}
    assert {"firing", "pending"} == {state for _, state, _ in told.merged}
    assert "open" in {state for _, state, _ in told.incidents}
    assert told.pages
    assert told.intents
