"""The detect stage: what comes out hangs on the samples alone."""

import itertools
import json

import numpy as np
import pytest

from schemas.alerts import Alert, Tick
from schemas.config import Config
from schemas.reasons import AlertState, DeadLetterReason
from schemas.records import decode_record
from schemas.samples import encode_batch, make_batch
from streams.detect.numbers import detect_sources, fused_number
from streams.detect.stage import DetectStage, FusedStage, alert_partition
from streams.rules.load import parse_rules
from streams.stage import Outgoing
from streams.transport.chunk import Chunk

RULES = """
groups:
  - name: g
    interval: 10s
    rules:
      - alert: High
        expr: sum by (service) (rate(requests_total[1m])) > 5
        for: 20s
      - alert: Odd
        expr: latency
        detect: {detector: gaussian, false_alarms: 1 per week, direction: up}
      - alert: Now
        expr: latency > 90
        evaluate: on_arrival
"""
START = 1_700_000_000_000
SOURCES = ["telemetry"]


def groups() -> list:
    """The rules above."""
    found, faults = parse_rules(RULES, "rules.yml")
    assert faults == []
    return found


def stage() -> DetectStage:
    """A fresh stage for partition 0 of two."""
    config = Config.model_validate(
        {"kafka": {"partitions": 2}, "time": {"tick": 5_000, "idle_after": 3_600_000}}
    )
    return DetectStage(config, groups(), 0)


def telemetry() -> list[tuple[int, list[tuple]]]:
    """Ten minutes of two series from two source partitions: (partition, samples of one record)."""
    rng = np.random.default_rng(1)
    out, total = [], 0.0
    for step in range(240):
        time = START + step * 5_000
        total += 100.0 if 60 <= step < 90 else 5.0
        noise = float(rng.normal(50, 1)) if step != 200 else 99.0
        labels = (("__name__", "requests_total"), ("__tenant__", "t"), ("service", "a"))
        other = (("__name__", "latency"), ("__tenant__", "t"), ("service", "a"))
        out.append((step % 2, [(labels, time, total, step), (other, time, noise, step)]))
    return out


def values(records: list[tuple[int, list[tuple]]]) -> list[bytes]:
    """Each record as one batch."""
    return [
        encode_batch(
            make_batch("telemetry", p, watermark=s[-1][1] - 5_000, record_time=s[-1][1], samples=s)
        )
        for p, s in records
    ]


def run(
    target: DetectStage, found: list[bytes], sizes: list[int], start: int = 0
) -> list[Outgoing]:
    """Feed batches in chunks of these sizes, over and over."""
    out: list[Outgoing] = []
    at = 0
    for size in itertools.cycle(sizes):
        part = found[at : at + size]
        if not part:
            break
        chunk = Chunk(
            "tocsin.samples",
            0,
            fetch_offset=start + at,
            next_offset=start + at + len(part),
            values=list(part),
            timestamps=[START] * len(part),
        )
        out += target.apply(chunk)
        at += size
    return out


def alerts(out: list[Outgoing]) -> list[bytes]:
    """Transitions only, as bytes."""
    return [o.value or b"" for o in out if o.key is not None]


def test_alerts_come_out_as_the_rules_say() -> None:
    """The rate rule fires after its `for` and resolves; the arrival rule fires at its sample."""
    found = [decode_record(v, Alert) for v in alerts(run(stage(), values(telemetry()), [1]))]
    seen = [(a.name, a.state) for a in found]

    assert ("High", AlertState.PENDING) in seen
    assert seen.index(("High", AlertState.FIRING)) < seen.index(("High", AlertState.RESOLVED))
    now = [a for a in found if a.name == "Now"]
    assert [(a.state, a.time, a.urgent) for a in now] == [
        (AlertState.FIRING, START + 200 * 5_000, True),
        (AlertState.RESOLVED, START + 201 * 5_000, True),
    ]
    assert ("Odd", AlertState.FIRING) in seen


@pytest.mark.parametrize("sizes", [[240], [7], [1, 30, 2], [60]])
def test_where_chunks_are_cut_changes_nothing(sizes: list[int]) -> None:
    """The same batches in other chunks give the same transitions, byte for byte."""
    found = values(telemetry())

    assert sorted(alerts(run(stage(), found, sizes))) == sorted(alerts(run(stage(), found, [1])))


@pytest.mark.parametrize("wait", [1, 3, 50])
def test_ticks_that_are_put_off_find_the_same(wait: int) -> None:
    """A stage that takes in chunks, and catches up after every so many, gives the same transitions."""
    found, target, out = values(telemetry()), stage(), list[Outgoing]()
    was_behind = False
    for at, value in enumerate(found):
        one = Chunk("t", 0, fetch_offset=at, next_offset=at + 1, values=[value], timestamps=[START])
        out += target.arrive(one)
        was_behind |= target.behind
        if at % wait == 0:
            out += target.catch_up()
            assert not target.behind
    out += target.catch_up()

    assert was_behind
    assert sorted(alerts(run(stage(), found, [1]))) == sorted(alerts(out))


