"""What goes from the first stage to the second: after restarts and reloads, with failures, from every kind of stage."""

import json

import pytest

from schemas import topics
from schemas.alerts import Alert, Tick
from schemas.config import Config
from schemas.labels import TENANT, make_labels
from schemas.partials import decode_partials
from schemas.records import decode_record
from streams.detect.merge import MergeStage
from streams.detect.numbers import alert_sources
from streams.detect.stage import DetectStage, FusedStage
from streams.replay.pipeline import Pipeline, Recorded
from streams.rules.reload import NewRules
from streams.rules.rule import RuleGroup
from streams.stage import Outgoing
from tests.detect.two_stages import (
    START,
    STEP,
    batches,
    config_of,
    cut_up,
    groups_of,
    pipeline,
    run,
    said,
    telemetry_of,
)


def restored(stages: Pipeline, kept: dict[tuple[str, int], bytes], groups: list[RuleGroup]) -> None:
    """Put stages back to their snapshots."""
    for (topic, partition), blob in kept.items():
        kind = DetectStage if topic == topics.SAMPLES else MergeStage
        again = kind(config_of(2), groups, partition)
        again.restore(blob)
        assert blob == again.snapshot()
        stages.stages[topic, partition] = again


@pytest.mark.parametrize("both", [True, False])
def test_a_restart_changes_nothing(*, both: bool) -> None:
    """Restored stages that are fed again say what they said; what comes again from a first stage alone says nothing."""
    groups = groups_of("sum by (az) (x) > 0", "quantile(0.5, x) > 0", extra=", for: 10s")
    samples = telemetry_of(6)
    stages = pipeline(groups, 2)
    sent: list[Outgoing] = []
    for first, chunk in cut_up(samples, 7):
        records = batches(chunk, 2, first)
        topics_restored = (topics.SAMPLES, topics.PARTIALS) if both else (topics.SAMPLES,)
        kept = {
            place: stage.snapshot()
            for place, stage in stages.stages.items()
            if place[0] in topics_restored
        }
        told = stages.inject(records)
        sent += told
        restored(stages, kept, groups)
        if kept:
            assert (said(told) if both else []) == said(stages.inject(records))

    assert run(groups, samples, 2) == said(sent)


def test_nothing_is_merged_before_all_partitions_evaluate_it() -> None:
    """After a reload a new rule has no result until every partition has begun with it, and then the whole one."""
    old, new = groups_of("sum(x) > 0"), groups_of("count(x) > 0")
    samples = telemetry_of(6)
    stages = pipeline(old, 2)
    chunks = cut_up(samples, 6)
    sent: list[Outgoing] = []
    told: set[tuple[str, int]] = {(topics.SAMPLES, 0), (topics.PARTIALS, 0), (topics.PARTIALS, 1)}
    for number, (first, chunk) in enumerate(chunks):
        if number in (2, 5):
            for place, stage in stages.stages.items():
                if (place in told) is (number == 2):
                    sent += stage.apply_event(NewRules(new))
        sent += stages.inject(batches(chunk, 2, first))

    counts = {
        (tenant, value) for _, tenant, _, state, _, value in said(sent) if state == "firing"
    } - {(tenant, value) for _, tenant, _, _, _, value in run(old, samples, 2)}
    assert {("a", 3.0), ("b", 3.0)} == counts
    begun = min(time for time, *_, value in said(sent) if value == 3.0)
    assert begun >= START + 4 * STEP  # up to there the last partition had evaluated the old rule


def test_a_part_that_fails_fails_the_whole() -> None:
    """Where one partition has no result there is none of the sum of the others either, and the states stay."""
    groups = groups_of('sum(label_replace(x, "az", "same", "", "")) > 0')
    samples = telemetry_of(2)
    twin = make_labels({**dict(samples[0][0]), "az": "other"})
    both = sorted([*samples, (twin, START + 2 * STEP, 1.0)], key=lambda each: each[1])
    stages = pipeline(groups, 4)
    sent = [
        out for first, chunk in cut_up(both, 3) for out in stages.inject(batches(chunk, 4, first))
    ]

    alerts = [decode_record(out.value or b"", Alert) for out in sent if out.key is not None]
    reasons = [a.annotations["description"] for a in alerts if a.name == "RuleFailed"]
    assert any("could not evaluate its part" in reason for reason in reasons)


def test_every_partition_of_the_second_stage_hears_of_time() -> None:
    """Records go to all of them, a tenant's parts to one only; ticks of the second stage have numbers of their own."""
    groups = groups_of("sum(x) > 0")
    stage = DetectStage(config_of(4), groups, 0)
    merge = MergeStage(config_of(4), groups, 3)
    sent = [
        out
        for first, chunk in cut_up(telemetry_of(6), 6)
        for record in batches(chunk, 4, first)
        if record.partition == 0
        for out in Pipeline(
            {topics.SAMPLES: lambda _t, _p: stage}, watch=(topics.PARTIALS,)
        ).inject([record])
    ]

    found = [(out.partition, decode_partials(out.value or b"")) for out in sent]
    assert {0, 1, 2, 3} == {partition for partition, _ in found}
    for tenant in "ab":
        homes = {
            partition
            for partition, partials in found
            for at in range(len(partials.batch.fingerprints))
            if dict(partials.batch.labels(at)).get(TENANT) == tenant
        }
        assert len(homes) <= 1
    assert 8 == alert_sources(config_of(4), second_stage=True)
    assert 4 + 3 == merge.core.number
    assert Tick(source=7, time=0).source < alert_sources(config_of(4), second_stage=True)


def test_what_is_no_record_of_partials_is_a_dead_letter() -> None:
    """Garbage is set aside with its reason; the stage goes on."""
    groups = groups_of("sum(x) > 0")
    stages = pipeline(groups, 2)

    sent = stages.inject([Outgoing(topics.PARTIALS, b"garbage", partition=0, timestamp_ms=START)])

    assert [topics.DEAD_LETTERS] == [out.topic for out in sent]


def test_fused_partitions_hand_over_too() -> None:
    """Where producers key by locality, the parts come from the stages that read the telemetry."""
    config = Config.model_validate(
        {
            "kafka": {"partitions": 2},
            "sources": [{"topic": "telemetry", "keyed": True}],
            "time": {"tick": STEP, "allowed_lateness": 0, "max_age": 10**13},
        }
    )
    groups = groups_of("sum(up) > 0")
    stages = Pipeline(
        {
            "telemetry": lambda _, p: FusedStage(config, groups, config.sources[0], p),
            topics.PARTIALS: lambda _, p: MergeStage(config, groups, p),
        },
        watch=(topics.ALERTS, topics.DEAD_LETTERS),
    )
    records = [
        Recorded("telemetry", number, step, time, json.dumps(sample).encode())
        for step in range(6)
        for number in range(2)
        for time in [START + step * STEP]
        for sample in [
            {"ts": time, "metric": "up", "value": 2, "labels": {"service": f"s{number}"}}
        ]
    ]

    found = said(stages.feed(records))

    assert [(START, "default", 4.0)] == [
        (time, tenant, value) for time, tenant, _, state, _, value in found if state == "firing"
    ]
