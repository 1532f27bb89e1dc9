"""Who is to blame: the demo's five faults on a shop of twelve services, and the rules behind the ranking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.incidents import Cause
from streams.correlate.cause import rank
from streams.correlate.symptom import symptom_of
from streams.correlate.topology import Topology
from tests.correlate.sample import CALLS, SERVICES, S, make_alert

SHOP = Topology(CALLS)


def causes(*alerts: Alert, graph: Topology = SHOP) -> tuple[Cause, ...]:
    """The ranking for firing alerts."""
    return rank([symptom_of(a, "service") for a in alerts], graph)


def slow(service: str, onset: int, value: float, expected: float) -> Alert:
    """A latency alert of a detector."""
    return make_alert(service, onset + 30 * S, onset=onset, value=value, expected=expected)


def failing(service: str, onset: int, value: float) -> Alert:
    """An error alert of a plain threshold."""
    return make_alert(service, onset, name="ErrorsHigh", value=value, severity="critical")


def starved(service: str, onset: int, value: float = 2.0, expected: float = 10.0) -> Alert:
    """A traffic alert: this trouble spreads from callers to callees."""
    return make_alert(
        service, onset, name="TrafficLow", flow="downstream", value=value, expected=expected
    )


FAULTS = {
    "slow database": (
        "catalogue-db",
        [
            slow("catalogue-db", 0, 0.09, 0.005),
            slow("catalogue", 15 * S, 0.10, 0.015),
            slow("search", 15 * S, 0.11, 0.03),
            slow("recommend", 30 * S, 0.10, 0.027),
            slow("frontend", 45 * S, 0.12, 0.06),
        ],
    ),
    "slow database that was noticed last": (
        "orders-db",
        [
            slow("checkout", 0, 0.3, 0.1),
            slow("orders", 15 * S, 0.15, 0.02),
            slow("orders-db", 60 * S, 0.08, 0.0055),
        ],
    ),
    "memory leak": ("payment", [make_alert("payment", 0, name="MemoryLeak", value=1.7)]),
    "traffic drop": ("frontend", [starved(s, (n % 3) * 15 * S) for n, s in enumerate(SERVICES)]),
    "traffic drop seen first at a leaf": (
        "frontend",
        [starved(s, 0 if s == "cart-cache" else 60 * S) for s in SERVICES],
    ),
    "bad deployment": (
        "cart",
        [failing("cart", 0, 0.3), failing("checkout", 0, 0.15), failing("frontend", 15 * S, 0.05)],
    ),
    "silent host": (
        "host-2",
        [
            make_alert("", 30 * S, name="HostSilent", host="host-2", severity="critical"),
            make_alert("cart", 0, name="InstanceGone", host="host-2"),
            make_alert("search", 0, name="InstanceGone", host="host-2"),
            make_alert("payment", 15 * S, name="InstanceGone", host="host-2"),
        ],
    ),
    "slow database that keeps customers away": (
        "catalogue-db",
        [
            slow("catalogue-db", 0, 0.09, 0.005),
            slow("catalogue", 15 * S, 0.10, 0.015),
            slow("frontend", 45 * S, 0.12, 0.06),
            starved("frontend", 90 * S),
            starved("cart", 90 * S),
            starved("checkout", 105 * S),
        ],
    ),
    "a caller that stops calling because it fails": (
        "checkout",
        [failing("checkout", 0, 0.9), starved("payment", 15 * S), starved("bank", 15 * S)],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_cause_of_a_fault_is_first(name: str) -> None:
    """The service or host where the fault was planted is named first, ahead by a clear margin."""
    planted, alerts = FAULTS[name]
    found = causes(*alerts)

    assert planted == found[0].entity
    assert len(found) == 1 or found[0].share > 1.3 * found[1].share


def test_order_of_the_alerts_does_not_matter() -> None:
    """The ranking is that of a set: reversing the alerts changes nothing."""
    for _, alerts in FAULTS.values():
        assert causes(*alerts) == causes(*reversed(alerts))


def test_evidence_is_readable() -> None:
    """Each piece says in words what speaks for the cause."""
    best = causes(*FAULTS["slow database"][1])[0]
    texts = {e.kind: e.text for e in best.evidence}

    assert {
        "graph": "it has no dependencies; 1 of 1 callers abnormal: catalogue",
        "onset": "was abnormal 15 s before its caller catalogue",
        "deviation": "warning LatencyHigh at 0.09, expected 0.005",
    } == texts


def test_evidence_of_other_kinds() -> None:
    """A host, a front door and an inner service are each spoken for in their own way."""

    def graph_text(name: str) -> str:
        return causes(*FAULTS[name][1])[0].evidence[0].text

    assert "3 entities with alerts run on it: cart, payment, search" == graph_text("silent host")
    assert (
        "nothing calls it; 4 of 4 callees abnormal: cart, checkout, recommend, search"
        == graph_text("traffic drop")
    )
    assert (
        "none of its own dependencies is abnormal; 2 of 2 callers abnormal: checkout, frontend"
        == graph_text("bad deployment")
    )


def test_callee_explains_only_as_much_as_it_deviates() -> None:
    """A service that is far slower than its slow callee can explain keeps most of the blame."""
    small, large = slow("orders-db", 0, 0.010, 0.005), slow("orders", 0, 0.5, 0.02)

    assert ["orders", "orders-db"] == [c.entity for c in causes(small, large)]


def test_path_goes_through_what_has_no_alert() -> None:
    """A missing alert between the front door and the slow database does not hide the database."""
    found = causes(slow("frontend", 0, 0.3, 0.1), slow("catalogue-db", 0, 0.09, 0.005))

    assert "catalogue-db" == found[0].entity
    assert "catalogue-db may explain it" == found[1].evidence[0].text


def test_silent_dependency_of_several_callers_is_suspected() -> None:
    """A service without an alert, all of whose callers have one and nothing else to blame, is named."""
    found = causes(failing("search", 0, 0.2), failing("recommend", 0, 0.2))
    catalogue = next(c for c in found if c.entity == "catalogue")

    assert "no alert of its own, but all of its 2 callers: recommend, search" == (
        catalogue.evidence[0].text
    )
    assert "catalogue-db" not in {c.entity for c in found}


def test_onset_decides_where_nothing_else_does() -> None:
    """Of two unconnected entities alike in all else the earlier one is first; of equal ones the name decides."""
    early, late = make_alert("zebra", 0), make_alert("ant", 30 * S)

    assert ["zebra", "ant"] == [c.entity for c in causes(early, late)]
    assert ["ant", "zebra"] == [c.entity for c in causes(make_alert("ant", 0), early)]


def test_circle_of_calls_ends() -> None:
    """Services that call each other share the blame, and the ranking comes to an end."""
    graph = Topology({"a": ("b",), "b": ("c",), "c": ("a",)})
    found = causes(*(make_alert(s, 0) for s in "abc"), graph=graph)

    assert [("a", 0.3333), ("b", 0.3333), ("c", 0.3333)] == [(c.entity, c.share) for c in found]


def test_alerts_without_an_entity_name_no_cause() -> None:
    """Nothing to blame, no cause."""
    assert () == causes(make_alert("", 0))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(SERVICES),
            st.integers(0, 10_000_000),
            st.sampled_from(("upstream", "downstream")),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_shares_sum_to_one(
    given: list[tuple[str, int, str, float | None, float | None]],
) -> None:
    """Whatever fires: shares are positive, descending, sum to 1, and each is the sum of its evidence."""
    found = causes(
        *(
            make_alert(service, at, name=f"Rule{n % 3}", flow=flow, value=value, expected=expected)
            for n, (service, at, flow, value, expected) in enumerate(given)
        )
    )
    shares = [c.share for c in found]

    assert pytest.approx(1.0, abs=1e-3) == sum(shares)
    assert sorted(shares, reverse=True) == shares
    assert min(shares) >= 0
    for cause in found:
        assert pytest.approx(cause.share, abs=3e-4) == sum(e.share for e in cause.evidence)
