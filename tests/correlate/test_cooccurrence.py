"""Co-occurrence: alerts that began together time after time, and the bounds of what is learnt."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.correlate import cooccurrence
from streams.correlate.cooccurrence import (
    HALVES_MS,
    Cooccurrence,
    CooccurrenceState,
    Together,
    wilson_lower,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
LATER = 1_000_000 * HOUR


def learnt(*times: str, tenant: str = "acme") -> Cooccurrence:
    """Alerts that began together, an hour apart each time: `ab` for a and b, a minute between."""
    found = Cooccurrence(5 * MINUTE)
    for hour, names in enumerate(times):
        for minute, name in enumerate(names):
            found.observe(tenant, name, hour * HOUR + minute * MINUTE)
    return found


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["ab"] * 3, []),
        (["ab"] * 4, ["b"]),
        (["ab"] * 14 + ["a"] * 2, ["b"]),
        (["ab"] * 5 + ["a"] * 5, []),
        (["ba"] * 4, ["b"]),
    ],
    ids=["3 of 3", "4 of 4", "14 of 16", "5 of 10", "the other one first"],
)
def test_only_strong_evidence_joins(times: list[str], expected: list[str]) -> None:
    """The lower end of Wilson's interval decides."""
    assert expected == [
        fingerprint for fingerprint, _ in learnt(*times).belongs("acme", "a", LATER)
    ]


def test_it_says_how_often() -> None:
    """Fourteen times of sixteen, from either side."""
    found = learnt(*["ab"] * 14, "a", "a")

    assert "seen together 14 times of 16" == str(found.belongs("acme", "a", LATER)[0][1])
    assert "seen together 14 times of 16" == str(found.belongs("acme", "b", LATER)[0][1])


def test_wilson_lower_is_the_published_formula() -> None:
    """Known values: 4 of 4 is 0.510, 14 of 16 is 0.640, 0 of 0 is nothing."""
    assert [0.510, 0.640, 0.0] == [round(wilson_lower(*p), 3) for p in ((4, 4), (14, 16), (0, 0))]


def test_an_episode_that_is_going_on_does_not_count_yet() -> None:
    """When b begins, a has begun for the fifth time: they were seen together 4 times of 4."""
    found = learnt(*["ab"] * 4, "a")

    assert "seen together 4 times of 4" == str(found.belongs("acme", "b", 4 * HOUR + MINUTE)[0][1])


def test_what_fires_further_apart_is_not_together() -> None:
    """Six minutes apart with `join_within` of five."""
    found = Cooccurrence(5 * MINUTE)
    for hour in range(10):
        found.observe("acme", "a", hour * HOUR)
        found.observe("acme", "b", hour * HOUR + 6 * MINUTE)

    assert [] == found.belongs("acme", "a", LATER)


def test_flapping_is_one_episode() -> None:
    """An alert that fires again within the time counts once."""
    found = Cooccurrence(5 * MINUTE)
    for minute in range(10):
        found.observe("acme", "a", minute * MINUTE)
        found.observe("acme", "b", minute * MINUTE)

    assert [] == found.belongs("acme", "a", LATER)


def test_old_episodes_fade() -> None:
    """What was strong is not after years of the one without the other."""
    found = learnt(*["ab"] * 4)
    for month in range(1, 4):
        found.observe("acme", "a", month * HALVES_MS)

    assert [] == found.belongs("acme", "a", LATER)


@pytest.mark.parametrize("tenant", ["globex", "acme b", ""])
def test_tenants_learn_apart(tenant: str) -> None:
    """What one tenant's alerts did says nothing of another's."""
    found = learnt(*["ab"] * 9)

    assert [] == found.belongs(tenant, "a", LATER)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from("tu"), st.sampled_from("abcdef"), st.integers(0, 9)), max_size=80
    ),
    st.integers(0, 80),
)
def test_a_restored_one_goes_on_alike(fired: list[tuple[str, str, int]], cut: int) -> None:
    """After a snapshot and a restore all that follows is the same, byte for byte."""
    whole, now = Cooccurrence(5 * MINUTE), 0
    restored = Cooccurrence(5 * MINUTE)
    for number, (tenant, name, gap) in enumerate(fired):
        if number == cut:
            blob = msgspec.json.encode(whole.snapshot())
            restored.restore(msgspec.json.decode(blob, type=CooccurrenceState))
        now += gap * MINUTE
        for each in (whole, restored) if number >= cut else (whole,):
            each.observe(tenant, name, now)
    if cut < len(fired):
        assert msgspec.json.encode(whole.snapshot()) == msgspec.json.encode(restored.snapshot())


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more alerts, partners and recent ones are kept than there are places."""
    monkeypatch.setattr(cooccurrence, "ALERTS_MAX", 20)
    monkeypatch.setattr(cooccurrence, "PARTNERS_MAX", 3)
    found = Cooccurrence(5 * MINUTE)
    for number in range(200):
        found.observe(f"t{number % 50}", f"a{number % 7}", number * 1_000)
        found.observe("acme", f"b{number}", number * 1_000)
    state = found.snapshot()

    assert 20 == len(state.known)
    assert max(len(known.partners) for _, known in state.known) <= 3
    assert len(state.recent) <= 20
    assert max(len(keys) for _, keys in state.recent) <= cooccurrence.RECENT_MAX


def test_together_is_strong_by_its_lower_end() -> None:
    """The words and the verdict come from the same figures."""
    assert Together(14.2, 15.9).strong
    assert "seen together 14 times of 16" == str(Together(14.2, 15.9))
