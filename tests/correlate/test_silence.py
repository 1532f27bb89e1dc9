from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config.intervals import TimeIntervalConfig
from schemas.config.route import SilencesConfig
from schemas.matchers import fulfils, parse_all
from schemas.reasons import CommandReason
from schemas.silences import SilenceState
from streams.correlate.silence import RETENTION_MS, Silences
from streams.time.intervals import Intervals
from tests.correlate.routing import make_silence
from tests.correlate.sample import MINUTE, T0, S

CART = {"service": "cart"}


def make_silences(longest: int = 60 * MINUTE) -> Silences:
    """Silences, of an hour at most, and a time interval that holds from 22:20 on; T0 is 22:13:20."""
    night = {
        "name": "night",
        "time_intervals": [{"times": [{"start_time": "22:20", "end_time": "24:00"}]}],
    }
    intervals = Intervals([TimeIntervalConfig.model_validate(night, context={"file": True})])
    return Silences(SilencesConfig(longest=longest), intervals)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"matchers": (("service",),)}, CommandReason.BAD_MATCHER),
        ({"matchers": ()}, CommandReason.MATCHES_ALL),
        ({"matchers": (('service!="x"',),)}, CommandReason.MATCHES_ALL),
        ({"matchers": (("service=cart",), ("team=~.*",))}, CommandReason.MATCHES_ALL),
        ({"end": 0}, CommandReason.OVER_ALREADY),
        ({"start": -MINUTE, "end": S}, CommandReason.OVER_ALREADY),
        ({"end": 61 * MINUTE}, CommandReason.TOO_LONG),
        ({"interval": "lunch"}, CommandReason.UNKNOWN_INTERVAL),
        ({"matchers": (tuple(f"l{n}=x" for n in range(101)),)}, CommandReason.TOO_MANY),
    ],
)
def test_refused(changes: dict[str, Any], reason: CommandReason) -> None:
    """What is no silence, or one that the configuration does not allow, is refused with its reason."""
    given = {"end": 10 * MINUTE, "matchers": (("service=cart",),)} | changes
    silence = make_silence(**given)
    assert reason is make_silences().add(silence, T0 + 2 * S)


def test_holds_from_its_start_to_before_its_end() -> None:
    """It silences alerts of its tenant that fulfil one of its sets, in its span."""
    silences = make_silences()
    sets = (("service=cart", "team=blue"), ("service=bank",))
    silence = make_silence(matchers=sets, start=MINUTE, end=2 * MINUTE)
    assert silences.add(silence, T0) is None
    asked = [
        ("acme", {"service": "bank"}, MINUTE),
        ("acme", {"service": "cart", "team": "blue"}, 2 * MINUTE - 1),
        ("acme", CART, MINUTE),
        ("globex", {"service": "bank"}, MINUTE),
        ("acme", {"service": "bank"}, MINUTE - 1),
        ("acme", {"service": "bank"}, 2 * MINUTE),
    ]
    found = [silences.silenced_by(tenant, labels, T0 + at) for tenant, labels, at in asked]
    assert [silence, silence, None, None, None, None] == found


def test_expired_by_hand() -> None:
    """It ends when somebody says so, once, and only for its own tenant."""
    silences = make_silences()
    silences.add(make_silence("service=cart", end=30 * MINUTE), T0)
    assert CommandReason.UNKNOWN_SILENCE is silences.expire("globex", "s", T0 + MINUTE)
    assert silences.expire("acme", "s", T0 + MINUTE) is None
    assert CommandReason.OVER_ALREADY is silences.expire("acme", "s", T0 + 2 * MINUTE)
    assert silences.silenced_by("acme", CART, T0 + MINUTE) is None


def test_the_newest_version_counts() -> None:
    """The same id again replaces it."""
    silences = make_silences()
    silences.add(make_silence("service=cart", end=30 * MINUTE), T0)
    silences.add(make_silence("service=bank", end=30 * MINUTE), T0 + S)
    assert silences.silenced_by("acme", CART, T0 + MINUTE) is None
    assert 1 == len(silences.query("acme", T0))


def test_recurring() -> None:
    """One that names a time interval silences only in it."""
    silences = make_silences()
    silences.add(make_silence("service=cart", end=30 * MINUTE, interval="night"), T0)
    found = [silences.silenced_by("acme", CART, T0 + at) for at in (6 * MINUTE, 7 * MINUTE)]
    assert [True, False] == [silence is None for silence in found]


def test_states_and_what_is_forgotten() -> None:
    """Pending, active, expired; after the time for which they are kept, ended ones are gone."""
    silences = make_silences()
    silences.add(make_silence("service=cart", start=MINUTE, end=2 * MINUTE), T0)
    for at, state in (
        (0, SilenceState.PENDING),
        (MINUTE, SilenceState.ACTIVE),
        (2 * MINUTE, SilenceState.EXPIRED),
    ):
        assert [state] == [found for _, found in silences.query("acme", T0 + at)]
    later = 2 * MINUTE + RETENTION_MS
    silences.add(make_silence("service=x", start=later, end=later + MINUTE, id="t"), T0 + later)
    assert ["t"] == [silence.id for silence, _ in silences.query("acme", T0 + later)]


def test_snapshot() -> None:
    """After a restart the same silences hold."""
    silences, after = make_silences(), make_silences()
    silences.add(make_silence("service=cart", end=30 * MINUTE), T0)
    after.restore(silences.snapshot())
    assert after.silenced_by("acme", CART, T0) == silences.silenced_by("acme", CART, T0) is not None


_VALUES = st.sampled_from(["1", "2", ""])
_MATCHERS = st.sampled_from(
    ["a=1", "a=2", "b=1", "b=2", "a!=1", "b!=2", "a=~1|2", "c=1", 'a=""', 'b!~"1"']
)
_SETS = st.lists(st.lists(_MATCHERS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3)


@given(st.lists(_SETS.map(tuple), max_size=8), st.dictionaries(st.sampled_from("abc"), _VALUES))
def test_found_is_the_first_that_a_look_at_all_finds(
    sets: list[tuple[tuple[str, ...], ...]], labels: dict[str, str]
) -> None:
    """However silences are looked up: of those that hold, the one with the least id; also after one was ended."""
    silences = make_silences()
    added = [
        silence
        for n, matchers in enumerate(sets)
        for silence in [make_silence(id=f"s{n}", matchers=matchers, end=10 * MINUTE)]
        if silences.add(silence, T0) is None
    ]
    holding = sorted(
        silence.id
        for silence in added
        if any(fulfils(labels, parse_all(each)) for each in silence.matchers)
    )
    for expected in (*holding, None):
        found = silences.silenced_by("acme", labels, T0 + S)
        assert expected == (None if found is None else found.id)
        if expected is not None:
            assert silences.expire("acme", expected, T0 + S) is None
