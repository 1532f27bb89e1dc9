import numpy as np
import pytest

from streams.produce.shop import NAMES, TENANTS, Fault, FaultKind, Shop
from streams.produce.shop.graph import FRONT_DOOR, HOSTS, host_name
from streams.produce.shop.physics import Tick

START_MS = 1_700_000_000_000
SEEDS = range(8)

Story = tuple[Shop, Fault, list[Tick], list[Tick]]


def broken(seed: int, kind: FaultKind) -> Story:
    """Return a shop, its fault, and the ticks of five minutes before and within it."""
    shop = Shop(seed, START_MS, kinds=[kind])
    (fault,) = shop.truth()
    before: list[Tick] = []
    within: list[Tick] = []
    while shop.now_ms < fault.end_ms:
        tick = shop.advance()
        if fault.end_ms - 300_000 < shop.now_ms:
            within.append(tick)
        elif fault.start_ms - 300_000 < shop.now_ms <= fault.start_ms:
            before.append(tick)
    return shop, fault, before, within


def latency(ticks: list[Tick], tenant: int, service: str) -> float:
    row = NAMES.index(service)
    seconds = sum(tick.seconds[tenant, row].sum() for tick in ticks)
    return float(seconds / sum(tick.requests[tenant, row].sum() for tick in ticks))


def failing(ticks: list[Tick], tenant: int, service: str) -> float:
    row = NAMES.index(service)
    counts = sum(tick.requests[tenant, row].sum(axis=0) for tick in ticks)
    return float(np.asarray(counts)[2] / np.asarray(counts).sum())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slow_database_slows_its_callers(seed: int) -> None:
    """The database takes over eight times as long, its caller twice, and no other tenant more."""
    _, fault, before, within = broken(seed, FaultKind.SLOW_DATABASE)
    tenant = TENANTS.index(fault.tenant)
    caller = {"catalogue-db": "catalogue", "orders-db": "orders"}[fault.cause]

    for service, least in ((fault.cause, 8.0), (caller, 2.0), (FRONT_DOOR, 1.02)):
        ratio = latency(within, tenant, service) / latency(before, tenant, service)
        assert least < ratio
    for service in NAMES:
        assert (
            0.8 < latency(within, 1 - tenant, service) / latency(before, 1 - tenant, service) < 1.2
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_slowness_climbs_one_call_a_step(seed: int) -> None:
    """The caller is slow one step after its database, and less so than that."""
    shop = Shop(seed, START_MS, kinds=[FaultKind.SLOW_DATABASE])
    (fault,) = shop.truth()
    tenant = TENANTS.index(fault.tenant)
    caller = {"catalogue-db": "catalogue", "orders-db": "orders"}[fault.cause]
    while shop.now_ms < fault.start_ms:
        shop.advance()
    first, second = [shop.advance()], [shop.advance()]

    assert latency(first, tenant, fault.cause) > 0.04
    assert latency(second, tenant, caller) > 2.0 * latency(first, tenant, caller)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bad_deployment_fails_requests(seed: int) -> None:
    """More than 15 % of the service's requests fail, fewer at each caller, none at others."""
    _, fault, before, within = broken(seed, FaultKind.BAD_DEPLOYMENT)
    tenant = TENANTS.index(fault.tenant)
    worst = failing(within, tenant, fault.cause)

    assert worst > 0.15
    assert failing(before, tenant, fault.cause) < 0.02
    for service in NAMES:
        ratio = failing(within, tenant, service)
        if service not in fault.affected:
            assert ratio < 0.02
        elif service != fault.cause:
            assert ratio < 0.75 * worst


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drop_of_traffic_is_felt_everywhere(seed: int) -> None:
    """Every service of the tenant gets about a quarter of its requests; the other tenant's do not."""
    _, fault, before, within = broken(seed, FaultKind.TRAFFIC_DROP)
    tenant = TENANTS.index(fault.tenant)
    ratio = sum(t.requests.sum(axis=(2, 3)) for t in within) / sum(
        t.requests.sum(axis=(2, 3)) for t in before
    )

    assert np.asarray(ratio)[tenant].max() < 0.32
    assert np.asarray(ratio)[1 - tenant].min() > 0.75


@pytest.mark.parametrize("seed", SEEDS)
def test_a_leak_triples_the_memory(seed: int) -> None:
    """The service's memory grows to three times its own, and no other's does."""
    _, fault, before, within = broken(seed, FaultKind.MEMORY_LEAK)
    ratio = within[-1].memory_bytes / before[-1].memory_bytes
    place = (TENANTS.index(fault.tenant), NAMES.index(fault.cause))

    assert ratio[place].min() > 2.8
    ratio[place] = 1.0
    assert ratio.max() < 1.2


@pytest.mark.parametrize("seed", SEEDS)
def test_other_hosts_take_over(seed: int) -> None:
    """While a host is silent the others serve all requests, and none of them is overloaded."""
    _, fault, before, within = broken(seed, FaultKind.SILENT_HOST)
    tenant = TENANTS.index(fault.tenant)
    silent = ~within[-1].alive[tenant]
    host = [host_name(fault.tenant, number) for number in range(HOSTS)].index(fault.cause)

    assert set(fault.affected) == {NAMES[row] for row in np.flatnonzero(silent.any(axis=1))}
    assert within[-1].requests[tenant][silent].sum() == 0
    assert within[-1].host_cpu[tenant, host] == 0.0
    ratio = sum(t.requests.sum(axis=(2, 3)) for t in within) / sum(
        t.requests.sum(axis=(2, 3)) for t in before
    )
    assert np.asarray(ratio).min() > 0.75
    assert within[-1].cpu.max() < 0.75
