"""The simulated shop's services, their call graph, and where their instances live.

The graph has no cycle and one root, the front door. Each service has two instances for each
tenant, on two different hosts, so that one silent host takes no service away.
Refuses to know faults, noise or time: these are constants and arithmetic on them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Service(NamedTuple):
    """What one service is like when it is well."""

    name: str
    own_seconds: float  # mean time spent in the service itself, without its callees
    memory_bytes: float  # resident memory of one instance
    missing_ratio: float  # part of the requests that end in 404
    queued_seconds: float = 0.0  # how long work waits in its queue; 0: it has none


class Call(NamedTuple):
    """One edge: how often a request to the caller makes it call the callee."""

    caller: str
    callee: str
    calls: float


MEGABYTE = 1_000_000.0

# Own times are such that no service's usual p99 lies near a bound of the histogram, where the
# estimate from buckets would jump.
SERVICES = (
    Service("frontend", 0.020, 420 * MEGABYTE, 0.010),
    Service("catalogue", 0.008, 340 * MEGABYTE, 0.010),
    Service("search", 0.015, 520 * MEGABYTE, 0.005),
    Service("recommend", 0.012, 610 * MEGABYTE, 0.003),
    Service("cart", 0.008, 220 * MEGABYTE, 0.003),
    Service("checkout", 0.018, 280 * MEGABYTE, 0.002),
    Service("payment", 0.020, 240 * MEGABYTE, 0.002),
    Service("orders", 0.006, 300 * MEGABYTE, 0.002, queued_seconds=3.0),
    Service("shipping", 0.012, 190 * MEGABYTE, 0.002, queued_seconds=5.0),
    Service("email", 0.012, 160 * MEGABYTE, 0.001, queued_seconds=8.0),
    Service("bank-gateway", 0.030, 200 * MEGABYTE, 0.001),
    Service("catalogue-db", 0.005, 900 * MEGABYTE, 0.001),
    Service("orders-db", 0.0055, 800 * MEGABYTE, 0.001),
    Service("cart-cache", 0.0012, 450 * MEGABYTE, 0.004),
)

CALLS = (
    Call("frontend", "catalogue", 0.60),
    Call("frontend", "search", 0.25),
    Call("frontend", "recommend", 0.30),
    Call("frontend", "cart", 0.35),
    Call("frontend", "checkout", 0.08),
    Call("search", "catalogue", 1.00),
    Call("recommend", "catalogue", 1.00),
    Call("catalogue", "catalogue-db", 1.20),
    Call("cart", "cart-cache", 1.50),
    Call("checkout", "cart", 1.00),
    Call("checkout", "payment", 1.00),
    Call("checkout", "orders", 1.00),
    Call("checkout", "shipping", 1.00),
    Call("payment", "bank-gateway", 1.00),
    Call("orders", "orders-db", 2.00),
    Call("orders", "email", 1.00),
)

NAMES = tuple(service.name for service in SERVICES)
INDEX: Mapping[str, int] = MappingProxyType({name: row for row, name in enumerate(NAMES)})
FRONT_DOOR = "frontend"
DATABASES = ("catalogue-db", "orders-db")
TENANTS = ("acme", "globex")
INSTANCES = 2  # of each service, for each tenant
HOSTS = 4  # for each tenant

EDGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(call.callee for call in CALLS if call.caller == name) for name in NAMES}
)


def call_matrix() -> FloatArray:
    """Return calls[caller, callee] a request, shape (services, services)."""
    matrix = np.zeros((len(NAMES), len(NAMES)))
    for call in CALLS:
        matrix[INDEX[call.caller], INDEX[call.callee]] = call.calls
    return matrix


def visits(calls: FloatArray) -> FloatArray:
    """Return the visits to each service for one request at the front door, shape (services,).

    They solve v = front + v C, which can be solved because the graph has no cycle.
    """
    front = np.eye(len(calls))[INDEX[FRONT_DOOR]]
    return np.linalg.solve(np.eye(len(calls)) - calls.T, front).astype(np.float64)


def hosting() -> IntArray:
    """Return the host of each instance, shape (tenants, services, instances), in 0..HOSTS-1."""
    tenant, service, instance = np.indices((len(TENANTS), len(NAMES), INSTANCES))
    # A stride of two instances keeps a service's two on hosts that differ for any service.
    hosts: IntArray = (tenant + service + instance * (HOSTS // INSTANCES)) % HOSTS
    return hosts


def host_name(tenant: str, host: int) -> str:
    """Return the name of a tenant's host, the first being 1."""
    return f"{tenant}-host-{host + 1}"


def callers_of(service: str) -> tuple[str, ...]:
    """Return all that call the service, directly or through others, in the order of NAMES."""
    found: set[str] = set()
    wanted = {service}
    while wanted:
        wanted = {call.caller for call in CALLS if call.callee in wanted} - found
        found |= wanted
    return tuple(name for name in NAMES if name in found)
