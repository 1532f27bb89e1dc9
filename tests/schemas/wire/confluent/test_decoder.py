"""Records whose schemas are in a registry; framed by hand, encoded by fastavro."""

import json
from typing import Any

import pytest

from schemas.config import LimitsConfig
from schemas.config.options import FieldsConfig, OptionsConfig
from schemas.records import Headers
from schemas.wire.asking import Nothing, Schema
from schemas.wire.columns import WHOLE
from schemas.wire.confluent.decoder import Confluent
from tests.schemas.wire.confluent.records import FLAT, MS, NESTED, encode, flat, framed, nested
from tests.schemas.wire.decoding import Decoded, Sample, decode_with

AVRO = Schema("AVRO", json.dumps(FLAT))


def confluent(*schemas: Schema | Nothing, **fields: Any) -> Confluent:
    """A decoder that was told these schemas, whose ids begin at 1."""
    made = Confluent(LimitsConfig(), OptionsConfig(fields=FieldsConfig(**fields)))
    made.wanted([framed(number, b"x") for number in range(1, len(schemas) + 1)])
    made.learn(dict(enumerate(schemas, 1)))
    return made


def decode(made: Confluent, *values: bytes | None, headers: list[Headers] | None = None) -> Decoded:
    """What it makes of these values."""
    return decode_with(made, list(values), headers)


def test_avro_is_read_by_its_schema() -> None:
    """Without a word of configuration the fields of a record are found by their names and types."""
    made = confluent(AVRO)
    expected = [Sample('up{host="web-1"}', MS, 1.5), Sample('up{host="web-2"}', MS, 2.5)]
    values = [framed(1, flat(1.5)), framed(1, flat(2.5, host="web-2"))]

    # the first time by fastavro, and then in columns
    assert [expected] * 3 == [decode(made, *values).samples for _ in range(3)]
    assert expected == decode(made, *values, headers=[(), (("other", b""),)]).samples


def test_every_number_is_a_series_where_no_field_is_the_value() -> None:
    """Where no field names the metric, the schema does; null is no value, and a nested record is left alone."""
    made = confluent(Schema("AVRO", json.dumps(NESTED)))
    found = decode(made, framed(1, nested(2.5, zone="a")), framed(1, nested(1, system=3)))

    assert [
        Sample('cpu_usage_user{host="web-1",zone="a"}', MS, 2.5),
        Sample('cpu_usage_user{host="web-1"}', MS, 1.0),
        Sample('cpu_usage_system{host="web-1"}', MS, 3.0),
    ] == found.samples


@pytest.mark.parametrize(
    ("fields", "series"),
    [
        ({"values": ["limits.cores"]}, {'cpu_usage_limits_cores{host="web-1"}': 2.0}),
        ({"values": ["user"], "prefix": "cpu"}, {'cpu{host="web-1"}': 2.5}),
        ({"values": ["user"], "metric": "host"}, {"web_1": 2.5}),
        (
            {"values": ["user"], "labels": ["limits.cores", "host"]},
            {'cpu_usage_user{host="web-1",limits_cores="2"}': 2.5},
        ),
        ({"values": ["user"], "labels": ["zone"]}, {"cpu_usage_user": 2.5}),
    ],
)
def test_configuration_says_which_fields_are_what(
    fields: dict[str, Any], series: dict[str, float]
) -> None:
    """Paths with dots reach into nested records, and what is configured goes before what is guessed."""
    found = decode(confluent(Schema("AVRO", json.dumps(NESTED)), **fields), framed(1, nested(2.5)))

    assert ([], series) == (found.refused, {s.series: s.value for s in found.samples})


def test_json_is_read_as_it_stands() -> None:
    """With a JSON schema the data are JSON, and its title names the metric."""
    made = confluent(Schema("JSON", '{"title": "Queue length"}'), Schema("JSON", "{}"))
    record = json.dumps({"ts": "2026-01-01T00:00:00Z", "value": 7, "host": "a"}).encode()
    found = decode(made, framed(1, record), framed(2, record.replace(b'"host"', b'"metric"')))

    assert ['queue_length{host="a"}', "a"] == [sample.series for sample in found.samples]


def test_a_header_may_name_the_schema() -> None:
    """Newer clients write the id into a header, and nothing before the data."""
    headers: list[Headers] = [(("__value_schema_id", framed(1, b"")),), ()]
    made = confluent(AVRO)
    found = decode(made, flat(1.5), framed(1, flat(2)), headers=headers)

    assert [1.5, 2.0] == [sample.value for sample in found.samples]


