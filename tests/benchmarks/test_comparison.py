"""The comparison is fair: our job and the peer's are one job."""

import json
import math

import msgspec
import numpy as np
import pytest

from benchmarks import codec, workload
from benchmarks.peers.faust_river import LIMIT, ZScores
from detectors import registry
from schemas import topics
from schemas.wire.native import NativeJson
from streams.detect.stage import FusedStage
from streams.rules.detect import DetectRule
from streams.transport.chunk import Chunk

START_MS = 1_760_000_000_000
SERIES = 1_000
"""A few of the workload's, so that each has many samples."""
COUNT = 300 * SERIES


def test_messages_are_telemetry_of_103_bytes() -> None:
    """Each message is native JSON of 103 bytes, with its key and its partition by service."""
    found = list(workload.messages(3 * workload.SERIES, START_MS))
    assert 3 * workload.SERIES == len(found)
    assert {workload.SAMPLE_BYTES} == {len(m.value) for m in found}
    assert workload.SERIES == len({m.key for m in found})
    homes = {(m.key, m.partition) for m in found}
    assert workload.SERIES == len(homes)
    for message in found[:5]:
        sample = json.loads(message.value)
        assert {"ts", "metric", "value", "labels"} == sample.keys()
        assert message.key.decode() == sample["labels"]["service"]
        assert message.time_ms == sample["ts"]


def test_messages_do_not_depend_on_how_many_are_asked_for() -> None:
    """A longer stream begins as a shorter one does, and another seed gives another."""
    short = list(workload.messages(500, START_MS))
    assert short == list(workload.messages(150_000, START_MS))[:500]
    assert short != list(workload.messages(500, START_MS, seed=2))


def test_our_z_scores_are_the_peers() -> None:
    """The detector and river's mean and variance give the same score for each sample after the warm-up."""
    samples = [
        json.loads(m.value)
        for m in workload.messages(COUNT, START_MS, series=SERIES)
        if m.partition == 0
    ]
    names = sorted({s["labels"]["service"] for s in samples})
    rows = np.array([names.index(s["labels"]["service"]) for s in samples])
    bank = registry.create("gaussian", {"warm_up_samples": workload.WARM_UP_SAMPLES})
    bank.grow(len(names))
    values = np.array([s["value"] for s in samples])
    ours = bank.update(rows, np.zeros(len(rows), np.int64), values)
    peer = ZScores()
    theirs = np.array([peer.score(s) for s in samples])
    told = ~np.isnan(theirs)
    assert workload.WARM_UP_SAMPLES * len(names) == np.count_nonzero(~told)
    np.testing.assert_allclose(ours.raw[told], np.abs(theirs[told]), rtol=1e-9, atol=1e-9)


def test_our_threshold_is_the_peers() -> None:
    """The rule's budget of false alarms is the tail beyond the peer's limit."""
    block = workload.rules()[0].rules[0].detect
    assert block is not None
    rule = DetectRule(block, interval_ms=1000, max_series=1)
    assert rule.thresholds.lowest == pytest.approx(math.erf(LIMIT / math.sqrt(2.0)), abs=1e-12)


def test_our_alerts_are_the_peers() -> None:
    """The fused path fires for the samples for which the peer sends an alert, and for no others."""
    messages = [m for m in workload.messages(COUNT, START_MS, series=SERIES) if m.partition == 0]
    config = workload.config("telemetry", keyed=True)
    stage = FusedStage(config, workload.rules(), config.sources[0], 0)
    fired = set()
    for at in range(0, len(messages), 1_900):
        part = messages[at : at + 1_900]
        chunk = Chunk(
            "telemetry",
            0,
            fetch_offset=at,
            next_offset=at + len(part),
            values=[m.value for m in part],
            timestamps=[m.time_ms for m in part],
        )
        for record in stage.apply(chunk):
            assert topics.ALERTS == record.topic
            found = msgspec.json.decode(record.value or b"")
            if found.get("state") == "firing" and found["rule"].endswith("RequestTimeOdd"):
                fired.add((found["labels"]["service"], found["time"]))
    peer = ZScores()
    samples = [json.loads(m.value) for m in messages]
    theirs = {(s["labels"]["service"], s["ts"]) for s in samples if abs(peer.score(s)) >= LIMIT}
    assert len(theirs) > 3
    assert theirs == fired


def test_the_plain_walk_gives_the_columns_of_ingest() -> None:
    """What the decoder is compared with fills the same columns."""
    records = [m.value for m in workload.messages(2_500, START_MS)]
    decoder = NativeJson(message_bytes=1_048_576, samples_per_message=100_000)
    columns = decoder.decode(list(records), codec.new_interner())
    series, times, values = codec.walk(records, {})
    found = columns.series.tolist(), columns.times.tolist(), columns.values.tolist()
    assert (series, times, values) == found


def test_batches_hold_every_sample_once() -> None:
    """The batches whose coding is measured hold all samples, over one partition or several."""
    records = [m.value for m in workload.messages(2_000, START_MS)]
    assert [2_000] == [len(b) for b in codec.batches(records, 1)]
    spread = codec.batches(records, workload.PARTITIONS)
    assert workload.PARTITIONS == len(spread)
    assert 2_000 == sum(map(len, spread))
