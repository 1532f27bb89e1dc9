from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.produce.shop.faults import MINUTE_MS, Fault, FaultKind, schedule
from streams.produce.shop.graph import (
    DATABASES,
    EDGES,
    FRONT_DOOR,
    NAMES,
    TENANTS,
    callers_of,
    hosting,
)

START_MS = 1_700_000_000_000
STEP_MS = 15_000

seeds = st.integers(0, 2**32)


def drawn(seed: int) -> tuple[Fault, ...]:
    return schedule(np.random.default_rng(seed), tuple(FaultKind), START_MS, STEP_MS)


@given(seeds)
def test_faults_are_apart(seed: int) -> None:
    """Twenty minutes pass before the first fault, six between two, and each lasts six to ten."""
    faults = drawn(seed)

    assert faults[0].start_ms - START_MS >= 20 * MINUTE_MS
    assert all(b.start_ms - a.end_ms >= 6 * MINUTE_MS for a, b in pairwise(faults))
    assert all(6 <= (f.end_ms - f.start_ms) / MINUTE_MS <= 10 for f in faults)
    assert all(time % STEP_MS == START_MS % STEP_MS for f in faults for time in (f.start_ms,))


@given(seeds)
def test_each_kind_once_and_both_tenants(seed: int) -> None:
    """Every kind is planted once, both tenants suffer, and no service fails twice."""
    faults = drawn(seed)

    assert sorted(FaultKind) == sorted(fault.kind for fault in faults)
    assert set(TENANTS) == {fault.tenant for fault in faults}
    causes = [(fault.tenant, fault.cause) for fault in faults]
    assert len(set(causes)) == len(causes)


@given(seeds)
def test_the_truth_fits_the_kind(seed: int) -> None:
    """The cause is where such a fault can be, and the affected are those who can feel it."""
    for fault in drawn(seed):
        match fault.kind:
            case FaultKind.SLOW_DATABASE:
                assert fault.service in DATABASES
            case FaultKind.TRAFFIC_DROP:
                assert (FRONT_DOOR, NAMES) == (fault.service, fault.affected)
            case FaultKind.MEMORY_LEAK:
                assert (fault.service,) == fault.affected
            case FaultKind.SILENT_HOST:
                assert (None, fault.cause) == (fault.service, fault.host)
            case FaultKind.BAD_DEPLOYMENT:
                assert fault.affected[0] == fault.service
        assert set(fault.affected) <= set(NAMES)


@given(seeds)
def test_a_schedule_hangs_on_its_seed_alone(seed: int) -> None:
    """The same seed draws the same faults."""
    assert drawn(seed) == drawn(seed)


def test_the_graph_is_a_graph_of_services() -> None:
    """There are at least twelve services, all reached from the front door, and no cycle."""
    assert len(NAMES) >= 12
    assert set(NAMES) == set(EDGES)
    assert all(FRONT_DOOR in callers_of(name) for name in NAMES if name != FRONT_DOOR)
    assert all(name not in callers_of(name) for name in NAMES)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("orders-db", ("frontend", "checkout", "orders")),
        ("catalogue-db", ("frontend", "catalogue", "search", "recommend")),
        ("frontend", ()),
    ],
)
def test_callers_are_all_who_wait(service: str, expected: tuple[str, ...]) -> None:
    """The callers of a service are those on any path to it."""
    assert expected == callers_of(service)


def test_no_host_is_the_only_one() -> None:
    """The instances of a service live on different hosts, so one silent host takes none away."""
    hosts = hosting()

    assert (hosts[..., 0] != hosts[..., 1]).all()
    assert {0, 1, 2, 3} == set(hosts.ravel().tolist())
