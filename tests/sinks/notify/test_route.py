"""Which receivers an incident goes to."""

import pytest

from schemas.config.notify import NotifyConfig, RouteConfig, StdoutReceiver
from schemas.reasons import Severity
from sinks.notify.route import Router, RouteReason, common_pairs, routing_labels
from tests.sinks.sample import ALL, make_alert, make_incident

NAMES = ("default", "pager", "chat")


def _config(*routes: dict[str, object], receivers: tuple[str, ...] = NAMES) -> NotifyConfig:
    return NotifyConfig(
        receivers=tuple(StdoutReceiver(type="stdout", name=n) for n in receivers),
        routes=tuple(RouteConfig.model_validate(r) for r in routes),
    )


def test_no_routes_means_the_first_receiver() -> None:
    """An incident that no route takes goes to the first receiver, and says so."""
    (choice,) = Router(_config()).choose(make_incident())

    assert ("default", RouteReason.DEFAULT) == choice[:2]


def test_no_receiver_is_a_reason() -> None:
    """Without receivers the choice says that there is none."""
    (choice,) = Router(_config(receivers=())).choose(make_incident())

    assert ("", RouteReason.NO_RECEIVER) == choice[:2]


def test_the_first_match_wins() -> None:
    """A later route is not asked once one has matched."""
    router = Router(
        _config(
            {"receiver": "pager", "matchers": ["severity=critical"]},
            {"receiver": "chat", "matchers": ['tenant="shop"']},
        )
    )

    (choice,) = router.choose(make_incident())

    assert ("pager", RouteReason.MATCHED, 'route 1: severity="critical"') == choice


def test_continue_goes_on_to_the_next() -> None:
    """A route with `continue` takes the incident and lets the next ones take it too, each receiver once."""
    router = Router(
        _config(
            {"receiver": "pager", "continue": True},
            {"receiver": "pager", "continue": True},
            {"receiver": "chat"},
            {"receiver": "default"},
        )
    )

    assert ["pager", "chat"] == [c.receiver for c in router.choose(make_incident())]


@pytest.mark.parametrize(
    ("matcher", "takes"),
    [
        ("service=orders", False),
        ("team=payments", True),
        ("alertname=Slow", True),
        ("env=prod", True),
        ("severity=warning", True),
        ("severity!~critical|info", True),
        ("tenant=other", False),
        ("missing=", True),
    ],
)
def test_matchers_see_what_the_firing_alerts_share(matcher: str, takes: bool) -> None:
    """Matchers see labels common to the firing alerts, group labels, severity and tenant; no others."""
    incident = make_incident(
        severity=Severity.WARNING,
        alerts=(
            make_alert("orders", team="payments"),
            make_alert("cart", team="payments"),
            make_alert("search", firing=False, team="search"),
        ),
    )
    router = Router(_config({"receiver": "pager", "matchers": [matcher]}))

    assert takes is (router.choose(incident)[0].receiver == "pager")


def test_the_last_alerts_speak_for_a_resolved_incident() -> None:
    """When nothing fires any more the labels of all alerts count."""
    incident = make_incident(announce=ALL, alerts=(make_alert("orders", firing=False),))

    assert "orders" == routing_labels(incident)["service"]


def test_the_severity_of_the_incident_wins() -> None:
    """A severity label of an alert does not hide the worst severity of the incident."""
    incident = make_incident(alerts=(make_alert(severity="info"),), severity=Severity.CRITICAL)

    assert "critical" == routing_labels(incident)["severity"]


def test_common_pairs_of_nothing() -> None:
    """No label sets share nothing."""
    assert {} == common_pairs([])
