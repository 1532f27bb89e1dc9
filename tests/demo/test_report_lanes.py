"""The time line's lanes."""

from itertools import combinations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.reasons import AlertReason, AlertState
from streams.demo.report.card import cards, owners
from streams.demo.report.lanes import ALERT_ROWS, alert_spans, lanes, pack
from tests.demo.report_story import story

END_MS = 10_000


def alert(state: AlertState, time: int, fingerprint: str = "a") -> Alert:
    return Alert(
        id=f"{fingerprint}-{state}-{time}",
        tenant="acme",
        rule="shop/Slow",
        fingerprint=fingerprint,
        state=state,
        reason=AlertReason.HELD_FOR,
        time=time,
        active_at=max(time - 300, 0),
        labels={"alertname": "Slow", "service": "cart"},
    )


def test_a_span_goes_from_firing_to_resolved() -> None:
    """Pending, firing and resolved make one span, however often and in which order they come."""
    transitions = [
        alert(AlertState.RESOLVED, 2_000),
        alert(AlertState.FIRING, 1_000),
        alert(AlertState.PENDING, 700),
        alert(AlertState.FIRING, 1_000),
    ]
    (span,) = alert_spans(transitions, END_MS)

    assert (700, 1_000, 2_000) == (span.pending_ms, span.start_ms, span.end_ms)


def test_what_still_fires_lasts_to_the_end() -> None:
    """An alert without a resolution fires until the report ends; a resolution alone is none."""
    transitions = [alert(AlertState.FIRING, 1_000), alert(AlertState.RESOLVED, 500, "b")]

    assert [END_MS] == [s.end_ms for s in alert_spans(transitions, END_MS)]


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda p: (p[0], p[0] + p[1]))
    ).map(sorted)
)
def test_packed_spans_do_not_cover_each_other(ends: list[tuple[int, int]]) -> None:
    """With rows enough, spans in one row never overlap, and no row is used without need."""
    rows = pack(ends, most=len(ends) + 1)

    for (a, row_a), (b, row_b) in combinations(zip(ends, rows, strict=True), 2):
        assert row_a != row_b or a[1] <= b[0]
    deepest = max((sum(s <= at < e for s, e in ends) for at, _ in ends), default=0)
    assert deepest == len(set(rows))


def test_rows_are_capped() -> None:
    """A thousand spans at once take no more than the rows there are."""
    rows = pack([(0, 10)] * 1_000, ALERT_ROWS)

    assert set(range(ALERT_ROWS)) == set(rows)


def test_each_tenant_has_its_lane() -> None:
    """Tenants stand below each other by name, and each thing stands in its tenant's lane."""
    data = story()
    faults = [f.fault for f in data.verdict.findings]
    found = lanes(faults, alert_spans(data.alerts, data.end_ms), data.incidents, data.end_ms)

    assert ["acme", "globex"] == [lane.tenant for lane in found]
    assert found[1].y == found[0].y + found[0].height
    for lane in found:
        assert {lane.tenant} == {i.tenant for _, i in lane.incidents}
        below = [y for y, _ in (*lane.faults, *lane.spans, *lane.incidents)]
        assert lane.y < min(below) <= max(below) < lane.y + lane.height


def test_a_span_belongs_to_the_incident_of_its_time() -> None:
    """All alerts of the demo have their incident; the same alert an hour before has none."""
    data = story()
    spans = alert_spans(data.alerts, data.end_ms)
    found = owners(spans, cards(data))

    assert {s.alert.id for s in spans} == set(found)
    early = [
        msgspec.structs.replace(a, time=a.time - 3_600_000, active_at=a.active_at - 3_600_000)
        for a in data.alerts
    ]
    assert {} == owners(alert_spans(early, data.end_ms), cards(data))
