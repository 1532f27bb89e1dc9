import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.config.route import InhibitRuleConfig
from schemas.matchers import fulfils, parse_all
from schemas.reasons import AlertState
from streams.correlate import inhibit
from streams.correlate.inhibit import Inhibitor
from tests.correlate.sample import make_alert, resolved

RULE = InhibitRuleConfig(
    name="worse",
    source_matchers=('severity="critical"',),
    target_matchers=('severity=~"warning|critical"', 'service=~"cart|bank"'),
    equal=("zone",),
)


def test_a_source_that_is_a_target_too_does_not_hide_another() -> None:
    """Of two sources with the same labels one is a target as well: the other inhibits targets of both kinds.

    Alertmanager 0.34 remembers one source for equal labels, and overlooks the other where it is this one.
    """
    inhibitor = Inhibitor([RULE])
    single = make_alert("search", 0, severity="critical", zone="a")
    both = make_alert("cart", 1, severity="critical", zone="a")
    inhibitor.learn(single)
    inhibitor.learn(both)
    target = {"severity": "critical", "service": "bank", "zone": "a"}
    assert ("worse", single.fingerprint) == inhibitor.inhibited_by("acme", target)
    inhibitor.learn(resolved(single, 2))
    assert inhibitor.inhibited_by("acme", target) is None
    warning = target | {"severity": "warning"}
    assert ("worse", both.fingerprint) == inhibitor.inhibited_by("acme", warning)


def _expected(alerts: list[Alert], tenant: str, labels: dict[str, str]) -> bool:
    """The rule as its documentation says it, by looking at every alert."""
    source, target = parse_all(RULE.source_matchers), parse_all(RULE.target_matchers)
    if not fulfils(labels, target):
        return False
    return any(
        a.tenant == tenant
        and fulfils(a.labels, source)
        and all(a.labels.get(n, "") == labels.get(n, "") for n in RULE.equal)
        and not (fulfils(labels, source) and fulfils(a.labels, target))
        for a in alerts
    )


_ALERT = st.tuples(
    st.sampled_from(["acme", "globex"]),
    st.sampled_from(["cart", "bank", "search"]),
    st.sampled_from(["critical", "warning"]),
    st.sampled_from(["a", "b", ""]),
)


@settings(max_examples=200, deadline=None)
@given(steps=st.lists(_ALERT, max_size=20), asked=_ALERT)
def test_index_finds_what_a_search_finds(
    steps: list[tuple[str, str, str, str]], asked: tuple[str, str, str, str]
) -> None:
    """Whatever fires and resolves, the index answers as a look at every alert would, within the tenant."""
    inhibitor = Inhibitor([RULE])
    firing: dict[str, Alert] = {}
    for at, (tenant, service, severity, zone) in enumerate(steps):
        labels = {"zone": zone} if zone else {}
        alert = make_alert(service, at, severity=severity, tenant=tenant, **labels)
        if firing.pop(alert.fingerprint, None):
            inhibitor.learn(
                make_alert(
                    service, at, AlertState.RESOLVED, severity=severity, tenant=tenant, **labels
                )
            )
        else:
            firing[alert.fingerprint] = alert
            inhibitor.learn(alert)
    tenant, service, severity, zone = asked
    found = {"service": service, "severity": severity, "zone": zone}
    assert _expected([*firing.values()], tenant, found) == (
        inhibitor.inhibited_by(tenant, found) is not None
    )


def test_what_alerts_are_is_remembered_for_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two kinds of labels the answers are the same as with room for all."""
    monkeypatch.setattr(inhibit, "ROLES_MAX", 2)
    inhibitor = Inhibitor([RULE])
    for zone in "abc":
        inhibitor.learn(make_alert("search", 0, severity="critical", zone=zone))
        inhibitor.learn(make_alert("cart", 0, severity="info", zone=zone))
    asked = [
        {"severity": "warning", "service": service, "zone": zone}
        for service in ("cart", "bank", "orders")
        for zone in "abcd"
    ]
    answers = [inhibitor.inhibited_by("acme", labels) is not None for labels in asked]

    assert [True, True, True, False] * 2 + [False] * 4 == answers