def test_a_schema_may_name_others() -> None:
    """What a schema refers to is parsed before it."""
    part = {"type": "enum", "name": "com.example.Zone", "symbols": ["A", "B"]}
    whole = FLAT | {"fields": [*FLAT["fields"], {"name": "zone", "type": "Zone"}]}
    made = confluent(Schema("AVRO", json.dumps(whole), (json.dumps(part),)))
    data = encode(
        FLAT | {"fields": [*FLAT["fields"], {"name": "zone", "type": part}]},
        {"ts": MS, "metric": "up", "value": 1, "labels": {}, "zone": "B"},
    )

    assert ['up{zone="B"}'] == [s.series for s in decode(made, framed(1, data)).samples]


def test_it_asks_for_what_it_does_not_know() -> None:
    """Ids that it has not been told are wanted; one that could not be had is asked for again with the next chunk."""
    made = Confluent(LimitsConfig())
    values = [framed(1, flat(1)), framed(2, flat(1)), None, b"", b"no", framed(1, flat(1))]

    assert {1, 2} == made.wanted(values)
    made.learn({1: AVRO, 2: Nothing("the registry has no such schema")})
    assert set() == made.wanted(values)
    assert [(1, WHOLE, "unknown_schema")] == decode(made, *values[:2]).refused
    assert {2} == made.wanted(values)


def test_what_others_asked_for_is_no_answer_to_its_own_question() -> None:
    """A decoder that is told what it did not ask for keeps schemas, and goes on asking for the rest."""
    made = Confluent(LimitsConfig())
    made.learn({1: AVRO, 2: Nothing("there is none")})

    assert {2, 3} == made.wanted([framed(number, flat(1)) for number in (1, 2, 3)])


def test_schemas_are_bounded() -> None:
    """Of more schemas than are remembered those not used for longest are asked for again, and never without end."""
    made = Confluent(LimitsConfig(), OptionsConfig(schemas=2))
    values = [framed(number, flat(1)) for number in (1, 2, 3)]
    assert {1, 2, 3} == made.wanted(values)
    made.learn(dict.fromkeys((1, 2, 3), AVRO))

    assert set() == made.wanted(values)
    assert [(0, WHOLE, "unknown_schema")] == decode(made, *values).refused
    assert {1} == made.wanted(values)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "tombstone"),
        (b"", "empty_value"),
        (b"plain", "malformed"),
        (framed(1, b""), "malformed"),
        (framed(1, flat(1)[:-1]), "malformed"),
        (framed(1, flat(1) + b"x"), "malformed"),
        (framed(9, flat(1)), "unknown_schema"),
        (framed(2, flat(1)), "unknown_schema"),
        (framed(3, flat(1)), "unknown_schema"),
        (framed(4, b"\x02a"), "wrong_type"),
        (framed(5, b"{}"), "missing_time"),
        (framed(5, b"{"), "not_json"),
        (framed(5, b"\xff"), "not_utf8"),
        (framed(5, b"[]"), "wrong_type"),
        (framed(5, b'{"ts": true, "value": 1}'), "wrong_type"),
        (framed(5, b'{"ts": 1}'), "missing_value"),
        (framed(5, b'{"value": 1, "ts": ' + b"9" * 400 + b"}"), "wrong_type"),
        (framed(5, b'{"ts": 1, "value": ' + b"9" * 400 + b"}"), "wrong_type"),
        (framed(5, b'{"ts": 1, "value": 1, "metric": 7}'), "wrong_type"),
        (framed(5, b'{"ts": 1, "value": 1}'), "missing_metric"),
        (framed(5, b'{"ts": 1, "value": 1, "metric": "a", "a.b": "1", "a-b": "2"}'), "bad_label"),
        (framed(1, flat(1, x="y" * 3000)), "label_too_long"),
        (framed(1, b"\x02\x02\xff" + bytes(8) + b"\x00"), "malformed"),
    ],
)
def test_a_bad_record_is_refused_alone(value: bytes | None, reason: str) -> None:
    """Each fault has its reason, and the records before and behind are read."""
    made = confluent(
        AVRO,
        Schema("PROTOBUF", 'syntax = "proto3";'),
        Schema("AVRO", "nonsense"),
        Schema("AVRO", '"string"'),
        Schema("JSON", "{"),
    )
    good = framed(1, flat(1.5))

    for _ in range(2):
        found = decode(made, good, value, good)
        assert [(1, WHOLE, reason)] == found.refused
        assert [0, 2] == found.columns.records.tolist()


def test_a_field_that_was_configured_and_is_missing_is_named() -> None:
    """What the configuration names and a record lacks is a fault of the record."""
    record = framed(1, b'{"ts": 1, "value": "x"}')
    schema = Schema("JSON", '{"title": "A"}')
    reasons = [
        decode(confluent(schema, **fields), record).refused[0][2]
        for fields in ({"time": "t"}, {"metric": "m"}, {"values": ["v"]}, {"values": ["value"]})
    ]

    assert ["missing_time", "missing_value", "missing_value", "wrong_type"] == [
        reasons[0],
        *reasons[2:3],
        reasons[2],
        reasons[3],
    ]
    assert "missing_metric" == reasons[1]
