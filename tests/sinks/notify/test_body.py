"""The webhook body."""

import msgspec
import pytest

from sinks.notify import body as body_module
from sinks.notify.body import webhook_body
from tests.sinks.sample import ALL, SOME, make_alert, make_incident


def _body(*, send_resolved: bool = True, **fields: object) -> dict[str, object]:
    raw = webhook_body(
        make_incident(**fields),
        receiver="hook",
        external_url="https://tocsin.example",
        send_resolved=send_resolved,
    )
    return msgspec.json.decode(raw)


def test_it_is_alertmanagers_webhook_version_4() -> None:
    """The body is Alertmanager's, field by field, and one object more."""
    body = _body()
    incident = make_incident()
    alert = incident.alerts[0].alert

    extension = body.pop("tocsin")
    assert {
        "version": "4",
        "groupKey": "shop/a#1",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "hook",
        "groupLabels": {"env": "prod"},
        "commonLabels": {"alertname": "Slow", "service": "orders"},
        "commonAnnotations": {"summary": "orders is slow", "team": "payments"},
        "externalURL": "https://tocsin.example",
        "notification_reason": "first notification",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Slow", "service": "orders"},
                "annotations": {"summary": "orders is slow", "team": "payments"},
                "startsAt": "2023-11-14T22:13:20.000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://tocsin.example",
                "fingerprint": alert.fingerprint,
            }
        ],
    } == body
    assert {
        "incident": incident.id,
        "tenant": "shop",
        "state": "open",
        "severity": "critical",
        "title": "orders-db: Slow",
        "announcement": 1,
        "openedAt": "2023-11-14T22:13:20.000Z",
        "resolvedAt": None,
        "causes": [{"entity": "orders-db", "share": 1.0, "evidence": ["orders-db was slow first"]}],
        "timeline": [
            {
                "time": "2023-11-14T22:13:20.000Z",
                "change": "opened",
                "text": "Slow fires on orders",
                "actor": "tocsin",
            }
        ],
    } == extension


def test_a_resolved_incident_says_when_its_alerts_ended() -> None:
    """A resolved incident is "resolved", and its alerts carry their end."""
    body = _body(announce=ALL, announcement=2)

    assert ("resolved", "all alerts resolved") == (body["status"], body["notification_reason"])
    assert [("resolved", "2023-11-14T22:14:20.000Z")] == [
        (a["status"], a["endsAt"]) for a in body["alerts"]
    ]


@pytest.mark.parametrize(("send_resolved", "services"), [(True, ["b", "a"]), (False, ["b"])])
def test_resolved_alerts_are_listed_where_they_are_wanted(
    send_resolved: bool, services: list[str]
) -> None:
    """Firing alerts stand first; resolved ones are listed only with `send_resolved`."""
    alerts = (make_alert("a", firing=False), make_alert("b"))
    body = _body(alerts=alerts, announce=SOME, send_resolved=send_resolved)

    assert services == [a["labels"]["service"] for a in body["alerts"]]


def test_many_alerts_are_truncated_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap alerts are left out and counted, the firing ones kept."""
    monkeypatch.setattr(body_module, "ALERTS_MAX", 2)
    alerts = tuple(make_alert(f"s{n}", firing=n >= 3) for n in range(5))
    body = _body(alerts=alerts)

    assert (3, ["s3", "s4"]) == (
        body["truncatedAlerts"],
        [a["labels"]["service"] for a in body["alerts"]],
    )
