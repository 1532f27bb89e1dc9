"""Connected: what joins alerts into one incident beside their group: graph, labels, time after time; tenants never."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert, AlertRecord
from schemas.changes import Change, ChangeKind, change_id
from schemas.edges import Edge, edge_id
from schemas.incidents import Incident
from schemas.reasons import JoinReason
from tests.correlate.sample import (
    MINUTE,
    T0,
    S,
    latest,
    make_alert,
    make_correlator,
    make_tick,
    resolved,
    run,
)

HOUR = 60 * MINUTE
TENANTS = ("acme", 'acme", service="a', "acme\x00", " acme")


def edge(caller: str, callee: str, at: int = 0, tenant: str = "acme", source: int = 0) -> Edge:
    """An edge told of `at` ms after T0."""
    identity = edge_id(tenant, caller, callee, T0 + at)
    return Edge(
        id=identity, tenant=tenant, caller=caller, callee=callee, time=T0 + at, source=source
    )


def change(service: str, at: int, tenant: str = "acme") -> Change:
    """A deployment `at` ms after T0."""
    sort = ChangeKind.DEPLOYMENT
    identity = change_id(tenant, sort, service, "", "", T0 + at)
    return Change(id=identity, tenant=tenant, sort=sort, service=service, time=T0 + at)


def joined(records: list[Incident]) -> list[list[tuple[str, JoinReason, str]]]:
    """Of each incident as it stands at last: service, reason and what more was said of each alert."""
    return [
        sorted((a.alert.labels["service"], a.joined, a.because) for a in r.alerts)
        for r in latest(records)
    ]


def test_a_learnt_edge_joins() -> None:
    """Two services of which telemetry says that one calls the other, not declared anywhere."""
    log = [edge("a", "b"), make_alert("a", S), make_alert("b", 2 * S), make_tick(MINUTE)]

    assert [[("a", JoinReason.FIRST_OF_GROUP, ""), ("b", JoinReason.LEARNT_GRAPH, "")]] == joined(
        run(make_correlator(), log)
    )


def test_a_learnt_edge_names_the_callee_as_the_cause() -> None:
    """Blame walks down a learnt edge as it does down a declared one."""
    log = [edge("a", "b"), make_alert("a", S), make_alert("b", 2 * S), make_tick(MINUTE)]

    assert "b" == latest(run(make_correlator(), log))[0].causes[0].entity


def test_an_edge_of_another_tenant_joins_nothing() -> None:
    """What is known of one tenant's traffic is not true of another's."""
    log = [edge("a", "b", tenant="globex"), make_alert("a", S), make_alert("b", S)]

    assert 2 == len(joined(run(make_correlator(), [*log, make_tick(MINUTE)])))


def test_a_shared_label_joins() -> None:
    """Alerts on one node are one incident when the configuration says so, with the label as the reason."""
    log = [make_alert("a", 0, node="n1"), make_alert("b", S, node="n1")]
    log.append(make_alert("c", S, node="n2"))
    found = joined(run(make_correlator(join_labels=["node"]), [*log, make_tick(MINUTE)]))

    assert ("b", JoinReason.SHARED_LABEL, "node=n1") in found[0]
    assert 2 == len(found)


def test_without_join_labels_a_shared_label_joins_nothing() -> None:
    """The default joins by no label."""
    log = [make_alert("a", 0, node="n1"), make_alert("b", S, node="n1"), make_tick(MINUTE)]

    assert 2 == len(joined(run(make_correlator(), log)))


def episodes(count: int) -> list[AlertRecord]:
    """Two alerts without any connection that begin together and end, some times over."""
    log: list[AlertRecord] = []
    for turn in range(count):
        pair = [make_alert(s, turn * HOUR + n * S) for n, s in enumerate(("a", "b"))]
        log += [*pair, *(resolved(a, turn * HOUR + MINUTE) for a in pair)]
        log.append(make_tick(turn * HOUR + 30 * MINUTE))
    return log


@pytest.mark.parametrize(("learn", "expected"), [(True, 9), (False, 10)])
def test_what_began_together_time_after_time_joins(learn: bool, expected: int) -> None:
    """From the fifth time on they are one incident, and it says how often they were seen together."""
    found = joined(run(make_correlator(learn_together=learn), episodes(5)))

    assert expected == len(found)
    last = ("b", JoinReason.SEEN_TOGETHER, "seen together 4 times of 4")
    assert learn == (last in found[-1])


def test_the_reason_stands_in_the_time_line() -> None:
    """Whoever reads the incident sees why the alert is in it."""
    texts = [e.text for e in latest(run(make_correlator(), episodes(5)))[-1].timeline]

    assert any("(seen_together: seen together 4 times of 4)" in text for text in texts)


@st.composite
def story(draw: st.DrawFn) -> list[AlertRecord]:
    """Alerts, edges and changes of hostile tenants, in order of time, with ticks between."""
    log: list[AlertRecord] = []
    at = 0
    for _ in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from((0, 1, 30, 400))) * S
        tenant, one = draw(st.sampled_from(TENANTS)), draw(st.sampled_from("abc"))
        match draw(st.sampled_from(("alert", "alert", "end", "edge", "change", "tick"))):
            case "alert":
                log.append(make_alert(one, at, tenant=tenant, node=draw(st.sampled_from("nm"))))
            case "end" if alerts := [r for r in log if isinstance(r, Alert)]:
                log.append(resolved(alerts[-1], at))
            case "edge":
                log.append(edge(one, draw(st.sampled_from("abc")), at, tenant))
            case "change":
                log.append(change(one, at, tenant))
            case _:
                log.append(make_tick(at))
                at += S
    return [*log, make_tick(at + HOUR)]


@settings(max_examples=40)
@given(story())
def test_tenants_never_mix(log: list[AlertRecord]) -> None:
    """No alert, edge or change of one tenant is ever seen in another's: alone, each has the same incidents."""
    together = run(make_correlator(join_labels=["node"]), log)
    for tenant in TENANTS:
        own = [r for r in log if getattr(r, "tenant", tenant) == tenant]
        alone = run(make_correlator(join_labels=["node"]), own)

        assert [r for r in together if r.tenant == tenant] == alone
        assert all(a.alert.tenant == tenant for r in alone for a in r.alerts)


