"""The input of a run: telemetry of two small shops with planted breaches, and all that producers do wrong beside it.

Made from a seed, byte for byte the same each time. Event time runs ahead of the wall clock, so that a worker which
takes a held-up partition for a silent one (`time.idle_after` counts seconds of the wall) moves no watermark.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import orjson

STEP_MS = 5_000
STEPS = 420
"""35 minutes: a broker refuses records that are dated more than an hour ahead."""
QUIET_STEPS = 96
"""Nothing is wrong in the first eight minutes; the detector settles."""
CLOSING_STEPS = 48
"""Nor in the last four, but for the sentinels."""
BREACHES = 14
IDLE_PARTITION = 3
"""Nobody ever writes to it."""
LIVE_PARTITIONS = 3
TENANTS = ("acme", "globex")
SENTINEL = "sentinel"
"""A service of each tenant that breaks at the very end: its incident is the last of its partition of alerts."""
SERVICES = ("web", "cart", "orders", "stock", SENTINEL)
LATE_STEPS = 30
"""Far behind the allowed lateness: it is refused."""
AMENDING_STEPS = (5, 9)
"""From and below: behind the allowed lateness, and within what amends."""
SWAPPED_STEPS = 2
"""Within the allowed lateness."""


class Sent(NamedTuple):
    """One record of telemetry; `at_share` is when, as a part of the story's length."""

    at_share: float
    partition: int
    value: bytes
    timestamp_ms: int


class Breach(NamedTuple):
    """A service that fails its requests, answers slowly, or gets none, from a step on."""

    kind: str
    tenant: str
    service: str
    first: int
    last: int


@dataclass(frozen=True)
class Story:
    """Records in the order of sending, the breaches in them, and what was done wrong, by kind."""

    records: list[Sent]
    breaches: list[Breach]
    wrongs: Counter[str]


def make_story(seed: str, start_ms: int) -> Story:
    """The story of a seed that begins at an event time, ms."""
    chance = random.Random(f"story {seed}")
    breaches = list(_breaches(chance))
    wrongs: Counter[str] = Counter({"one partition idle": 1})
    placed: list[tuple[float, int, Sent]] = []
    for step in range(STEPS):
        for tenant_at, tenant in enumerate(TENANTS):
            for at, service in enumerate(SERVICES):
                value = _record(chance, breaches, start_ms, step, tenant, service)
                partition = (at + tenant_at) % LIVE_PARTITIONS
                for sent_at in _sent_at(chance, step, service, wrongs):
                    share = min(sent_at + chance.random() / 2, STEPS) / STEPS
                    stamp = start_ms + sent_at * STEP_MS
                    placed.append((share, len(placed), Sent(share, partition, value, stamp)))
    return Story([sent for *_, sent in sorted(placed)], breaches, wrongs)


def _breaches(chance: random.Random) -> Iterator[Breach]:
    for _ in range(BREACHES):
        first = chance.randrange(QUIET_STEPS, STEPS - CLOSING_STEPS - 36)
        kind = chance.choice(("errors", "latency", "traffic"))
        service = chance.choice(SERVICES[:-1])
        last = first + chance.randrange(12, 36)
        yield Breach(kind, chance.choice(TENANTS), service, first, last)
    for tenant in TENANTS:
        yield Breach("errors", tenant, SENTINEL, STEPS - 30, STEPS)


def _sent_at(chance: random.Random, step: int, service: str, wrongs: Counter[str]) -> Iterator[int]:
    """The steps at which a record is sent: mostly its own, once."""
    drawn = chance.random()
    if step < QUIET_STEPS or step > STEPS - CLOSING_STEPS or service == SENTINEL or drawn > 0.08:
        yield step
    elif drawn < 0.02:
        wrongs["duplicate"] += 1
        yield from (step, step + chance.randrange(2))
    elif drawn < 0.05:
        wrongs["out of order"] += 1
        yield step + chance.randrange(1, SWAPPED_STEPS + 1)
    elif drawn < 0.06:
        wrongs["late"] += 1
        yield step + LATE_STEPS
    else:
        wrongs["amending"] += 1
        yield step + chance.randrange(*AMENDING_STEPS)


def _record(
    chance: random.Random,
    breaches: list[Breach],
    start_ms: int,
    step: int,
    tenant: str,
    service: str,
) -> bytes:
    bad = {
        b.kind
        for b in breaches
        if (b.tenant, b.service) == (tenant, service) and b.first <= step < b.last
    }
    wave = math.sin(step / 40 + len(service))
    gone = sum(
        min(max(step - b.first, 0), b.last - b.first)
        for b in breaches
        if (b.kind, b.tenant, b.service) == ("traffic", tenant, service)
    )
    labels = {"tenant": tenant, "service": service}
    values = {
        "errors_ratio": round(
            chance.uniform(0.3, 0.5) if "errors" in bad else chance.random() / 50, 6
        ),
        "latency_seconds": round(
            (2.5 if "latency" in bad else 1.0) * (0.2 + wave / 50 + chance.random() / 40), 6
        ),
        # while traffic is gone the counter stands
        "requests_total": 100 * (step - gone),
    }
    ts = start_ms + step * STEP_MS + (len(service) * 37) % 1_000
    return orjson.dumps(
        [{"ts": ts, "metric": m, "value": v, "labels": labels} for m, v in values.items()]
    )
