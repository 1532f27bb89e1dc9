"""Edges: the call graph that spans tell of, told by detect once and again while there is traffic."""

from itertools import pairwise

import msgspec
import pytest

from schemas import topics
from schemas.alerts import AlertRecord, Tick
from schemas.config import Config
from schemas.edges import Edge
from schemas.labels import Labels
from schemas.samples import encode_batch, make_batch
from streams.detect import edges
from streams.detect.edges import REQUESTS, TELL_MS
from streams.detect.stage import DetectStage, alert_partition, alert_records
from streams.rules.load import parse_rules
from streams.stage import Outgoing
from streams.transport.chunk import Chunk

START = 1_700_000_040_000
MINUTE = 60_000
HOUR = 60 * MINUTE
RULES = "groups: [{name: g, interval: 1m, rules: [{alert: A, expr: up == 0}]}]"
CONFIG = Config.model_validate({"kafka": {"partitions": 1}, "time": {"max_age": "400d"}})


def series(caller: str, callee: str, *, tenant: str = "t", metric: str = REQUESTS) -> Labels:
    """The series of one edge, as the decoder of spans writes it."""
    labels = {"__name__": metric, "__tenant__": tenant, "client": caller, "server": callee}
    return tuple(sorted(labels.items()))


def batches(*samples: tuple[Labels, int]) -> list[bytes]:
    """One batch for each (series, ms after the start), which is also the watermark."""
    return [
        encode_batch(
            make_batch(
                "telemetry",
                0,
                watermark=START + at,
                record_time=START + at,
                samples=[(labels, START + at, 1.0, offset)],
            )
        )
        for offset, (labels, at) in enumerate(samples)
    ]


def stage() -> DetectStage:
    """A fresh stage for the only partition."""
    groups, faults = parse_rules(RULES, "rules.yml")
    assert not faults
    return DetectStage(CONFIG, groups, 0)


def put(into: DetectStage, values: list[bytes], first: int = 0) -> list[Outgoing]:
    """What comes out of these batches, read as one chunk."""
    return into.apply(
        Chunk(
            topics.SAMPLES,
            0,
            fetch_offset=first,
            next_offset=first + len(values),
            values=list(values),
            timestamps=[START] * len(values),
        )
    )


def told(sent: list[Outgoing]) -> list[tuple[str, str, str, int]]:
    """Tenant, caller, callee and time of each edge that was sent."""
    records = [msgspec.json.decode(r.value or b"", type=AlertRecord) for r in sent]
    found = [r for r in records if isinstance(r, Edge)]
    return [(r.tenant, r.caller, r.callee, r.time - START) for r in found]


STORY = batches(
    (series("web", "cart"), 0),
    (series("web", "pay", tenant="u"), 10_000),
    (series("web", "cart"), 70_000),
    (series("up", "down", metric="other_total"), 80_000),
    (series("cart", "cart"), 80_000),
    (series("web", ""), 80_000),
    (series("web", "cart"), 200_000),
    (series("web", "cart"), 3 * HOUR),
    (series("web", "cart"), 3 * HOUR + MINUTE),
    (series("web", "cart"), 7 * HOUR),
    (series("web", "cart"), 7 * HOUR + 2 * MINUTE),
)


def test_an_edge_is_told_once_and_again_after_hours() -> None:
    """Once when it is new, and again after six hours of traffic; calls to oneself and other metrics are no edges."""
    found = told(put(stage(), STORY))

    assert {("t", "web", "cart"), ("u", "web", "pay")} == {each[:3] for each in found}
    times = [time for *who, time in found if who[0] == "t"]
    assert 2 == len(times)
    assert all(later - before >= TELL_MS for before, later in pairwise(times))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_how_the_log_is_cut_changes_nothing(size: int) -> None:
    """Edges and their times are the same in chunks of any size."""
    cut = stage()
    sent = [r for at in range(0, len(STORY), size) for r in put(cut, STORY[at : at + size], at)]

    assert told(put(stage(), STORY)) == told(sent)


@pytest.mark.parametrize("cut", range(1, len(STORY)))
def test_a_restored_stage_tells_the_rest(cut: int) -> None:
    """After a snapshot at any record, what was told is not told again, and the rest is."""
    before, after = stage(), stage()
    sent = put(before, STORY[:cut])
    after.restore(before.snapshot())
    sent += put(after, STORY[cut:], cut)

    assert told(put(stage(), STORY)) == told(sent)


def test_an_edge_goes_to_the_partition_of_its_tenant() -> None:
    """With the tenant as its key and CloudEvents headers, and the tick behind it to every partition."""
    tick = Tick(source=0, time=START)
    edge = Edge(id="x", tenant="t", caller="web", callee="cart", time=START)
    first, *ticks = alert_records([tick, edge, tick], 4)[4:]

    assert (alert_partition("t", 4), b"t") == (first.partition, first.key)
    assert b"tocsin.edge" == dict(first.headers)["ce_type"]
    assert [0, 1, 2, 3] == [r.partition for r in ticks]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more edges are remembered than there are places."""
    monkeypatch.setattr(edges, "TOLD_MAX", 5)
    one = stage()
    put(one, batches(*((series("web", f"s{n}"), n * MINUTE) for n in range(30))))

    (_, remembered) = one.core._edges.snapshot()
    assert 5 == len(remembered)  # type: ignore[arg-type]  # as JSON has it