@pytest.mark.parametrize("at", [1, 13, 64, 200])
def test_restored_stage_says_what_it_would_have_said(at: int) -> None:
    """After a kill at any chunk, the restored stage goes on to the same bytes."""
    found = values(telemetry())
    whole = run(stage(), found, [1])
    first = stage()
    before = run(first, found[:at], [1])
    second = stage()
    second.restore(first.snapshot())

    assert before + run(second, found[at:], [1], start=at) == whole


def test_repeated_batches_change_nothing() -> None:
    """What ingest sends again after its own restart is known by its source offsets."""
    found = values(telemetry())
    again = found[:50] + found[30:50] + found[50:]

    assert alerts(run(stage(), again, [1])) == alerts(run(stage(), found, [1]))


def test_order_between_source_partitions_changes_nothing() -> None:
    """Rules on ticks see the same samples however the partitions were interleaved."""
    records = telemetry()
    odd = [r for r in records if r[0]]
    even = [r for r in records if not r[0]]
    one = [decode_record(v, Alert) for v in alerts(run(stage(), values(records), [1]))]
    other = [
        decode_record(v, Alert)
        for v in alerts(run(stage(), values(even[:30] + odd + even[30:]), [3]))
    ]

    assert [a.id for a in one if not a.urgent] == [a.id for a in other if not a.urgent]


def test_garbage_among_batches_is_one_dead_letter() -> None:
    """A record that is no batch is refused with its offset, and the batches beside it go through."""
    found = values(telemetry())
    found.insert(1, b"garbage")
    out = run(stage(), found, [200])
    (letter,) = [json.loads(o.value or b"") for o in out if o.topic == "tocsin.dead-letters"]

    assert (letter["offset"], letter["reason"]) == (1, DeadLetterReason.UNKNOWN_RECORD)
    assert alerts(out)


def test_what_is_no_batch_is_counted() -> None:
    """Records that are refused show among the figures by reason, as refused and as dead letters."""
    detect = stage()
    run(detect, [b"garbage", *values(telemetry()), b"garbage"], [200])

    assert [("refused", "unknown_record", 2), ("dead_letters", "unknown_record", 2)] == [
        tuple(figure) for figure in detect.figures() if figure.reason == "unknown_record"
    ]


def test_ticks_go_to_every_alert_partition_and_alerts_to_their_tenants() -> None:
    """Correlators of all partitions hear how far this one has come."""
    out = run(stage(), values(telemetry()), [1])
    ticks = [o for o in out if o.key is None]

    assert {o.partition for o in ticks} == {0, 1}
    assert {o.partition for o in out if o.key is not None} == {alert_partition("t", 2)}
    times = [decode_record(o.value or b"", Tick).time for o in ticks if o.partition == 0]
    assert times == sorted(set(times))
    assert all(t % 5_000 == 0 for t in times)


def test_fused_path_says_the_same_as_two_hops() -> None:
    """Telemetry keyed by locality gives the same transitions without the hop between."""
    config = Config.model_validate(
        {"kafka": {"partitions": 1}, "sources": [{"topic": "telemetry", "keyed": True}]}
    )
    fused = FusedStage(config, groups(), config.sources[0], 0)
    raw = [
        json.dumps(
            [
                {
                    "ts": t,
                    "metric": dict(ls)["__name__"],
                    "value": v,
                    "labels": {"tenant": "t", "service": "a"},
                }
                for ls, t, v, _ in s
            ]
        ).encode()
        for _, s in telemetry()
    ]
    chunk = Chunk(
        "telemetry",
        0,
        fetch_offset=0,
        next_offset=len(raw),
        values=list(raw),
        timestamps=[START + i * 5_000 for i in range(len(raw))],
    )
    found = [decode_record(v, Alert) for v in alerts(fused.apply(chunk))]
    two_hops = [decode_record(v, Alert) for v in alerts(run(stage(), values(telemetry()), [1]))]

    assert sorted((a.name, a.state, a.time) for a in found) == sorted(
        (a.name, a.state, a.time) for a in two_hops
    )


def test_detect_partitions_are_numbered_over_all_sources() -> None:
    """The correlator knows how many tickers to wait for, fused ones included."""
    sources = [{"topic": "a", "keyed": True}, {"topic": "b"}, {"topic": "c", "keyed": True}]
    config = Config.model_validate({"kafka": {"partitions": 4}, "sources": sources})

    assert detect_sources(config) == 12
    assert (fused_number(config, "a", 0), fused_number(config, "c", 3)) == (4, 11)


def test_series_whose_samples_wait_keeps_its_row() -> None:
    """A new series is not retired before its first sample has been applied: another would get its samples."""
    config = Config.model_validate({"kafka": {"partitions": 1}, "limits": {"series_idle": 60_000}})
    target = DetectStage(config, groups(), 0)
    names = [(("__name__", "m"), ("__tenant__", "t"), ("n", str(n))) for n in range(2)]

    def batch(time: int, watermark: int, labels: tuple, offset: int) -> bytes:
        samples = [(labels, time, 1.0, offset)]
        return encode_batch(
            make_batch("telemetry", 0, watermark=watermark, record_time=time, samples=samples)
        )

    store = target.core.engine.store
    found = [batch(START, START - 5_000, names[0], 0), batch(START + 1, START + 1, names[1], 1)]
    run(target, found, [1])
    run(target, [batch(START + 2, START + 2, names[0], 2)], [1], start=2)

    assert sorted(store.labels(row) for row in range(2)) == sorted(names)
