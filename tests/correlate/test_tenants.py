"""Five hundred tenants side by side, with names that would like to be another's."""

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertRecord
from schemas.commands import Verb
from schemas.incidents import Incident
from schemas.records import encode_record
from tests.correlate.sample import (
    MINUTE,
    S,
    make_alert,
    make_command,
    make_correlator,
    make_tick,
    run,
)

TENANTS = 500
HOSTILE = (
    "",
    "acme",
    "acme ",
    'acme"',
    'acme", service="cart',
    '{tenant="acme"}',
    "acme\x00",
    "acme\n",
    "a c m e",
    "ACME",
    "acme,globex",
    "*",
    '["acme","",',
    "\u202eemca",
    "null",
)
names = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12))
"""Names and values of labels: those that stand for something elsewhere, and any others."""

CONFIG = {
    "group_by": ["service", "team"],
    "storm": {"pages": 1, "per": 600_000},
    "group_interval": MINUTE,
}


@st.composite
def alerts(draw: st.DrawFn, tenant: str) -> list[AlertRecord]:
    """A few alerts of a tenant, with the same services as everybody's."""
    return [
        make_alert(
            draw(st.one_of(st.sampled_from(("cart", "cart-cache", "orders")), names)),
            draw(st.integers(0, 5)) * 20 * S,
            tenant=tenant,
            urgent=draw(st.booleans()),
            team=draw(names),
            host=draw(names),
            instance=str(n),
        )
        for n in range(draw(st.integers(1, 4)))
    ]


def seen(records: Sequence[Incident], tenant: str) -> list[bytes]:
    """Final records of a tenant."""
    return [encode_record(r) for r in records if r.tenant == tenant and not r.provisional]


@settings(max_examples=60)
@given(st.data())
def test_what_a_tenant_gets_does_not_depend_on_the_others(data: st.DataObject) -> None:
    """With others beside it, who talk too, its records are byte for byte those that it gets alone."""
    tenants = data.draw(st.lists(names, min_size=2, max_size=4, unique=True))
    logs = {tenant: data.draw(alerts(tenant)) for tenant in tenants}
    end = make_tick(60 * MINUTE)
    alone = {t: run(make_correlator(**CONFIG), [*log, end]) for t, log in logs.items()}
    target = alone[tenants[0]][-1].id
    attacks = [
        make_command(verb, 30 * S + n, target, tenant=tenants[1], subject=target)
        for n, verb in enumerate(v for v in Verb if v.of_incident)
    ] + [make_command(Verb.HOLD, 0, tenant=tenants[1], until=30 * MINUTE)]
    together = run(
        make_correlator(**CONFIG), [*attacks, *(a for log in logs.values() for a in log), end]
    )

    assert seen(alone[tenants[0]], tenants[0]) == seen(together, tenants[0])


def test_five_hundred_tenants_see_their_own() -> None:
    """Every record of every tenant names alerts, causes and notes of that tenant only."""
    tenants = [f"{HOSTILE[n % len(HOSTILE)]}#{n}" for n in range(TENANTS)]
    log: list[AlertRecord] = [
        make_alert(service, n % 7 * S, tenant=tenant, instance=tenant)
        for n, tenant in enumerate(tenants)
        for service in ("cart", "cart-cache")
    ]
    records = run(make_correlator(), [*log, make_tick(10 * MINUTE)])

    assert set(tenants) == {r.tenant for r in records}
    assert TENANTS == len({r.id for r in records})
    for record in records:
        foreign = {t for a in record.alerts if (t := a.alert.labels["instance"]) != record.tenant}
        assert set() == foreign | {a.alert.tenant for a in record.alerts} - {record.tenant}
        assert 2 == len(record.alerts)


def test_snapshot_of_hostile_names_is_restored() -> None:
    """Names that are no identifiers survive a restart."""
    log = [make_alert("cart", 0, tenant=t, team=t) for t in HOSTILE]
    before, after = make_correlator(**CONFIG), make_correlator(**CONFIG)
    run(before, [*log, make_tick(MINUTE)])
    after.restore(before.snapshot())

    assert msgspec.json.decode(before.snapshot()) == msgspec.json.decode(after.snapshot())
    assert run(before, [make_tick(99 * MINUTE)]) == run(after, [make_tick(99 * MINUTE)])
