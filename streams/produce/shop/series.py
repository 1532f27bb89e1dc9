"""The shop's telemetry: counters, histograms and gauges as samples, in groups of one record each.

Names and label sets are built once; a step only fills in numbers. Counters only rise, except
that a restart sets them to zero, as a process that starts anew does.
Refuses to decide anything: what happened comes in as a tick.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from streams.produce.shop.effects import BoolArray, Effects
from streams.produce.shop.graph import (
    HOSTS,
    INDEX,
    INSTANCES,
    NAMES,
    SERVICES,
    TENANTS,
    FloatArray,
    Service,
    host_name,
    hosting,
)
from streams.produce.shop.physics import BOUNDS_SECONDS, Tick
from streams.produce.telemetry import Sample

Series = tuple[str, Mapping[str, str]]

STATUSES = ("200", "404", "500")
BOUNDS = (*(f"{bound:g}" for bound in BOUNDS_SECONDS), "+Inf")
ORDERING = "checkout"  # the service whose successes are orders
FIRST_BUILD = 40


class Telemetry:
    """The shop's counters since each process began, and the series they are reported under."""

    def __init__(self) -> None:
        spots = (len(TENANTS), len(NAMES), INSTANCES)
        self._requests: FloatArray = np.zeros((*spots, len(STATUSES)))
        self._buckets: FloatArray = np.zeros((*spots, len(BOUNDS)))
        self._seconds: FloatArray = np.zeros(spots)
        self._instances = [
            [
                [_instance_series(tenant, service, copy, host) for copy, host in enumerate(hosts)]
                for service, hosts in zip(SERVICES, rows, strict=True)
            ]
            for tenant, rows in zip(TENANTS, hosting().tolist(), strict=True)
        ]
        self._hosts = [[_host_series(tenant, host) for host in range(HOSTS)] for tenant in TENANTS]
        self._builds = [
            [[_build_series(tenant, name, new) for new in (0, 1)] for name in NAMES]
            for tenant in TENANTS
        ]
        self._orders = [
            ("orders_per_minute", {"tenant": tenant, "service": ORDERING}) for tenant in TENANTS
        ]

    def groups(
        self, tick: Tick, effect: Effects, anew: BoolArray, ts_ms: int, step_ms: int
    ) -> list[list[Sample]]:
        """Count a tick in and return its samples: a group an instance, a host and a tenant.

        Instances in `anew` start from zero before they count. What is silent is left out.
        """
        self._count(tick, anew)
        values = np.concatenate(
            [
                self._requests,
                self._buckets.cumsum(axis=-1),
                self._seconds[..., None],
                self._requests.sum(axis=-1, keepdims=True),
                tick.memory_bytes[..., None],
                tick.cpu[..., None],
                tick.queued[..., None],
            ],
            axis=-1,
        ).tolist()
        found = [
            # The queue's column is last, and most services have no series for it.
            _samples(self._instances[tenant][service][copy], values[tenant][service][copy], ts_ms)
            for tenant, service, copy in np.argwhere(tick.alive).tolist()
        ]
        heard = np.argwhere(~effect.silent).tolist()
        found += [
            _samples(self._hosts[tenant][host], (1.0, float(tick.host_cpu[tenant, host])), ts_ms)
            for tenant, host in heard
        ]
        sold = tick.requests[:, INDEX[ORDERING], :, 0].sum(axis=1) * (60_000 / step_ms)
        for tenant, builds in enumerate(self._builds):
            running = zip(builds, effect.deployed[tenant].tolist(), strict=True)
            series = [self._orders[tenant], *(build[int(new)] for build, new in running)]
            found.append(_samples(series, [float(sold[tenant]), *[1.0] * len(builds)], ts_ms))
        return found

    def _count(self, tick: Tick, anew: BoolArray) -> None:
        for counter in (self._requests, self._buckets, self._seconds):
            counter[anew] = 0.0
        self._requests += tick.requests
        self._buckets += tick.buckets
        self._seconds += tick.seconds


def _samples(series: Sequence[Series], values: Sequence[float], ts_ms: int) -> list[Sample]:
    return [
        Sample(metric, labels, ts_ms, value)
        for (metric, labels), value in zip(series, values, strict=False)
    ]


def _instance_series(tenant: str, service: Service, copy: int, host: int) -> list[Series]:
    labels = {
        "tenant": tenant,
        "service": service.name,
        "instance": f"{service.name}-{copy + 1}",
        "host": host_name(tenant, host),
    }
    series: list[Series] = [
        ("http_requests_total", labels | {"status": status}) for status in STATUSES
    ]
    series += [("http_request_duration_seconds_bucket", labels | {"le": bound}) for bound in BOUNDS]
    series += [
        ("http_request_duration_seconds_sum", labels),
        ("http_request_duration_seconds_count", labels),
        ("process_resident_memory_bytes", labels),
        ("process_cpu_usage_ratio", labels),
    ]
    if service.queued_seconds:
        series.append(("queue_depth", labels))
    return series


def _host_series(tenant: str, host: int) -> list[Series]:
    labels = {"tenant": tenant, "service": "host", "host": host_name(tenant, host)}
    return [("host_up", labels), ("host_cpu_usage_ratio", labels)]


def _build_series(tenant: str, name: str, newer: int) -> Series:
    version = f"build-{FIRST_BUILD + INDEX[name] + newer}"
    return "deployment_info", {"tenant": tenant, "service": name, "version": version}
