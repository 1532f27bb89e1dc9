"""Which incident an alert belongs to."""

import pytest

from schemas.config import CorrelateConfig, TopologyConfig
from schemas.incidents import Incident
from schemas.reasons import IncidentState, JoinReason
from streams.correlate import Correlator
from streams.correlate import registry as registry_room
from tests.correlate.sample import (
    MINUTE,
    SERVICES,
    S,
    latest,
    make_alert,
    make_correlator,
    make_tick,
    resolved,
    run,
    run_until,
)


def names(incident: Incident) -> list[str]:
    """Services of an incident."""
    return [a.alert.labels.get("service", "") for a in incident.alerts]


def test_same_group_is_one_incident() -> None:
    """Alerts with equal values of group_by meet, others do not."""
    alerts = [
        make_alert("billing", 0, name="A"),
        make_alert("billing", 1, name="B"),
        make_alert("warehouse", 2),
    ]
    records = run_until(make_correlator(), alerts, MINUTE)

    assert [["billing", "billing"], ["warehouse"]] == [names(r) for r in records]
    assert '{tenant="acme", service="billing"}' == records[0].group_key


@pytest.mark.parametrize(
    ("services", "incidents"),
    [
        (("orders-db", "orders"), 1),
        (("orders", "orders-db"), 1),
        (("orders-db", "orders", "checkout", "frontend"), 1),
        (("orders-db", "checkout"), 2),
        (("orders-db", "checkout", "orders"), 1),
        (("orders-db", "billing"), 2),
        (("cart-cache", "search"), 2),
    ],
)
def test_connected_services_join(services: tuple[str, ...], incidents: int) -> None:
    """Neighbours in the call graph, in either direction and through others of the incident, are one incident."""
    alerts = [make_alert(s, n * S) for n, s in enumerate(services)]

    assert incidents == len(run_until(make_correlator(), alerts, MINUTE))


def test_onset_decides_about_joining() -> None:
    """A neighbour joins if its onset lies within join_within of an alert's onset or change, however late it fires."""
    db = make_alert("orders-db", 0)
    near = make_alert("orders", 20 * MINUTE, onset=5 * MINUTE)
    far = make_alert("orders", 20 * MINUTE, onset=5 * MINUTE + 1)

    assert 1 == len(latest(run_until(make_correlator(), [db, near], 30 * MINUTE)))
    assert 2 == len(latest(run_until(make_correlator(), [db, far], 30 * MINUTE)))


def test_why_each_joined_is_told() -> None:
    """The first opens, one of its group and one of a neighbour join, each with its reason."""
    alerts = [
        make_alert("orders", 0),
        make_alert("orders", 1, name="ErrorsHigh"),
        make_alert("orders-db", 2),
    ]
    (record,) = run_until(make_correlator(), alerts, MINUTE)

    assert [JoinReason.FIRST_OF_GROUP, JoinReason.SAME_GROUP, JoinReason.CALL_GRAPH] == [
        a.joined for a in record.alerts
    ]


def test_unseen_incidents_become_one() -> None:
    """An alert that connects two incidents without a record joins them under the id of the older, unseen by anybody."""
    alerts = [
        make_alert("checkout", 0),
        make_alert("orders-db", 5 * S),
        make_alert("orders", 10 * S),
    ]
    records = run_until(make_correlator(), alerts, 40 * MINUTE)

    assert 1 == len({r.id for r in records})
    assert '{tenant="acme", service="checkout"}' == records[0].group_key
    assert ["checkout", "orders-db", "orders"] == names(records[0])


def test_seen_incidents_stay_two() -> None:
    """An alert that connects two incidents that people know joins the older; neither id is lost."""
    alerts = [
        make_alert("checkout", 0),
        make_alert("orders-db", 5 * S),
        make_alert("orders", 60 * S),
    ]
    records = latest(run_until(make_correlator(), alerts, 61 * S))

    assert [["checkout", "orders"], ["orders-db"]] == [names(r) for r in records]