@settings(max_examples=30)
@given(story(), st.data())
def test_a_restored_correlator_goes_on_alike(log: list[AlertRecord], data: st.DataObject) -> None:
    """With edges, changes and what was learnt of pairs, a snapshot holds all that counts."""
    cut = data.draw(st.integers(0, len(log)))
    whole, restored = make_correlator(join_labels=["node"]), make_correlator(join_labels=["node"])
    run(whole, log[:cut])
    restored.restore(whole.snapshot())

    assert run(whole, log[cut:]) == run(restored, log[cut:])
    assert whole.snapshot() == restored.snapshot()


@settings(max_examples=30)
@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=12), st.data())
def test_how_edges_of_two_partitions_interleave_changes_nothing(
    names: list[str], data: st.DataObject
) -> None:
    """Edges and alerts of two detect partitions, in any interleaving and sent twice, give the same records."""
    each: list[list[AlertRecord]] = []
    for source in range(2):
        mine: list[AlertRecord] = []
        for number, name in enumerate(names[source::2]):
            mine.append(edge(name, "z", number * S, source=source))
            mine.append(make_alert(name, number * S, source=source, instance=str(source)))
        each.append([*mine, make_tick(MINUTE, source)])
    order = data.draw(st.permutations([n for n, log in enumerate(each) for _ in log]))
    places, mixed = [iter(log) for log in each], []
    for source in order:
        record = next(places[source])
        mixed += [record] * data.draw(st.integers(1, 2))
    straight = [r for log in each for r in log]
    ours, theirs = (run(make_correlator(sources=2), log) for log in (straight, mixed))

    assert msgspec.json.encode(ours) == msgspec.json.encode(theirs)
