import json
from collections import defaultdict
from collections.abc import Mapping

import pytest

from streams.produce.shop import EDGES, NAMES, TENANTS, Fault, FaultKind, Shop
from streams.produce.telemetry import Sample

START_MS = 1_700_000_000_000
COUNTERS = (
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "http_request_duration_seconds_sum",
    "http_request_duration_seconds_count",
)

Series = tuple[str, tuple[tuple[str, str], ...]]


def series(sample: Sample) -> Series:
    return sample.metric, tuple(sorted(sample.labels.items()))


def run_until(shop: Shop, at_ms: int) -> None:
    while shop.now_ms < at_ms:
        shop.step()


def planted(shop: Shop) -> Fault:
    (fault,) = shop.truth()
    return fault


def of(samples: list[Sample], metric: str, labels: Mapping[str, str]) -> list[Sample]:
    return [s for s in samples if s.metric == metric and labels.items() <= s.labels.items()]


def test_a_step_is_one_sample_of_each_series() -> None:
    """Between 500 and 1,000 series, each once a step, all at the step's event time."""
    shop = Shop(1, START_MS)

    samples = shop.step()

    assert 500 <= len(samples) <= 1_000
    assert len({series(sample) for sample in samples}) == len(samples)
    assert {START_MS + 15_000} == {sample.ts_ms for sample in samples} == {shop.now_ms}
    assert {"tenant", "service"} <= set.intersection(*(set(s.labels) for s in samples))
    assert {*NAMES, "host"} == {sample.labels["service"] for sample in samples}


def test_messages_hold_what_steps_do() -> None:
    """Records carry the very samples of a step, without keys, at simulated time."""
    shop, twin = Shop(2, START_MS), Shop(2, START_MS)

    records, samples = shop.messages(), twin.step()

    assert [
        {"ts": s.ts_ms, "metric": s.metric, "value": s.value, "labels": dict(s.labels)}
        for s in samples
    ] == [part for record in records for part in json.loads(record.value)]
    assert {(None, START_MS + 15_000)} == {(r.key, r.timestamp_ms) for r in records}


def test_the_same_seed_tells_the_same_story() -> None:
    """A seed gives the same bytes each time, and another seed others."""
    first, same, other = (Shop(seed, START_MS) for seed in (3, 3, 4))
    for _ in range(20):
        told = first.messages()
        assert told == same.messages()
        assert told != other.messages()


def test_counters_rise_and_buckets_nest() -> None:
    """Without a restart no counter falls, and each bucket holds the one below."""
    shop = Shop(5, START_MS, kinds=())
    before = {series(s): s.value for s in shop.step()}
    for _ in range(10):
        samples = shop.step()
        now = {series(s): s.value for s in samples}
        assert all(now[one] >= before[one] for one in now if one[0] in COUNTERS)
        before = now

    nests = defaultdict(list)
    counts = {}
    for sample in samples:
        place = (sample.labels["tenant"], sample.labels.get("instance"))
        if sample.metric == "http_request_duration_seconds_bucket":
            nests[place].append(sample.value)
        elif sample.metric == "http_request_duration_seconds_count":
            counts[place] = sample.value
    assert all(nest == sorted(nest) and len(nest) == 9 for nest in nests.values())
    assert counts == {place: nest[-1] for place, nest in nests.items()}


def test_a_repair_ends_a_leak() -> None:
    """After a restart memory is as before, counters begin anew, and the truth knows the time."""
    shop = Shop(6, START_MS, kinds=[FaultKind.MEMORY_LEAK])
    fault = planted(shop)
    where = {"tenant": fault.tenant, "service": fault.cause}
    run_until(shop, fault.start_ms)
    usual = of(shop.step(), "process_resident_memory_bytes", where)
    run_until(shop, fault.start_ms + 180_000)
    grown = shop.step()

    repaired = shop.repair(fault.tenant, fault.cause)
    after = shop.step()

    assert repaired == planted(shop)
    assert (repaired.end_ms, repaired.repaired_ms) == (shop.now_ms - 15_000,) * 2
    large = of(grown, "process_resident_memory_bytes", where)
    small = of(after, "process_resident_memory_bytes", where)
    assert all(s.value > 1.5 * u.value for s, u in zip(large, usual, strict=True))
    assert all(s.value < 1.3 * u.value for s, u in zip(small, usual, strict=True))
    for old, new in zip(
        of(grown, "http_request_duration_seconds_count", where),
        of(after, "http_request_duration_seconds_count", where),
        strict=True,
    ):
        assert new.value < old.value / 10


def test_a_repair_touches_nothing_else() -> None:
    """The series of every other service are the same with the repair and without it."""
    told = []
    for repair in (False, True):
        shop = Shop(6, START_MS, kinds=[FaultKind.MEMORY_LEAK])
        fault = planted(shop)
        run_until(shop, fault.start_ms + 180_000)
        if repair:
            shop.repair(fault.tenant, fault.cause)
        told.append(
            [
                sample
                for _ in range(8)
                for sample in shop.step()
                if (sample.labels["tenant"], sample.labels["service"])
                != (fault.tenant, fault.cause)
            ]
        )

    assert told[0] == told[1]


