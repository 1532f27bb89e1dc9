"""What people say to detectors of keyed sources: told by the shell, each place of tocsin.commands once."""

from schemas import topics
from schemas.commands import About, Command, Verb
from schemas.config import Config
from schemas.records import encode_record
from streams.correlate.forward import ForwardStage
from streams.detect.said import Told
from streams.detect.stage import FusedStage
from streams.produce.telemetry import Sample, record
from streams.rules.load import parse_rules
from streams.transport.chunk import Chunk

RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Odd, expr: x, detect: {detector: robust, warm_up_samples: 30}}
"""
CONFIG = Config.model_validate(
    {
        "kafka": {"partitions": 1},
        "time": {"allowed_lateness": 0},
        "sources": [{"topic": "telemetry", "keyed": True}],
    }
)
BEGIN_MS = 1_767_225_600_000


def command(second: int, offset: int, verb: Verb = Verb.FINE) -> Command:
    """What somebody says, where it stands."""
    return Command(
        id=f"{offset}",
        tenant="default",
        verb=verb,
        actor="ada",
        time=BEGIN_MS + second * 1000,
        about=About(matchers=(('service="a"',),)),
        offset=offset,
    )


def make_stage() -> FusedStage:
    """A stage with one rule with a detector."""
    groups, problems = parse_rules(RULES, "rules.yml")
    assert not problems
    return FusedStage(CONFIG, groups, CONFIG.sources[0], 0)


def feed(stage: FusedStage, seconds: range) -> None:
    """One sample a second."""
    found = [
        record([Sample("x", {"service": "a"}, BEGIN_MS + second * 1000, 100.0 + second % 3)])
        for second in seconds
    ]
    stamps = [BEGIN_MS + second * 1000 for second in seconds]
    stage.apply(
        Chunk(
            "telemetry",
            0,
            fetch_offset=seconds.start,
            next_offset=seconds.stop,
            values=[each.value for each in found],
            timestamps=stamps,
        )
    )


def share(stage: FusedStage) -> float:
    """By what people's words multiply the budget of the series."""
    (_, detect), *_ = stage.core.engine.detectors
    return float(detect.thresholds.rows["factor"][0])


def test_what_was_said_reaches_a_keyed_source() -> None:
    """When event time has come to it, and not before."""
    stage = make_stage()
    feed(stage, range(10))
    assert [] == stage.apply_event(Told(0, (command(20, 7),), 8))
    feed(stage, range(10, 20))
    assert 1.0 == share(stage)
    feed(stage, range(20, 23))
    assert 0.25 == share(stage)


def test_each_place_counts_once_also_after_a_restart() -> None:
    """A stage is told all again from where one stands that was told less; commands of other partitions are others."""
    stage = make_stage()
    feed(stage, range(10))
    stage.apply_event(Told(0, (command(5, 0), command(6, 1)), 4))
    feed(stage, range(10, 15))
    assert (4, 0) == (stage.core.said.heard(0), stage.core.said.heard(1))
    again = make_stage()
    again.restore(stage.snapshot())
    # ids are forgotten after a thousand others; places are not
    again.core.said.restore({**stage.core.said.snapshot(), "known": []})
    again.apply_event(Told(0, (command(5, 0), command(6, 1)), 4))
    again.apply_event(Told(0, (command(5, 0),), 1))
    feed(again, range(15, 20))
    assert 1 / 16 == share(again)
    assert 4 == again.core.said.heard(0)
    again.apply_event(Told(1, (command(5, 0, Verb.BAD),), 1))
    feed(again, range(20, 25))
    assert 1 / 4 == share(again)


def test_the_forwarder_leaves_keyed_sources_to_their_stages() -> None:
    """Nothing is written to a log that nobody reads, and nothing is refused; the second stage has its copy."""
    value = encode_record(command(0, -1))
    chunk = Chunk(
        topics.COMMANDS, 0, fetch_offset=0, next_offset=1, values=[value], timestamps=[BEGIN_MS]
    )
    assert [] == ForwardStage(CONFIG).apply(chunk)
    (one,) = ForwardStage(CONFIG, second_stage=True).apply(chunk)
    assert topics.PARTIALS == one.topic
