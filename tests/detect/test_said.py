"""Commands to detectors in the log of their stage: held until event time has come to them, once each."""

import numpy as np
import pytest
from msgspec.structs import replace

from schemas import topics
from schemas.commands import About, Command, Verb
from schemas.config import Config, KafkaConfig
from schemas.dead_letters import DeadLetter
from schemas.labels import make_labels
from schemas.reasons import DeadLetterReason
from schemas.records import decode_record, encode_record
from schemas.samples import encode_batch, make_batch
from streams.correlate.forward import ForwardStage
from streams.detect import said as room
from streams.detect.said import Said
from streams.detect.stage import DetectStage
from streams.rules.load import parse_rules
from streams.transport.chunk import Chunk

RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Odd, expr: x, detect: {detector: robust, warm_up_samples: 30}}
"""
CONFIG = Config(kafka=KafkaConfig(partitions=1))
ABOUT = About(matchers=(('service="a"',),))


def command(time: int, identity: str = "1", verb: Verb = Verb.FINE, incident: str = "") -> Command:
    """What somebody says to detectors."""
    return Command(
        id=identity,
        tenant="default",
        verb=verb,
        actor="ada",
        time=time,
        about=ABOUT,
        incident=incident,
    )


def make_stage() -> DetectStage:
    """A stage with one rule with a detector."""
    groups, problems = parse_rules(RULES, "rules.yml")
    assert not problems
    return DetectStage(CONFIG, groups, 0)


def chunk(topic: str, offset: int, *values: bytes) -> Chunk:
    """A chunk of the log."""
    stamps = [0] * len(values)
    return Chunk(
        topic,
        0,
        fetch_offset=offset,
        next_offset=offset + len(values),
        values=list(values),
        timestamps=stamps,
    )


def batch(second: int, value: float, offset: int) -> bytes:
    """One sample, and the watermark behind it."""
    labels = make_labels({"__name__": "x", "__tenant__": "default", "service": "a"})
    t_ms = second * 1000
    topic = CONFIG.sources[0].topic
    return encode_batch(
        make_batch(
            topic, 0, watermark=t_ms + 1, record_time=t_ms, samples=[(labels, t_ms, value, offset)]
        )
    )


def threshold(stage: DetectStage) -> float:
    """The score that the series must reach."""
    (_, detect), *_ = stage.core.engine.detectors
    return float(1 - detect.thresholds.enter[0]) / (1 - detect.thresholds.lowest)


def test_a_command_waits_for_its_time_also_over_a_restart_and_takes_effect_once() -> None:
    """Sent twice, ahead of its time, with a restart between: a quarter of the budget, when its second has come."""
    stage = make_stage()
    sent = encode_record(command(20_000))
    values = [batch(second, 100.0 + second % 3, second) for second in range(10)]
    stage.apply(chunk(topics.SAMPLES, 0, *values, sent, sent))
    assert 1.0 == pytest.approx(threshold(stage))

    again = make_stage()
    again.restore(stage.snapshot())
    again.apply(chunk(topics.SAMPLES, 12, *(batch(s, 100.0, s) for s in range(10, 20)), sent))
    assert 1.0 == pytest.approx(threshold(again))
    again.apply(chunk(topics.SAMPLES, 23, batch(20, 100.0, 20), batch(21, 100.0, 21)))
    assert 0.25 == pytest.approx(threshold(again))


def test_where_it_stands_before_its_time_changes_nothing() -> None:
    """At the beginning or just before: the same state."""
    found = []
    for place in (0, 7, 14):
        stage = make_stage()
        values = [batch(second, 100.0 + second % 3, second) for second in range(30)]
        values.insert(place, encode_record(command(15_000)))
        stage.apply(chunk(topics.SAMPLES, 0, *values))
        (_, detect), *_ = stage.core.engine.detectors
        found.append(detect.snapshot())
    for state in found[1:]:
        for name, column in found[0].items():
            np.testing.assert_array_equal(column, state[name])


def test_what_is_no_command_becomes_a_dead_letter() -> None:
    """And what stands beside it goes through."""
    stage = make_stage()
    (letter,) = [
        r
        for r in stage.apply(chunk(topics.SAMPLES, 0, b"{}", batch(1, 1.0, 1)))
        if r.topic == topics.DEAD_LETTERS
    ]
    assert DeadLetterReason.WRONG_TYPE is decode_record(letter.value or b"", DeadLetter).reason


def test_commands_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that come first in time are kept, the others counted."""
    monkeypatch.setattr(room, "MOST", 2)
    said = Said()
    for number in (3, 1, 2):
        said.hold(command(number, str(number)))
    assert (1, ["1", "2"]) == (said.refused, [each.id for each in said.due(10)])
    assert [] == said.due(10)


def test_the_forwarder_tells_every_partition_of_detectors() -> None:
    """And the correlator only where an incident is spoken of."""
    config = Config(kafka=KafkaConfig(partitions=3))
    forward = ForwardStage(config, second_stage=True)
    alone = forward.apply(chunk(topics.COMMANDS, 0, encode_record(command(0))))
    places = [(each.topic, each.partition) for each in alone]
    assert [(topics.SAMPLES, 0), (topics.SAMPLES, 1), (topics.SAMPLES, 2)] == places[:3]
    assert [topics.PARTIALS] == [topic for topic, _ in places[3:]]
    both = forward.apply(chunk(topics.COMMANDS, 1, encode_record(command(0, incident="x"))))
    assert topics.ALERTS in {each.topic for each in both}


@pytest.mark.parametrize("about", [None, About(matchers=()), About(matchers=(("service",),))])
def test_a_command_that_names_nobody_is_refused(about: About | None) -> None:
    """Without conditions, or with some that make no sense, it would do nothing in silence."""
    wrong = replace(command(0), about=about)
    (letter,) = ForwardStage(CONFIG).apply(chunk(topics.COMMANDS, 0, encode_record(wrong)))
    assert DeadLetterReason.COMMAND_REFUSED is decode_record(letter.value or b"", DeadLetter).reason
