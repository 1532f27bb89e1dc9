"""Inspection: formats, losses, lateness, personal data and a rule, from records as they stood on a topic."""

import json
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import Config, load_document
from schemas.wire.asking import Schema
from schemas.wire.registry import AUTO
from streams.inspect.files import open_records
from streams.inspect.guess import UNTOLD, Guess
from streams.inspect.inspect import inspect, wanted_schemas
from streams.inspect.report import Report
from streams.replay.pipeline import Recorded

NOW = 1_767_225_600_000
CONFIG = Config()


def native(at_ms: int, value: float = 1.0, metric: str = "queue_length", **labels: str) -> bytes:
    return json.dumps({"ts": at_ms, "metric": metric, "value": value, "labels": labels}).encode()


def recorded(*values: bytes | None, partition: int = 0) -> list[Recorded]:
    """Records one second apart."""
    return [Recorded("telemetry", partition, at, NOW + 1000 * at, v) for at, v in enumerate(values)]


def look(records: list[Recorded], config: Config = CONFIG, **options: Any) -> Report:
    """Inspect with a guess of the format."""
    guess = Guess(config.limits)
    return inspect(config, "telemetry", records, guess, dated=True, configured=False, **options)


def test_what_would_be_dead_letters_is_told_with_the_first_of_each() -> None:
    """Every reason has its count and the first record with it; the late ones are counted too."""
    report = look(
        recorded(
            native(NOW),
            native(NOW + 60_000),
            b"garbage",
            native(NOW - 3_600_000 * 24 * 30),
            native(NOW + 10_000),
            b'{"metric": "x", "ts": 1, "labels": {}, "value": "a"}',
        ),
        read_as="native",
    )
    found = {r.reason: (r.count, r.offset) for r in report.refused}

    assert {"not_json": (1, 2), "too_old": (1, 3), "late": (1, -1), "wrong_type": (1, 5)} == found
    assert (6, 3, 1) == (report.records, report.samples, report.series)
    assert report.lateness is not None
    assert (50.0, 1) == (report.lateness.most, report.lateness.late)


def test_the_format_is_guessed_and_said_why() -> None:
    """A stray among a hundred changes nothing; two formats in numbers make it `auto`."""
    many = [native(NOW + n) for n in range(150)]
    influx = b"cpu,host=a usage=0.5 1767225600000000000"
    report = look(recorded(*many, b"?"))

    assert "native" == report.read_as
    assert ("native", 150, "JSON with metric, ts, value") == (
        report.formats[0].name,
        report.formats[0].records,
        report.formats[0].why,
    )
    assert UNTOLD == report.formats[1].name
    assert "influx" == look(recorded(*[influx] * 9)).read_as
    assert AUTO == look(recorded(*many[:9], *[influx] * 9)).read_as


def test_where_every_sample_is_refused_the_report_says_so() -> None:
    """Series without a sample that was taken are told with none, and no rule is proposed."""
    report = look(recorded(native(NOW - 86_400_000 * 30), native(NOW - 86_400_000 * 31)))

    assert (0, None, None) == (report.samples, report.first_ms, report.rule)
    assert [("queue_length", 0)] == [(m.name, m.samples) for m in report.metrics]
    assert [("too_old", 2)] == [(r.reason, r.count) for r in report.refused]


awkward = st.sampled_from(
    [
        *(
            b'{"ts": 1e400, "metric": "m", "value": 1}',
            b'{"a": {"b": [1]}}',
            b"[[[[",
            b"\0\0\0\0\1{",
        ),
        *(b"m v=1", b"m,a= v=1 x", b"\xff\xfe", b'{"ts": 1, "metric": "\\ud800", "value": 1}'),
        native(NOW, metric="", a=""),
    ]
)


@settings(max_examples=60)
@given(st.lists(st.none() | st.binary(max_size=40) | awkward, min_size=1, max_size=8))
def test_no_records_make_it_raise(values: list[bytes | None]) -> None:
    """Whatever the records are, there is a report that can be written as JSON, and every record is in it."""
    report = look(recorded(*values))
    text = orjson.dumps(msgspec.to_builtins(report))

    assert len(values) == report.records == json.loads(text)["records"]


def test_a_header_tells_the_format() -> None:
    """A record whose content type is known is told by it."""
    told = Guess(CONFIG.limits).tell(b"{}", (("content-type", b"application/vnd.tocsin.samples"),))

    assert ("samples", "header content-type: application/vnd.tocsin.samples") == told