def test_unseen_incident_goes_into_a_seen_one() -> None:
    """An incident without a record becomes part of a known one when an alert connects them."""
    alerts = [
        make_alert("orders-db", 0),
        make_alert("checkout", 50 * S),
        make_alert("orders", 60 * S),
    ]
    records = latest(run_until(make_correlator(), alerts, 10 * MINUTE))

    assert [["orders-db", "checkout", "orders"]] == [names(r) for r in records]


def test_later_alerts_of_a_joined_group_follow() -> None:
    """Once a service's alert is in an incident, its other alerts and their ends go there too."""
    db, orders = make_alert("orders-db", 0), make_alert("orders", 10 * S)
    more = make_alert("orders", 15 * MINUTE, name="ErrorsHigh")
    ends = [resolved(a, 20 * MINUTE) for a in (db, orders, more)]
    records = run_until(make_correlator(), [db, orders, more, *ends], 30 * MINUTE)

    assert 1 == len({r.id for r in records})
    assert IncidentState.RESOLVED is records[-1].state
    assert JoinReason.SAME_GROUP is records[-1].alerts[-1].joined


def test_host_joins_what_runs_on_it() -> None:
    """Alerts that name a host belong to the host's own alert, whichever came first; without one they stay apart."""
    on_host = [
        make_alert(s, n * S, name="Gone", host="h1") for n, s in enumerate(("bank", "search"))
    ]
    host = make_alert("", 10 * S, name="HostSilent", host="h1")
    before = make_alert("", 0, name="HostSilent", host="h1")

    assert 2 == len(run_until(make_correlator(), on_host, MINUTE))
    assert 1 == len(run_until(make_correlator(), [*on_host, host], MINUTE))
    assert 1 == len(run_until(make_correlator(), [before, *on_host], MINUTE))


def test_two_hundred_alerts_are_one_incident() -> None:
    """200 alerts of 20 connected services, from 4 partitions, become one incident with one announcement."""
    services = [f"s{n}" for n in range(20)]
    calls = {"front": tuple(services)}
    alerts = [
        make_alert(s, n * 100 + i, name=f"Rule{n}", source=i % 4)
        for n in range(10)
        for i, s in enumerate(["front", *services[1:]])
    ]
    correlator = Correlator(
        CorrelateConfig(),
        TopologyConfig(calls=calls),
        sources=4,
        page_horizon_ms=MINUTE,
    )
    records = run(correlator, [*alerts, *(make_tick(MINUTE, n) for n in range(4))])

    assert [200] == [len(r.alerts) for r in records]
    assert [1] == [r.announcement for r in records]


def test_open_incidents_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound, the incident longest unchanged is ended, with a record that says so."""
    monkeypatch.setattr(registry_room, "INCIDENTS_MAX", 3)
    correlator = make_correlator()
    records = run_until(correlator, [make_alert(f"x{n}", n * MINUTE) for n in range(5)], 6 * MINUTE)
    ended = [r for r in records if r.state is IncidentState.RESOLVED]

    assert [["x0"], ["x1"]] == [names(r) for r in ended]
    assert "too many incidents" in ended[0].timeline[-1].text


def test_forgotten_group_never_gets_a_used_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    """When group keys are evicted, the next incident of such a group still has an id of its own."""
    monkeypatch.setattr(registry_room, "GROUPS_MAX", 2)
    alerts = []
    for n in range(12):
        firing = make_alert(f"x{n % 4}", n * 30 * MINUTE)
        alerts += [firing, resolved(firing, n * 30 * MINUTE + 5 * MINUTE)]
    records = run_until(make_correlator(), alerts, 400 * MINUTE)

    assert 12 == len({r.id for r in records})


def test_unconnected_services_of_the_shop() -> None:
    """Every service with an alert at once is one incident, as the graph is connected."""
    alerts = [make_alert(s, n) for n, s in enumerate(SERVICES)]

    assert 1 == len(run_until(make_correlator(), alerts, MINUTE))
