"""Co-occurrence: alerts that began together time after time, and the bounds of what is learnt."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.correlate import cooccurrence
from streams.correlate.cooccurrence import (
    EPISODES_MAX,
    KEPT_MS,
    LEAST,
    Cooccurrence,
    CooccurrenceState,
    Together,
    wilson_lower,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
WITHIN = 5 * MINUTE


def learnt(*times: str, tenant: str = "acme") -> Cooccurrence:
    """Alerts that began together, an hour apart each time: `ab` for a and b, a minute between."""
    found = Cooccurrence(WITHIN)
    for hour, names in enumerate(times):
        for minute, name in enumerate(names):
            found.observe(tenant, name, hour * HOUR + minute * MINUTE)
    return found


def asked(
    found: Cooccurrence, *, begins: str, after: str, tenant: str = "acme", at: int = 1_000 * HOUR
) -> list[str]:
    """What is said of an alert that begins a minute after another one did; days after all that was learnt."""
    found.observe("acme", after, at)
    return [f"{other} {together}" for other, together in found.belongs(tenant, begins, at + MINUTE)]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["ab"] * 3, []),
        (["ab"] * 4, ["b seen together 4 times of 4"]),
        (["ab"] * 14 + ["a"] * 2, ["b seen together 14 times of 16"]),
        (["ab"] * 14 + ["b"] * 2, ["b seen together 14 times of 16"]),
        (["ab"] * 5 + ["a"] * 5, []),
        (["ba"] * 4, ["b seen together 4 times of 4"]),
    ],
    ids=["3 of 3", "4 of 4", "14 of 16", "the other one 16 times", "5 of 10", "the other first"],
)
def test_only_strong_evidence_joins(times: list[str], expected: list[str]) -> None:
    """The lower end of Wilson's interval decides, over the episodes of the more frequent one."""
    found = learnt(*times)

    assert expected == asked(found, begins="a", after="b", at=20 * 24 * HOUR)


def test_wilson_lower_is_the_published_formula() -> None:
    """Known values: 4 of 4 is 0.510, 14 of 16 is 0.640, 0 of 0 is nothing."""
    assert [0.510, 0.640, 0.0] == [round(wilson_lower(*p), 3) for p in ((4, 4), (14, 16), (0, 0))]


def test_fewer_than_the_least_are_never_strong() -> None:
    """What is not even compared could not have been strong."""
    assert not Together(LEAST - 1, LEAST - 1).strong
    assert Together(LEAST, LEAST).strong


def test_an_episode_that_is_going_on_does_not_count_yet() -> None:
    """When b begins, a has begun for the fifth time: they were seen together 4 times of 4."""
    found = learnt(*["ab"] * 4, "a")
    of_b = found.belongs("acme", "b", 4 * HOUR + MINUTE)

    assert [("a", "seen together 4 times of 4")] == [(f, str(together)) for f, together in of_b]


def test_only_what_has_just_begun_is_joined() -> None:
    """Six minutes after the other one began, with `join_within` of five, there is nothing to join."""
    found = learnt(*["ab"] * 9, "a")

    assert [] == found.belongs("acme", "b", 9 * HOUR + 6 * MINUTE)


def test_what_fires_further_apart_is_not_together() -> None:
    """Six minutes apart with `join_within` of five."""
    found = Cooccurrence(WITHIN)
    for hour in range(10):
        found.observe("acme", "a", hour * HOUR)
        found.observe("acme", "b", hour * HOUR + 6 * MINUTE)

    assert [] == asked(found, begins="a", after="b")


def test_flapping_is_one_episode() -> None:
    """An alert that fires again within the time counts once."""
    found = Cooccurrence(WITHIN)
    for minute in range(10):
        found.observe("acme", "a", minute * MINUTE)
        found.observe("acme", "b", minute * MINUTE)

    assert [] == asked(found, begins="a", after="b")


def test_old_episodes_are_forgotten() -> None:
    """What was strong says nothing after two months."""
    found = learnt(*["ab"] * 8)

    assert [] == asked(found, begins="a", after="b", at=KEPT_MS + 24 * HOUR)


def test_lately_goes_before_long_ago() -> None:
    """Sixteen times without the other one are all that is known of both by then."""
    found = learnt(*["ab"] * 8, *["a"] * EPISODES_MAX)

    assert [] == asked(found, begins="a", after="b")


@pytest.mark.parametrize("tenant", ["globex", "acme b", ""])
def test_tenants_learn_apart(tenant: str) -> None:
    """What one tenant's alerts did says nothing of another's."""
    found = learnt(*["ab"] * 9)

    assert [] == asked(found, begins="a", after="b", tenant=tenant)


_TIMES = st.lists(st.integers(0, 60), max_size=12, unique=True).map(sorted)


@given(_TIMES, _TIMES, st.integers(0, 9))
def test_meetings_are_those_that_a_look_at_all_pairs_finds(
    mine: list[int], theirs: list[int], within: int
) -> None:
    """One pass over two lists in order counts what all pairs do."""
    expected = sum(any(abs(t - u) <= within for u in theirs) for t in mine)

    assert expected == cooccurrence._meetings(mine, theirs, within)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from("tu"), st.sampled_from("abcdef"), st.integers(0, 9)), max_size=80
    ),
    st.integers(0, 80),
)
def test_a_restored_one_goes_on_alike(fired: list[tuple[str, str, int]], cut: int) -> None:
    """After a snapshot and a restore all that follows is the same, byte for byte."""
    whole, now = Cooccurrence(WITHIN), 0
    restored = Cooccurrence(WITHIN)
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
    """No more alerts, episodes and recent ones are kept than there are places."""
    monkeypatch.setattr(cooccurrence, "ALERTS_MAX", 20)
    monkeypatch.setattr(cooccurrence, "EPISODES_MAX", 3)
    found = Cooccurrence(WITHIN)
    for number in range(200):
        found.observe(f"t{number % 50}", f"a{number % 7}", number * 1_000)
        found.observe("acme", f"b{number}", number * 1_000)
    for hour in range(1, 9):
        found.observe("acme", "c", hour * HOUR)
    state = found.snapshot()

    assert 20 == len(state.known)
    assert 3 == max(len(known.began) for _, known in state.known)
    assert 20 == len(state.recent)
    assert max(len(keys) for _, keys in state.recent) <= cooccurrence.RECENT_MAX
