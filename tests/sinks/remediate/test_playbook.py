"""Which incidents a playbook takes, and what it plans."""

import pytest

from schemas.config.remediate import HttpAction, KafkaAction, PlaybookConfig
from schemas.config.section import Secret
from schemas.incidents import Incident
from schemas.reasons import Severity
from sinks.remediate import HttpCall, KafkaSend, Playbook, find_problems
from tests.sinks.sample import ALL, make_alert, make_incident

TOKEN = "s3cr3t-t0k3n"
KAFKA = KafkaAction(type="kafka", topic="ops", key="{{ cause }}", value="restart {{ cause }}")


def _playbook(*matchers: str, action: HttpAction | KafkaAction = KAFKA) -> Playbook:
    return Playbook(PlaybookConfig(name="p", matchers=matchers, action=action))


def _http(url: str, **fields: object) -> HttpAction:
    return HttpAction(type="http", url=Secret(url), **fields)


@pytest.mark.parametrize(
    ("incident", "takes"),
    [
        (make_incident(), True),
        (make_incident(announce=None), True),
        (make_incident(announce=None, announcement=0), False),
        (make_incident(provisional=True), False),
        (make_incident(historical=True), False),
        (make_incident(announce=ALL), False),
        (make_incident(alerts=(make_alert(firing=False),)), False),
    ],
    ids=["announced", "later", "unannounced", "provisional", "historical", "resolved", "silent"],
)
def test_it_takes_announced_incidents_that_fire(incident: Incident, takes: bool) -> None:
    """Only an incident that is announced for good, open and firing is taken."""
    assert takes is (_playbook().match(incident) is not None)


@pytest.mark.parametrize(
    ("matchers", "takes"),
    [
        (["service=orders"], True),
        (["service=cart", "team=b"], True),
        (["service=cart", "team=a"], False),
        (["severity=warning", "tenant=shop"], True),
        (["tenant=other"], False),
        (["cause=orders-db"], True),
        (["cause!=orders-db"], False),
    ],
)
def test_matchers_hold_for_one_firing_alert(matchers: list[str], takes: bool) -> None:
    """All matchers must hold for one alert, with severity and tenant of the incident and its likeliest cause."""
    incident = make_incident(
        severity=Severity.WARNING,
        alerts=(
            make_alert("orders", team="a"),
            make_alert("cart", team="b"),
            make_alert("cart", firing=False, team="a"),
        ),
    )

    assert takes is (_playbook(*matchers).match(incident) is not None)


def test_the_alert_that_names_the_cause_is_taken() -> None:
    """Of several alerts that match, the one of the cause gives the labels."""
    incident = make_incident(alerts=(make_alert("orders"), make_alert("orders-db")))
    labels = _playbook("alertname=Slow").match(incident)

    assert {"alertname": "Slow", "service": "orders-db"} == labels


def test_an_http_call_is_planned() -> None:
    """URL and body are filled in, and what is shown of it is host and body, not the path."""
    action = _http(
        f"https://ops:8080/{TOKEN}/{{{{ cause }}}}", body='{"s": {{ labels.service | tojson }}}'
    )
    call = _playbook(action=action).plan(make_incident(), {"service": "a"}, "k1")

    assert isinstance(call, HttpCall)
    assert f"https://ops:8080/{TOKEN}/orders-db" == str.__str__(call.url)
    assert 'POST https://ops:8080/… with {"s": "a"}' == str(call)
    assert TOKEN not in repr(call)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("${env:URL}/x", "***"),
        ("https://${env:HOST}/x", "***"),
        (f"https://user:{TOKEN}@ops/x", "https://ops"),
        ("https://ops", "https://ops"),
        (f"https://ops?token={TOKEN}", "https://ops"),
        (f"https://ops#{TOKEN}", "https://ops"),
        ("https://[half/x", "***"),
        ("https://ops:port/x", "***"),
    ],
)
def test_what_is_shown_of_a_url_is_no_secret(url: str, shown: str) -> None:
    """Only scheme and host are shown, stars where these may be a secret."""
    call = HttpCall(key="k", method="POST", url=Secret(url), headers={}, body=b"", timeout_ms=1)

    assert f"POST {shown}/…" == str(call)


def test_a_kafka_record_is_planned() -> None:
    """Key and value are filled in, and the record carries the idempotency key."""
    send = _playbook().plan(make_incident(), {}, "k1")

    assert KafkaSend("k1", "ops", b"orders-db", b"restart orders-db") == send
    assert (("idempotency-key", b"k1"),) == send.headers
    assert "send to ops key orders-db: restart orders-db" == str(send)


def test_an_empty_key_is_no_key() -> None:
    """Without a key in the configuration the record has none."""
    action = KafkaAction(type="kafka", topic="ops", value="x")
    send = _playbook(action=action).plan(make_incident(), {}, "k1")

    assert isinstance(send, KafkaSend)
    assert send.record_key is None


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (KAFKA, []),
        (_http("${env:OPS_URL}/{{ cause }}"), []),
        (_http("ops/restart"), ["action.url must begin with http:// or https://"]),
        (
            _http("http://ops/{{ service }}", body="{{ x"),
            [
                "action.url: unknown name 'service'; there are cause, incident, labels, tenant",
                "action.body: unexpected end of template, expected 'end of print statement'.",
            ],
        ),
        (
            KafkaAction(type="kafka", topic="tocsin.alerts"),
            ["action.topic 'tocsin.alerts' is written by Tocsin itself"],
        ),
        (KafkaAction(type="kafka", topic="tocsin.commands"), []),
    ],
)
def test_problems_are_told_all_at_once(
    action: HttpAction | KafkaAction, expected: list[str]
) -> None:
    """Every fault of a playbook is named, with the playbook."""
    config = PlaybookConfig(name="p", matchers=(), action=action)

    assert [f"playbook 'p': {e}" for e in expected] == find_problems([config])
