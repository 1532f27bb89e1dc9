"""Limits on the fused path: a flood leaves alerts as they are, restarts change nothing, memory comes back."""

import json

from schemas.config import Config
from schemas.reasons import DeadLetterReason
from streams.detect.stage import FusedStage
from streams.rules.load import parse_rules
from streams.stage import Outgoing
from streams.transport.chunk import Chunk

RULES = """
groups:
  - name: g
    interval: 10s
    rules:
      - alert: Now
        expr: m > 90
        evaluate: on_arrival
      - alert: High
        expr: avg_over_time(m[30s]) > 90
        for: 10s
"""
START = 1_700_000_000_000
Sent = tuple[int, str, str, float]
"""Second, tenant, service, value."""


def stage(**limits: object) -> FusedStage:
    config = Config.model_validate(
        {"sources": [{"topic": "telemetry", "keyed": True}], "limits": limits}
    )
    found, faults = parse_rules(RULES, "rules.yml")
    assert faults == []
    return FusedStage(config, found, config.sources[0], 0)


def read(target: FusedStage, found: list[Sent], first: int = 0, size: int = 50) -> list[Outgoing]:
    """Feed one record a sample, in chunks of a size."""
    out = []
    for at in range(0, len(found), size):
        part = found[at : at + size]
        values: list[bytes | None] = [
            json.dumps(
                {
                    "ts": START + second * 1000,
                    "metric": "m",
                    "value": value,
                    "labels": {"tenant": tenant, "service": service},
                }
            ).encode()
            for second, tenant, service, value in part
        ]
        out += target.apply(
            Chunk(
                "telemetry",
                0,
                fetch_offset=first + at,
                next_offset=first + at + len(part),
                values=values,
                timestamps=[START + each[0] * 1000 for each in part],
            )
        )
    return out


def alerts(out: list[Outgoing]) -> list[bytes]:
    """Transitions in an order of their own: in the log, those on arrival come chunk by chunk."""
    found = [o.value or b"" for o in out if o.topic == "tocsin.alerts" and o.key is not None]
    return sorted(found)


def good(seconds: range) -> list[Sent]:
    """A series of a tenant that behaves: high for a minute."""
    return [(s, "good", "a", 99.0 if 60 <= s % 300 < 120 else 1.0) for s in seconds]


def bad(seconds: range) -> list[Sent]:
    """Of another tenant in each second five samples of one series, and five of new ones."""
    names = ["same"] * 5 + ["new"] * 5
    return [
        (s, "bad", f"{name}-{s}-{n}" if name == "new" else name, 99.0)
        for s in seconds
        for n, name in enumerate(names)
    ]


def test_a_flood_changes_no_alert_of_another_tenant() -> None:
    """With a flood of new series and of samples beside it, a tenant's alerts are the same bytes."""
    alone = stage()
    flooded = stage(series_per_tenant=2, samples_per_second=3, burst="1s")
    mixed = sorted([*good(range(200)), *bad(range(200))], key=lambda each: each[0])
    both = alerts(read(flooded, mixed))
    expected = alerts(read(alone, good(range(200))))

    assert expected == [value for value in both if b'"tenant":"good"' in value]
    assert len(expected) >= 4
    counts = {f.reason: f.total for f in flooded.figures() if f.name == "refused"}
    assert {DeadLetterReason.TOO_MANY_SERIES: 999, DeadLetterReason.RATE_LIMITED: 401} == counts


def test_a_restart_changes_nothing_that_limits_decide() -> None:
    """Half of it read by a stage that was restored from the one before gives the same alerts and dead letters."""
    limits = {"series_per_tenant": 2, "samples_per_second": 2, "dead_letters_per_minute": 3}
    mixed = sorted([*good(range(150)), *bad(range(150))], key=lambda each: each[0])
    whole = read(stage(**limits), mixed)
    first, second = stage(**limits), stage(**limits)
    out = read(first, mixed[:825])
    second.restore(first.snapshot())
    out += read(second, mixed[825:], 825)

    def told(records: list[Outgoing]) -> list[bytes]:
        return sorted(each.value or b"" for each in records if each.key is not None)

    assert told(whole) == told(out)


def test_after_a_flood_has_gone_silent_its_memory_is_back() -> None:
    """Series of the flood are retired, the columns are short again, and what follows is as if it had not been."""
    flooded, alone = stage(series_idle="2m"), stage(series_idle="2m")
    burst = [(200, "bad", f"s{n}", 99.0) for n in range(5_000)]
    expected = alerts(read(alone, [*good(range(200)), *good(range(200, 600))]))
    out = alerts(read(flooded, [*good(range(200)), *burst, *good(range(200, 600))], size=500))

    assert expected == [value for value in out if b'"tenant":"good"' in value]
    assert 1 == len(flooded.core.engine.store) == len(flooded._reader.interner)
    assert len(flooded.core.engine.store.born) <= 1_024
