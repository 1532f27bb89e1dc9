"""Why somebody was told, or was not, as it is shown."""

import msgspec

from schemas.alerts import Late
from schemas.decisions import Decision
from schemas.labels import parse_matcher
from schemas.notifications import Notification
from schemas.reasons import AlertState, DeliveryReason, Gate
from schemas.records import rfc3339
from sinks.record.sqlite import IncidentHistory
from sinks.record.text import describe
from sinks.record.why import RuleText, decisions_of, explain
from tests.sinks.sample import FIRST, T0, make_alert, make_incident

RESOLVED = AlertState.RESOLVED


def decision(at: int, gate: Gate, *, passed: bool, alert: str = "", by: str = "") -> Decision:
    return Decision(
        time=T0 + at, gate=gate, passed=passed, reason="because", text="of it", alert=alert, by=by
    )


def make_history(*decisions: tuple[Decision, ...]) -> IncidentHistory:
    """An incident with one revision for each tuple of decisions."""
    alerts = (make_alert("orders"), make_alert("cart"))
    revisions = [
        msgspec.structs.replace(make_incident(alerts=alerts, revision=n), decisions=found)
        for n, found in enumerate(decisions, 1)
    ]
    told = Notification(
        id="k",
        incident=revisions[-1].id,
        tenant="shop",
        receiver="on-call",
        announce=FIRST,
        reason=DeliveryReason.DELIVERED,
        final=True,
        attempt=1,
        time=T0,
        detail='route 1: severity="critical"',
    )
    return IncidentHistory(revisions[-1], revisions, [told], [])


def test_decisions_of_all_revisions_are_one_list() -> None:
    """Each once, in order of event time, also those that the last record no longer holds."""
    a = decision(0, Gate.STORM, passed=False)
    b = decision(1, Gate.SILENCE, passed=False)
    c = decision(2, Gate.DEDUP, passed=True)

    assert [a, b, c] == decisions_of(make_history((b, a), (b, c)))


def test_an_alert_that_fired_anew_says_both_times() -> None:
    """Now, and the first time; one that has ended since, when it first did."""
    item = make_alert("orders")
    again = msgspec.structs.replace(item.alert, active_at=T0 + 60_000, time=T0 + 90_000)
    firing = msgspec.structs.replace(item, alert=again)
    over = msgspec.structs.replace(
        make_alert("cart", firing=False), alert=msgspec.structs.replace(again, state=RESOLVED)
    )
    incident = make_incident(alerts=(firing, over))
    blocks = explain(IncidentHistory(incident, [incident], [], []), {}, str)
    (now, then) = next(b.rows for b in blocks if b.title == "alerts")

    assert f"fired at {rfc3339(T0 + 90_000)}, first fired at {rfc3339(T0)}" in now[2]
    assert f"; first fired at {rfc3339(T0)}" in then[2]


def test_why_names_rule_value_gates_and_receivers() -> None:
    """Rule, line, expression and value, since when, each gate with what decided, who was told by which route."""
    held = decision(0, Gate.STORM, passed=False, by="correlate.storm.pages")
    rules = {"checkout/Slow": RuleText("rules.yml:7", "latency > 0.3", "5m")}
    blocks = {b.title: b.rows for b in explain(make_history((held,)), rules, "here {}".format)}

    assert {"incident", "alerts", "decisions", "notifications"} == blocks.keys()
    (orders, _) = blocks["alerts"]
    assert "rules.yml:7: latency > 0.3" == orders[3]
    assert "value 0.5" in orders[2]
    assert "condition true since 2023-11-14T22:12:50.000Z; held for 5m; fired at" in orders[2]
    assert [
        (
            "2023-11-14T22:13:20.000Z",
            "storm",
            "stopped",
            "because: of it",
            "here correlate.storm.pages",
        )
    ] == blocks["decisions"]
    assert ("on-call", "delivered", FIRST.value, 'route 1: severity="critical"') == (
        blocks["notifications"][0][1:]
    )


def test_why_tells_late_samples_and_what_is_taken_back() -> None:
    """How many of the samples in the window came late, by how much, and which transitions an amendment takes back."""
    history = make_history(())
    item = history.incident.alerts[0]
    late = Late(samples=3, most_ms=12_500)
    said = []
    for changes in ({"late": late, "amends": ("a1",)}, {"late": None}):
        alert = msgspec.structs.replace(item.alert, window=(T0 - 60_000, T0), **changes)
        told = msgspec.structs.replace(
            history.incident, alerts=(msgspec.structs.replace(item, alert=alert),)
        )
        blocks = {b.title: b.rows for b in explain(history._replace(incident=told), {})}
        said.append(blocks["alerts"][0][2])

    assert "3 of the samples came late, by up to 12.5 s, takes back a1" in said[0]
    assert "no late samples" in said[1]


def test_only_what_was_asked_for_is_shown() -> None:
    """Other alerts and decisions about them are left out; decisions about the incident stay."""
    cart = make_alert("cart").alert.fingerprint
    about = (
        decision(0, Gate.SILENCE, passed=False, alert=cart),
        decision(0, Gate.SILENCE, passed=False, alert=make_alert("orders").alert.fingerprint),
        decision(0, Gate.HOLD, passed=False),
    )
    wanted = [parse_matcher('service="cart"'), parse_matcher('tenant="shop"')]
    blocks = {b.title: b.rows for b in explain(make_history(about), {}, wanted=wanted)}

    assert ["service=cart"] == [row[1] for row in blocks["alerts"]]
    assert 2 == len(blocks["decisions"])


def test_incident_shows_what_people_did_to_it() -> None:
    """Owner, priority and where it went are among its facts."""
    incident = msgspec.structs.replace(make_incident(), owner="ann", held=True, merged_into="x")
    facts = dict(describe(IncidentHistory(incident, [incident], [], []))[0].rows)

    assert ("P3", "ann", "its page is held", "x") == (
        facts["priority"],
        facts["owner"],
        facts["held"],
        facts["part of"],
    )
