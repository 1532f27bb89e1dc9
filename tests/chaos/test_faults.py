"""The drawing of faults, and the input they meet."""

from collections import Counter

import orjson

from tests.chaos.faults import ON_DISKS, WEIGHTS, Kind, draw
from tests.chaos.run import seeds
from tests.chaos.story import IDLE_PARTITION, SENTINEL, STEP_MS, STEPS, TENANTS, make_story

START_MS = 1_767_225_600_000


def test_a_seed_draws_the_same_faults_again() -> None:
    """Kinds, times, victims and lengths hang on the seed alone."""
    assert draw("7/1", 40) == draw("7/1", 40)
    assert draw("7/1", 40) != draw("7/2", 40)


def test_a_deck_holds_every_kind_as_often_as_its_weight() -> None:
    """As many faults as a deck has: each kind comes as its weight says."""
    faults = draw("1", sum(WEIGHTS.values()))
    assert Counter(WEIGHTS) == Counter(fault.kind for fault in faults)
    assert min(fault.gap_seconds for fault in faults) >= 0


def test_few_faults_are_of_different_kinds() -> None:
    """No kind comes twice before all have come, and those that cannot be had never come."""
    there = set(Kind) - ON_DISKS
    assert there == {fault.kind for fault in draw("3", len(there), ON_DISKS)}


def test_two_hundred_faults_are_shared_out_over_runs() -> None:
    """No fault is lost in the division, whatever it leaves over."""
    assert 200 == sum(count for _, count in seeds(7, 200, 40))
    assert [("7/1", 34), ("7/2", 33), ("7/3", 33)] == seeds(7, 100, 40)
    assert [("7/1", 0)] == seeds(7, 0, 40)


def test_a_story_is_the_same_again_and_holds_what_goes_wrong() -> None:
    """Duplicates, late and disordered records are in it as counted; one partition is never written to."""
    story = make_story("7", START_MS)
    assert story == make_story("7", START_MS)
    expected = STEPS * 2 * 5 + story.wrongs["duplicate"]
    assert expected == len(story.records)
    kinds = ("duplicate", "late", "amending", "out of order")
    assert all(story.wrongs[kind] for kind in kinds)
    repeats = Counter(sent.value for sent in story.records)
    assert story.wrongs["duplicate"] == sum(count - 1 for count in repeats.values())
    assert IDLE_PARTITION not in {sent.partition for sent in story.records}
    assert sorted(sent.at_share for sent in story.records) == [s.at_share for s in story.records]


def test_no_record_of_a_story_is_dated_an_hour_ahead() -> None:
    """A broker would refuse it; and the sentinels of both tenants are the last to break."""
    story = make_story("7", START_MS)
    latest = max(s["ts"] for sent in story.records for s in orjson.loads(sent.value))
    assert latest - START_MS <= STEPS * STEP_MS < 3_600_000
    assert set(TENANTS) == {b.tenant for b in story.breaches if b.service == SENTINEL}
    others = max(b.last for b in story.breaches if b.service != SENTINEL)
    assert others < min(b.first for b in story.breaches if b.service == SENTINEL)
