"""Late samples amend what detect has told, and it hangs on the log alone how."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert, Late
from schemas.reasons import AlertReason, AlertState, DeadLetterReason
from tests.detect.amending import (
    SECOND,
    START,
    Line,
    Sent,
    detect,
    in_order,
    run,
    standing,
    through,
)

END = 120


def steady(value: float = 20.0, partition: int = 0, room: str = "hall") -> list[Sent]:
    """A sample a second."""
    return [Sent(partition, second, room, value) for second in range(END)]


def both(sent: list[Sent]) -> list[Sent]:
    """The same, with another partition in which time goes on as well."""
    return [each for one in sent for each in (one, Sent(1, one.second, "cellar", 5.0))]


def named(alerts: list[Alert], name: str) -> list[Alert]:
    """The alerts of one rule, without those to pending."""
    return [a for a in alerts if a.name == name and a.state is not AlertState.PENDING]


def test_an_alert_that_a_late_sample_refutes_is_withdrawn() -> None:
    """The one more transition says so, how many samples came how late, and which transition it takes back."""
    sent = [s for s in steady() if s.second not in (31, 32)]
    hot = [s._replace(value=90.0) if 30 <= s.second < 40 else s for s in sent]
    at = next(i for i, s in enumerate(hot) if s.second == 46)
    late = [Sent(0, second, "hall", -300.0) for second in (31, 32)]
    fired, withdrawn = named(run([*both(hot[:at]), *late, *both(hot[at:])]), "Warm")

    assert (AlertState.FIRING, AlertReason.CONDITION_TRUE) == (fired.state, fired.reason)
    assert (START + 40 * SECOND, None) == (fired.time, fired.late)
    assert (AlertState.RESOLVED, AlertReason.WITHDRAWN) == (withdrawn.state, withdrawn.reason)
    assert (START + 45 * SECOND + 1, (fired.id,)) == (withdrawn.time, withdrawn.amends)
    # the watermark was at second 43 when they came
    assert Late(samples=2, most_ms=12 * SECOND) == withdrawn.late
    assert "never was true" in withdrawn.view


def test_an_alert_that_late_samples_show_is_told_with_its_own_onset() -> None:
    """It fires at the step behind them, and its condition is true since the tick at which it would have been."""
    sent = steady()
    cold = [s for s in sent if not 30 <= s.second < 55]
    late = [Sent(0, s, "hall", 90.0) for s in range(30, 55)]
    at = next(i for i, s in enumerate(cold) if s.second == 58)
    more = [s._replace(value=90.0) if s.second >= 55 else s for s in cold]
    arrived = [*both(more[:at]), *late, *both(more[at:])]
    alerts = named(run(arrived), "Hot")

    assert [(AlertState.FIRING, AlertReason.AMENDED)] == [(a.state, a.reason) for a in alerts]
    assert START + 30 * SECOND == alerts[0].active_at
    assert standing(run(in_order(arrived))) == standing(run(arrived))


def test_what_is_too_late_is_dropped_and_counted() -> None:
    """A sample further behind than can be amended changes nothing."""
    sent = both(steady(90.0))
    line = Line(amend_within=10 * SECOND)
    for each in [*sent, Sent(0, END - 14, "attic", 1.0)]:
        line.feed(each.partition, [each])
    refused = line._ingest[0].figures()

    assert [1] == [f.total for f in refused if f[:2] == ("refused", DeadLetterReason.LATE)]
    assert run(sent) == detect(line, range(10_000))


def test_late_samples_of_one_tenant_do_not_show_in_the_alert_of_another() -> None:
    """How many came late is counted for each tenant by itself."""
    rules = """
groups:
  - name: g
    interval: 5s
    rules: [{alert: High, expr: "sum by (service) (heat) > 10"}]