def test_a_restart_mends_no_other_fault() -> None:
    """Restarting a slow database returns nothing and leaves the truth as it was."""
    shop = Shop(7, START_MS, kinds=[FaultKind.SLOW_DATABASE])
    fault = planted(shop)
    run_until(shop, fault.start_ms + 60_000)

    assert shop.repair(fault.tenant, fault.cause) is None
    assert fault == planted(shop)


def test_a_leak_that_nobody_repairs_ends_in_a_kill() -> None:
    """When its time is over the leaking service is killed and starts anew by itself."""
    shop = Shop(8, START_MS, kinds=[FaultKind.MEMORY_LEAK])
    fault = planted(shop)
    where = {"tenant": fault.tenant, "service": fault.cause}
    run_until(shop, fault.end_ms - 15_000)

    last, first = shop.step(), shop.step()

    for metric in ("process_resident_memory_bytes", "http_request_duration_seconds_count"):
        old, new = of(last, metric, where), of(first, metric, where)
        assert all(b.value < a.value / 2.5 for a, b in zip(old, new, strict=True))


def test_a_silent_host_says_nothing_and_returns_anew() -> None:
    """No series has the host's label while it is silent; afterwards all do, from zero."""
    shop = Shop(9, START_MS, kinds=[FaultKind.SILENT_HOST])
    fault = planted(shop)
    where = {"host": fault.cause}
    run_until(shop, fault.start_ms)
    quiet, heard = [], []
    while shop.now_ms < fault.end_ms:
        quiet += [s for s in shop.step() if s.labels.get("host") == fault.cause]
    heard = shop.step()

    assert [] == quiet
    assert [1.0] == [s.value for s in of(heard, "host_up", where)]
    returned = of(heard, "http_request_duration_seconds_count", where)
    assert set(fault.affected) == {s.labels["service"] for s in returned}
    others = of(heard, "http_request_duration_seconds_count", {"tenant": fault.tenant})
    assert max(s.value for s in returned) < max(s.value for s in others) / 10


def test_a_bad_deployment_shows_its_version() -> None:
    """The service's version changes with the fault, and changes back with the roll-back."""
    shop = Shop(10, START_MS, kinds=[FaultKind.BAD_DEPLOYMENT])
    fault = planted(shop)
    where = {"tenant": fault.tenant, "service": fault.cause}
    versions: list[str] = []
    while shop.now_ms < fault.end_ms + 15_000:
        (info,) = of(shop.step(), "deployment_info", where)
        if info.labels["version"] not in versions[-1:]:
            versions.append(info.labels["version"])

    old, new, again = versions
    assert old == again != new


def test_the_truth_is_a_document() -> None:
    """The document tells seed, times, call graph and every fault with its cause."""
    shop = Shop(11, START_MS)

    document = json.loads(shop.truth_json())

    assert (1, 11, START_MS, shop.end_ms) == tuple(
        document[name] for name in ("v", "seed", "start_ms", "end_ms")
    )
    assert {tenant: {k: list(v) for k, v in EDGES.items()} for tenant in TENANTS} == (
        document["edges"]
    )
    assert [(str(f.kind), f.cause, f.start_ms) for f in shop.truth()] == [
        (f["kind"], f["cause"], f["start_ms"]) for f in document["faults"]
    ]


def test_the_story_ends() -> None:
    """Records come until all is over, about ninety minutes after the start, and then no more."""
    shop = Shop(12, START_MS, step_ms=60_000)

    last = list(shop.records())[-1]

    assert shop.done
    assert last.timestamp_ms >= shop.end_ms > shop.truth()[-1].end_ms
    assert 75 <= (shop.end_ms - START_MS) / 60_000 <= 105


@pytest.mark.parametrize(
    ("seed", "step_ms", "kinds"),
    [
        (-1, 15_000, ()),
        (1, 999, ()),
        (1, 60_001, ()),
        (1, 15_000, (FaultKind.TRAFFIC_DROP, FaultKind.TRAFFIC_DROP)),
    ],
)
def test_a_senseless_shop_is_refused(seed: int, step_ms: int, kinds: tuple[FaultKind, ...]) -> None:
    """Seeds, steps and kinds outside their bounds raise at once."""
    with pytest.raises(ValueError, match=r"seed|step|kind"):
        Shop(seed, START_MS, step_ms, kinds)


def test_unknown_places_are_refused() -> None:
    """A repair or a graph of what is not there raises."""
    shop = Shop(1, START_MS)

    with pytest.raises(ValueError, match="no service"):
        shop.repair("acme", "shed")
    with pytest.raises(ValueError, match="no tenant"):
        shop.edges("umbrella")