def test_personal_data_and_dropped_series_are_told() -> None:
    """What is scrubbed is told by kind and label, and shown only as a hash; what rules drop is counted."""
    config = load_document(
        "sources: [{topic: telemetry, relabel: [{action: drop, source_labels: [l], regex: x}]}]",
        "t",
    ).config
    records = recorded(native(NOW, user="bob@example.com"), native(NOW + 1, l="x"))
    report = look(records, config)

    assert [("email", "user", 1)] == [(s.kind, s.label, s.series) for s in report.scrubbed]
    assert {"dropped_by_rule": 1} == report.ignored
    assert ["user"] == [label.name for label in report.labels]
    assert report.labels[0].top[0][0].startswith("<email:")


def test_the_rule_is_tried_on_the_records() -> None:
    """The proposed rule is run over what was read, and the alerts that it fires are counted."""
    values = [0.0] * 60 + [0.5] * 60
    records = [
        Recorded(
            "telemetry", 0, n, at := NOW + 10_000 * n, native(at, v, "error_ratio", service="cart")
        )
        for n, v in enumerate(values)
    ]
    report = look(records)

    assert report.rule is not None
    assert "error_ratio > 0.05" in report.rule.text
    assert 1 == report.rule.fired


def test_schemas_are_asked_for_and_used() -> None:
    """Records that name a schema are read with the answers; without them they are refused, and nothing raises."""
    options = "options: {registry: {url: 'http://localhost'}}"
    config = load_document(
        f"sources: [{{topic: telemetry, format: confluent, {options}}}]", "t"
    ).config
    values = [b"\0\0\0\0" + bytes([7 + n]) + native(NOW + n, n, host="a") for n in range(3)]
    # of two partitions, so that there are two chunks
    records = [*recorded(values[0]), *recorded(*values[1:], partition=1)]
    guess = Guess(config.limits)
    answers = dict.fromkeys((7, 8, 9), Schema("JSON", "{}"))
    told = inspect(config, "telemetry", records, guess, dated=True, answers=answers)
    blind = inspect(config, "telemetry", records, guess, dated=True)

    assert {7, 8, 9} == wanted_schemas(config, "telemetry", records)
    assert (3, []) == (told.samples, told.refused)
    assert told.rule is not None
    assert told.rule.fired is None
    assert [("unknown_schema", 3)] == [(r.reason, r.count) for r in blind.refused]


def test_partitions_are_read_apart() -> None:
    """Records of two partitions make one report: series that both have are one series."""
    records = recorded(native(NOW, n="1"), native(NOW, n="2"))
    records += recorded(native(NOW - 60_000, n="1"), partition=3)
    report = look(records)

    assert (2, 2, 3) == (report.partitions, report.series, report.samples)
    assert report.lateness is not None
    assert 0 == report.lateness.late


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("lines.txt", b"cpu v=1 1767225600000000000\n\ncpu v=2 1767225601000000000\n", (2, False)),
        ("native.jsonl", native(NOW) + b"\n" + native(NOW + 1) + b"\n?\n", (3, False)),
        (
            "table.csv",
            b"time,value,host\n2026-01-01T00:00:00Z,1,a\n2026-01-01T00:00:01Z,2,b\n",
            (2, True),
        ),
        ("one.json", b'[\n {"ts": 1, "metric": "m", "value": 1}\n]\n', (1, False)),
        ("unknown.jsonl", b'{"a": 1}\n{"b": 2}\n', (2, False)),
        (
            "kcat.jsonl",
            (
                b'{"topic":"t","partition":1,"offset":7,"tstype":"create","ts":1767225600000,"broker":1,'
                b'"headers":["a","1","b","2"],"key":null,"payload":"x"}\n'
            ),
            (1, True),
        ),
        (
            "recording.jsonl",
            b'{"topic":"t","partition":1,"offset":7,"timestamp":1767225600000,"value":"x"}\n',
            (1, True),
        ),
    ],
)
def test_a_file_is_what_its_beginning_says(
    tmp_path: Path, name: str, content: bytes, expected: tuple[int, bool]
) -> None:
    """Lines of a format, one record a file, a table, or a recorded topic; only the last two have times."""
    path = tmp_path / name
    path.write_bytes(content)
    records, dated = open_records([path], "telemetry", Guess(CONFIG.limits))

    found = list(records)
    assert expected == (len(found), dated)
    if name == "kcat.jsonl":
        headers = (("a", b"1"), ("b", b"2"))
        assert [Recorded("t", 1, 7, 1767225600000, b"x", headers)] == found
