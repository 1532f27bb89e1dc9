"""The simulated shop: seeded telemetry of a dozen services, with planted faults."""

from streams.produce.shop.faults import Fault, FaultKind
from streams.produce.shop.graph import EDGES, NAMES, SERVICES, TENANTS
from streams.produce.shop.shop import Shop

__all__ = ["EDGES", "NAMES", "SERVICES", "TENANTS", "Fault", "FaultKind", "Shop"]