"""
    line = Line(rules)
    for second in range(60):
        line.feed(0, [Sent(0, second, "hall", 5.0)])
        line.feed(1, [Sent(1, second, "hall", 5.0, "other")])
    line.feed(0, [Sent(0, 40, "attic", 20.0), Sent(0, 45, "attic", 20.0)])
    line.feed(1, [Sent(1, 50, "attic", 20.0, "other")])
    for second in range(60, 90):
        line.feed(0, [Sent(0, second, "hall", 5.0)])
        line.feed(1, [Sent(1, second, "hall", 5.0, "other")])
    told = {a.tenant: a.late for a in named(detect(line, range(10_000)), "High")}

    assert {
        "default": Late(samples=2, most_ms=17 * SECOND),
        "other": Late(samples=1, most_ms=7 * SECOND),
    } == told


def test_without_amendments_late_samples_have_no_effect() -> None:
    """With `amend_within: 0` what comes late is refused, as it was before there were amendments."""
    sent = both(steady())
    assert run(sent) == run([*sent, Sent(0, END - 20, "hall2", 99.0)], amend_within=0)


JUDGED = """
groups:
  - name: g
    interval: 5s
    rules:
      - alert: Hot
        expr: heat > 50
        evaluate: on_arrival
      - alert: Odd
        expr: heat
        detect: {detector: gaussian, warm_up_samples: 5}
      - alert: Cold
        expr: cold < 0
"""


def test_what_nobody_judges_is_counted() -> None:
    """Late samples change nothing that a detector or a rule on arrival has said; how many they were is counted."""
    sent = both(steady())
    at = next(i for i, s in enumerate(sent) if s.second == 60)
    late = [Sent(0, second, "attic", 500.0) for second in (40, 45)]
    line = Line(JUDGED)
    for each in [*sent[:at], *late, *sent[at:]]:
        line.feed(each.partition, [each])
    stages = [line.stage(partition) for partition in (0, 1)]
    told = [a for p, stage in enumerate(stages) for a in through(stage, line.samples[p])]

    assert [] == [a for a in told if a.labels.get("room") == "attic"]
    counts = [f.total for s in stages for f in s.figures() if f[:2] == ("samples_late", "unjudged")]
    assert len(late) == sum(counts)


rooms = st.sampled_from(["hall", "attic"])
telemetry = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 24), rooms, st.sampled_from([10.0, 45.0, 70.0])),
    min_size=5,
    max_size=60,
)
delays = st.lists(st.integers(0, 28), min_size=60, max_size=60)


def arranged(found: list[tuple[int, int, str, float]], late: list[int]) -> list[Sent]:
    """Samples in the order in which they come: each so many seconds after its time; a heartbeat keeps time going."""
    sent = [
        (4 * second + wait, Sent(p, 4 * second, room, v))
        for (p, second, room, v), wait in zip(found, late, strict=False)
    ]
    beats = [(t, Sent(p, t, f"beat{p}", 0.0)) for t in range(0, 150, 3) for p in (0, 1)]
    return [each for _, each in sorted(beats + sent, key=lambda pair: pair[0])]


@settings(max_examples=8)
@given(telemetry, delays)
def test_in_the_end_all_is_as_if_nothing_had_been_late(
    found: list[tuple[int, int, str, float]], late: list[int]
) -> None:
    """Which alerts fire, since when and with what value, is what it would be had every sample come in time."""
    # a room speaks in one partition, once at a time: else the first that came has the time
    once = {(second, room): (int(room == "hall"), second, room, v) for _, second, room, v in found}
    sent = arranged(list(once.values()), late)

    assert standing(run(in_order(sent))) == standing(run(sent))


@settings(max_examples=8)
@given(telemetry, delays, st.data())
def test_neither_cuts_nor_restarts_nor_interleaving_show(
    found: list[tuple[int, int, str, float]], late: list[int], data: st.DataObject
) -> None:
    """However chunks are cut, partitions interleaved and workers restarted, the same alerts come out, bit by bit."""
    sent = arranged(found, late)
    expected = sorted(run(sent), key=lambda a: (a.time, a.id))
    other = Line()
    queues = [[s for s in sent if s.partition == p] for p in (0, 1)]
    while any(queues):
        turn = data.draw(st.integers(0, 1)) if all(queues) else int(not queues[0])
        size = data.draw(st.integers(1, 30))
        other.feed(turn, queues[turn][:size])
        del queues[turn][:size]
    most = max(map(len, other.samples))
    cuts = data.draw(st.sets(st.integers(1, most), max_size=6))
    restarts = data.draw(st.sets(st.sampled_from(sorted(cuts)), max_size=2)) if cuts else set()

    got = detect(other, sorted(cuts), sorted(restarts))
    assert expected == sorted(got, key=lambda a: (a.time, a.id))
