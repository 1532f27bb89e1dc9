"""What the active faults do to the shop in one step, as arrays over tenants, services and hosts.

A healthy shop has factors of one, no errors of a fault's making, and no silent host.
Refuses to know how effects spread through the call graph: that is physics.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.produce.shop.faults import Fault, FaultKind
from streams.produce.shop.graph import (
    HOSTS,
    INDEX,
    INSTANCES,
    NAMES,
    TENANTS,
    FloatArray,
    host_name,
    hosting,
)

BoolArray = NDArray[np.bool_]

LEAK_GROWTH_RATIO = 0.5  # of a leak's time it grows; then it stands at its full size


@dataclass(frozen=True, slots=True)
class Effects:
    """The factors of one step; shapes in the comments, T tenants, S services, H hosts."""

    demand: FloatArray  # (T,) times the demand at the front door
    latency: FloatArray  # (T, S) times a service's own time
    errors: FloatArray  # (T, S) part of a service's requests that fail by its own fault
    memory: FloatArray  # (T, S) times the resident memory
    deployed: BoolArray  # (T, S) the new version runs
    silent: BoolArray  # (T, H) nothing is heard of the host


def effects(faults: Iterable[Fault], from_ms: int, ts_ms: int) -> Effects:
    """Return what the faults that hold at `from_ms` do to a step that is reported at `ts_ms`."""
    places = (len(TENANTS), len(NAMES))
    result = Effects(
        demand=np.ones(len(TENANTS)),
        latency=np.ones(places),
        errors=np.zeros(places),
        memory=np.ones(places),
        deployed=np.zeros(places, dtype=np.bool_),
        silent=np.zeros((len(TENANTS), HOSTS), dtype=np.bool_),
    )
    for fault in faults:
        if fault.active(from_ms):
            _apply(fault, ts_ms, result)
    return result


def _apply(fault: Fault, ts_ms: int, result: Effects) -> None:
    tenant = TENANTS.index(fault.tenant)
    service = INDEX.get(fault.service or "", -1)
    match fault.kind:
        case FaultKind.SLOW_DATABASE:
            result.latency[tenant, service] = fault.magnitude
        case FaultKind.MEMORY_LEAK:
            grown = (ts_ms - fault.start_ms) / (LEAK_GROWTH_RATIO * (fault.end_ms - fault.start_ms))
            result.memory[tenant, service] = 1.0 + (fault.magnitude - 1.0) * min(grown, 1.0)
        case FaultKind.TRAFFIC_DROP:
            result.demand[tenant] = fault.magnitude
        case FaultKind.BAD_DEPLOYMENT:
            result.errors[tenant, service] = fault.magnitude
            result.deployed[tenant, service] = True
        case FaultKind.SILENT_HOST:
            names = [host_name(fault.tenant, host) for host in range(HOSTS)]
            result.silent[tenant, names.index(fault.cause)] = True


def restarts(faults: Iterable[Fault], from_ms: int) -> BoolArray:
    """Return which instances start anew at `from_ms`, shape (tenants, services, instances).

    A leaking service is killed when its memory is spent, which ends the leak; a deployment and its
    roll-back restart the service; whatever ran on a silent host starts anew when it returns.
    """
    anew = np.zeros((len(TENANTS), len(NAMES), INSTANCES), dtype=np.bool_)
    for fault in faults:
        tenant = TENANTS.index(fault.tenant)
        begins, ends = fault.start_ms == from_ms, fault.end_ms == from_ms
        if fault.kind is FaultKind.SILENT_HOST and ends:
            names = [host_name(fault.tenant, host) for host in range(HOSTS)]
            anew[tenant] |= hosting()[tenant] == names.index(fault.cause)
        elif (fault.kind is FaultKind.MEMORY_LEAK and ends) or (
            fault.kind is FaultKind.BAD_DEPLOYMENT and (begins or ends)
        ):
            anew[tenant, INDEX[fault.service or ""]] = True
    return anew
