"""Moved: who moved before the symptom, by the values that alerts tell of."""

from collections.abc import Sequence

import msgspec
import numpy as np

from schemas.alerts import Alert
from schemas.incidents import Cause
from streams.correlate.cause import MOVED, rank
from streams.correlate.symptom import VALUES_MAX, symptom_of
from streams.correlate.topology import Topology
from tests.correlate.sample import CALLS, T0, S, latest, make_alert, make_correlator, run_until

STEP = 15 * S
BEGAN = 40
"""Step at which the fault begins, from whence `wave` counts."""


def wave(behind: int, seed: int) -> list[float]:
    """Sixty steps of noise with a rise that comes so many steps after the fault."""
    steps = np.arange(60)
    rise = np.clip(steps - BEGAN - behind, 0, None) * 2.0
    return [float(v) for v in rise + np.random.default_rng(seed).normal(scale=0.3, size=60)]


def fires(service: str, steps: int, values: Sequence[float | None]) -> Alert:
    """An alert that fires so many steps after the fault, with the values up to then."""
    at = (BEGAN + steps) * STEP - T0 % STEP
    alert = make_alert(service, at, onset=at - STEP)
    known = tuple(values[: BEGAN + steps + 1])[-VALUES_MAX:]
    return msgspec.structs.replace(alert, values=known, values_step_ms=STEP)


def causes(*alerts: Alert, graph: Topology | None = None) -> dict[str, Cause]:
    """The ranking for firing alerts, by entity."""
    found = rank([symptom_of(a, "service") for a in alerts], graph or Topology(CALLS))
    return {cause.entity: cause for cause in found}


def texts(cause: Cause) -> list[str]:
    """What its correlation says, without how strong it is."""
    return [e.text.partition(", r=0.9")[0] for e in cause.evidence if e.kind == "correlation"]


def spreading() -> list[Alert]:
    """A slow database, which its caller and the caller of that one feel three and six steps later."""
    return [
        fires("orders-db", 5, wave(0, 1)),
        fires("orders", 8, wave(3, 2)),
        fires("checkout", 11, wave(6, 3)),
    ]


def test_the_one_that_moved_first_says_by_how_much() -> None:
    """The database moved six steps before the symptom, its caller three; the symptom says nothing of itself."""
    found = causes(*spreading())
    (evidence,) = [e for e in found["orders-db"].evidence if e.kind == "correlation"]

    assert "moved 90 s before checkout, r=0.98" == evidence.text

    assert ["moved 90 s before checkout"] == texts(found["orders-db"])
    assert ["moved 45 s before checkout"] == texts(found["orders"])
    assert [] == texts(found["checkout"])


def test_shares_sum_and_the_part_is_what_is_said() -> None:
    """Causes sum to 1, evidence to its cause, and correlation is a tenth of all."""
    found = causes(*spreading())
    part = sum(e.share for c in found.values() for e in c.evidence if e.kind == "correlation")

    assert abs(sum(c.share for c in found.values()) - 1) < 1e-3
    assert all(abs(sum(e.share for e in c.evidence) - c.share) < 1e-3 for c in found.values())
    assert abs(part - MOVED) < 1e-3


def test_without_values_the_ranking_is_what_it_was() -> None:
    """Alerts of older writers, or of rules on arrival, are ranked by the other three."""
    bare = [msgspec.structs.replace(a, values=(), values_step_ms=0) for a in spreading()]
    kinds = {e.kind for c in causes(*bare).values() for e in c.evidence}

    assert {"graph", "onset", "deviation"} == kinds


def test_what_does_not_move_with_the_symptom_has_no_part() -> None:
    """An alert of the same time whose values are noise is not said to have moved before anything."""
    noise = [float(v) for v in np.random.default_rng(9).normal(size=60)]
    found = causes(*spreading()[1:], fires("cart", 5, noise))

    assert [] == texts(found["cart"])
    assert ["moved 45 s before checkout"] == texts(found["orders"])


def test_it_tells_coincidence_from_cause_without_a_graph() -> None:
    """With nothing else between the two, the one whose values foretell the symptom's is ahead."""
    noise = [float(v) for v in np.random.default_rng(9).normal(size=60)]
    values = {"orders-db": wave(0, 1), "a-batch-job": noise}
    alerts = [fires(name, 5, series) for name, series in values.items()]
    found = causes(*alerts, fires("checkout", 11, wave(6, 3)), graph=Topology({}))

    assert found["orders-db"].share > found["a-batch-job"].share


def test_rules_of_other_intervals_are_compared_where_they_meet() -> None:
    """One that is evaluated each 30 s has every second value of one at 15 s."""
    steps, whole = 11 + (T0 // STEP + BEGAN + 11) % 2, wave(6, 3)
    slow = fires("checkout", steps, whole)
    every_second = tuple(whole[n] for n in range((BEGAN + steps) % 2, BEGAN + steps + 1, 2))
    slow = msgspec.structs.replace(slow, values=every_second, values_step_ms=2 * STEP)
    found = causes(fires("orders-db", 8, wave(0, 1)), slow)

    assert ["moved 90 s before checkout"] == texts(found["orders-db"])


def test_gaps_and_short_histories_are_no_reason_to_guess() -> None:
    """Values that are not there count as unknown, and fewer than 16 as no history."""
    gaps: list[float | None] = [None if n % 9 == 0 else v for n, v in enumerate(wave(0, 1))]
    short = msgspec.structs.replace(fires("orders", 8, wave(3, 2)), values=tuple(wave(3, 2)[:9]))
    found = causes(fires("orders-db", 5, gaps), short, fires("checkout", 11, wave(6, 3)))

    assert ["moved 90 s before checkout"] == texts(found["orders-db"])
    assert [] == texts(found["orders"])


def test_values_that_no_float_of_32_bits_holds_are_unknown() -> None:
    """A record of whatever writer harms nothing: huge values count as gaps, a step of 0 as no history."""
    huge = [1e300 if n % 9 == 0 else v for n, v in enumerate(wave(0, 1))]
    nowhere = msgspec.structs.replace(fires("orders", 8, wave(3, 2)), values_step_ms=0)
    found = causes(fires("orders-db", 5, huge), nowhere, fires("checkout", 11, wave(6, 3)))

    assert ["moved 90 s before checkout"] == texts(found["orders-db"])
    assert [] == texts(found["orders"])


def test_the_record_of_an_incident_has_the_reason_and_not_the_values() -> None:
    """Values travel to the correlator, which says what they show; incidents do not grow by them."""
    correlator = make_correlator(group_by=["service"])
    alerts = spreading()
    until = max(a.time for a in alerts) - T0 + 60 * S
    (incident,) = latest(run_until(correlator, alerts, until))

    assert "moved 90 s before checkout" in [text for c in incident.causes for text in texts(c)]
    assert [()] * 3 == [item.alert.values for item in incident.alerts]


def test_a_restored_correlator_ranks_alike() -> None:
    """What was before the alerts is part of the state."""
    alerts = spreading()
    whole, restored = make_correlator(group_by=["service"]), make_correlator(group_by=["service"])
    run_until(whole, alerts[:2], alerts[1].time - T0)
    restored.restore(whole.snapshot())
    until = alerts[2].time - T0 + 60 * S

    assert run_until(whole, alerts[2:], until) == run_until(restored, alerts[2:], until)
