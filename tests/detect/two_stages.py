"""Both stages of wide rules in memory: what is fed to them, and what they say."""

from collections.abc import Sequence

import numpy as np

from schemas import topics
from schemas.alerts import Alert
from schemas.config import Config
from schemas.labels import METRIC, TENANT, Labels, home, make_labels
from schemas.records import decode_record
from schemas.samples import encode_batch, make_batch
from streams.detect.merge import MergeStage
from streams.detect.stage import DetectStage
from streams.replay.pipeline import Pipeline
from streams.rules.load import parse_rules
from streams.rules.rule import RuleGroup
from streams.stage import Outgoing

START = 1_700_000_010_000
STEP = 5_000
LE = ("0.1", "1", "+Inf")

Sample = tuple[Labels, int, float]


def groups_of(*rules: str, extra: str = "") -> list[RuleGroup]:
    """One group of an alert for each expression, every 10 s."""
    entries = [f"{{alert: R{at}, expr: {rule!r}{extra}}}" for at, rule in enumerate(rules)]
    return parsed("\n".join(f"  - {entry}" for entry in entries))


def parsed(rules: str) -> list[RuleGroup]:
    """A group of these rules."""
    found, faults = parse_rules(f"groups:\n- name: g\n  interval: 10s\n  rules:\n{rules}\n", "r")
    assert faults == []
    return found


def config_of(partitions: int) -> Config:
    """Partitions of every topic; a tick every 5 s."""
    return Config.model_validate({"kafka": {"partitions": partitions}, "time": {"tick": STEP}})


def batches(samples: Sequence[Sample], partitions: int, first: int = 0) -> list[Outgoing]:
    """Records of tocsin.samples: each sample at its home, and the watermark everywhere, from every source partition."""
    by_home: dict[int, list[tuple[Labels, int, float, int]]] = {p: [] for p in range(partitions)}
    for at, (labels, time, value) in enumerate(samples, first):
        pairs = dict(labels)
        by_home[home(pairs[TENANT], pairs, ["service"], partitions)].append(
            (labels, time, value, at)
        )
    watermark = samples[-1][1]
    return [
        Outgoing(
            topics.SAMPLES,
            encode_batch(
                make_batch(
                    "telemetry",
                    source,
                    watermark=watermark,
                    record_time=watermark,
                    samples=() if source else by_home[target],
                )
            ),
            partition=target,
            timestamp_ms=watermark,
        )
        for source in range(partitions)
        for target in range(partitions)
    ]


def pipeline(groups: list[RuleGroup], partitions: int) -> Pipeline:
    """Both stages."""
    config = config_of(partitions)
    return Pipeline(
        {
            topics.SAMPLES: lambda _, p: DetectStage(config, groups, p),
            topics.PARTIALS: lambda _, p: MergeStage(config, groups, p),
        },
        watch=(topics.ALERTS, topics.DEAD_LETTERS),
    )


def cut_up(samples: Sequence[Sample], size: int) -> list[tuple[int, Sequence[Sample]]]:
    """Chunks of this many samples and where each begins."""
    return [(at, samples[at : at + size]) for at in range(0, len(samples), size)]


Said = tuple[int, str, str, str, tuple[tuple[str, str], ...], float | None]


def said(sent: Sequence[Outgoing]) -> list[Said]:
    """What the alerts say, in an order of their own."""
    assert {out.topic for out in sent} <= {topics.ALERTS}
    alerts = [decode_record(out.value or b"", Alert) for out in sent if out.key is not None]
    return sorted(
        (a.time, a.tenant, a.name, a.state.value, tuple(sorted(a.labels.items())), a.value)
        for a in alerts
    )


def run(groups: list[RuleGroup], samples: Sequence[Sample], partitions: int) -> list[Said]:
    """What comes out of both stages."""
    stages = pipeline(groups, partitions)
    sent = [
        out
        for first, chunk in cut_up(samples, 7)
        for out in stages.inject(batches(chunk, partitions, first))
    ]
    found = said(sent)
    assert "RuleFailed" not in {name for _, _, name, *_ in found}
    return found


def telemetry_of(series: int) -> list[Sample]:
    """Half a minute of gauges of two tenants without gaps."""
    rng = np.random.default_rng(5)
    found = [
        (
            make_labels(
                {
                    METRIC: "x",
                    TENANT: "ab"[number % 2],
                    "service": f"s{number}",
                    "az": f"z{number % 3}",
                    "le": LE[number % 3],
                }
            ),
            START + step * STEP,
            float(rng.normal(100, 10)),
        )
        for step in range(8)
        for number in range(series)
    ]
    last = START + 8 * STEP
    return [*found, (make_labels({METRIC: "end", TENANT: "a", "service": "e"}), last + 1, 1.0)]
