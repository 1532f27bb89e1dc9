"""The faults planted in the simulated shop: what, where, when, and the truth about each.

The schedule is drawn from a seed and from nothing else. Faults never overlap, and long enough lies
between two of them that a five-minute rate has forgotten the first when the second begins.
Refuses to say how a fault shows in the telemetry: that is the business of effects and physics.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from streams.produce.shop.graph import (
    DATABASES,
    FRONT_DOOR,
    HOSTS,
    NAMES,
    TENANTS,
    callers_of,
    host_name,
    hosting,
)

MINUTE_MS = 60_000
FIRST_MINUTES = (20.0, 21.5)  # detectors warm up before the first fault
LENGTH_MINUTES = (6.5, 9.0)
GAP_MINUTES = (6.5, 7.5)
TAIL_MINUTES = 7.0  # healthy time after the last fault, for its alerts to end


class FaultKind(StrEnum):
    """What can go wrong in the shop."""

    SLOW_DATABASE = "slow_database"
    MEMORY_LEAK = "memory_leak"
    TRAFFIC_DROP = "traffic_drop"
    BAD_DEPLOYMENT = "bad_deployment"
    SILENT_HOST = "silent_host"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One planted fault and the truth about it.

    It holds for event times in [start_ms, end_ms). `cause` is the service that is to blame, or
    the host. `affected` are the services whose telemetry can show it, the cause's own included.
    `magnitude` is what the kind multiplies (latency, memory, demand) or the ratio of 5xx.
    """

    kind: FaultKind
    tenant: str
    cause: str
    service: str | None
    host: str | None
    start_ms: int
    end_ms: int
    magnitude: float
    affected: tuple[str, ...]
    repaired_ms: int | None = None

    def active(self, at_ms: int) -> bool:
        """Say whether the fault holds at an event time."""
        return self.start_ms <= at_ms < self.end_ms


# Inner services only: a fault of the front door would hide behind a drop of traffic.
_LEAKING = ("catalogue", "search", "recommend", "cart", "checkout", "payment", "orders", "shipping")
_PLACES = {
    FaultKind.SLOW_DATABASE: DATABASES,
    FaultKind.MEMORY_LEAK: _LEAKING,
    FaultKind.TRAFFIC_DROP: (FRONT_DOOR,),
    FaultKind.BAD_DEPLOYMENT: _LEAKING,
}
_MAGNITUDES = {
    FaultKind.SLOW_DATABASE: (14.0, 20.0),
    FaultKind.MEMORY_LEAK: (3.0, 3.3),
    FaultKind.TRAFFIC_DROP: (0.22, 0.25),
    FaultKind.BAD_DEPLOYMENT: (0.25, 0.40),
    FaultKind.SILENT_HOST: (0.0, 0.0),
}


def schedule(
    rng: np.random.Generator, kinds: Sequence[FaultKind], start_ms: int, step_ms: int
) -> tuple[Fault, ...]:
    """Draw one fault of each kind, in order of time; no service of a tenant fails twice.

    Tenants take turns. Times are multiples of `step_ms` after `start_ms`.
    """
    order = [kinds[place] for place in rng.permutation(len(kinds))]
    first_tenant = int(rng.integers(len(TENANTS)))
    taken: set[tuple[str, str]] = set()
    faults: list[Fault] = []
    at_ms = start_ms + _draw_ms(rng, FIRST_MINUTES, step_ms)
    for turn, kind in enumerate(order):
        tenant = TENANTS[(first_tenant + turn) % len(TENANTS)]
        end_ms = at_ms + _draw_ms(rng, LENGTH_MINUTES, step_ms)
        magnitude = float(rng.uniform(*_MAGNITUDES[kind]))
        if kind is FaultKind.SILENT_HOST:
            fault = _silent_host(rng, tenant, at_ms, end_ms)
        else:
            free = [place for place in _PLACES[kind] if (tenant, place) not in taken]
            service = free[int(rng.integers(len(free)))]
            fault = Fault(
                kind=kind,
                tenant=tenant,
                cause=service,
                service=service,
                host=None,
                start_ms=at_ms,
                end_ms=end_ms,
                magnitude=magnitude,
                affected=_affected(kind, service),
            )
            taken.add((tenant, service))
        faults.append(fault)
        at_ms = end_ms + _draw_ms(rng, GAP_MINUTES, step_ms)
    return tuple(faults)


def _silent_host(rng: np.random.Generator, tenant: str, start_ms: int, end_ms: int) -> Fault:
    host = int(rng.integers(HOSTS))
    there = (hosting()[TENANTS.index(tenant)] == host).any(axis=1)
    return Fault(
        kind=FaultKind.SILENT_HOST,
        tenant=tenant,
        cause=host_name(tenant, host),
        service=None,
        host=host_name(tenant, host),
        start_ms=start_ms,
        end_ms=end_ms,
        magnitude=0.0,
        affected=tuple(name for name, here in zip(NAMES, there, strict=True) if here),
    )


def _affected(kind: FaultKind, service: str) -> tuple[str, ...]:
    if kind is FaultKind.TRAFFIC_DROP:
        return NAMES
    if kind is FaultKind.MEMORY_LEAK:
        return (service,)
    return (service, *callers_of(service))


def _draw_ms(rng: np.random.Generator, minutes: tuple[float, float], step_ms: int) -> int:
    """Draw a span of time, rounded up to whole steps."""
    return -(-int(rng.uniform(*minutes) * MINUTE_MS) // step_ms) * step_ms
