"""Influx line protocol, read by cuts where that is safe and by its grammar everywhere else."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config.options import OptionsConfig
from schemas.reasons import IgnoreReason
from schemas.wire.columns import WHOLE
from schemas.wire.influx import INFLUX
from tests.schemas.wire.decoding import Sample, decode, golden

NS = 1_760_000_000_123_000_000
MS = 1_760_000_000_123


def lines(*written: str) -> bytes:
    """A record of these lines, each with a time."""
    return "".join(f"{line} {NS}\n" for line in written).encode()


def test_each_number_of_a_line_is_a_series() -> None:
    """Numbers of every type and booleans are samples; texts are counted and left out."""
    line = 'cpu,host=web-1 a=1i,b=2u,c=-2.5e-3,d=t,e=False,f="x, y=1",g=.5'
    found = decode("influx", lines(line))

    values = [1.0, 2.0, -0.0025, 1.0, 0.0, 0.5]
    assert [
        Sample(f'cpu_{field}{{host="web-1"}}', MS, value)
        for field, value in zip("abcdeg", values, strict=True)
    ] == found.samples
    assert {IgnoreReason.TEXT_FIELD: 1} == found.columns.ignored


def test_escapes_are_influxs() -> None:
    """A backslash keeps a comma, a space or an equals sign in a name; any other backslash is itself."""
    line = r'my\ cpu\,x,ta\=g=a\ b\,c\d f\ 1=1,s="say \"x\" \\"'
    found = decode("influx", lines(line))

    assert [Sample(r'my_cpu_x_f_1{ta_g="a b,c\\d"}', MS, 1.0)] == found.samples


def test_a_text_may_hold_line_feeds() -> None:
    """A line ends where the grammar ends it, and a comment or an empty line is nothing."""
    record = b'# hello\n\na x="one\ntwo",y=1 1760000000123000000\r\nb y=2 1760000000123000000'
    found = decode("influx", record)

    assert ["a_y", "b_y"] == [sample.series for sample in found.samples]
    assert [] == found.refused


def test_a_bad_line_is_refused_alone() -> None:
    """Each fault has its reason and its place among the samples, and the lines around it are read."""
    record = lines("a x=1,y=2", "bad", "b x=1=y,2", "c x=1") + b"d x=1\n" + lines("e x=nan")
    record += lines('f x="t"', "g,h x=1", ",h=1 x=1", "i,h=1,h=2 x=1", "j x=1 y", "k x=7")
    found = decode("influx", record)

    assert ["a_x", "a_y", "c_x", "k_x"] == [sample.series for sample in found.samples]
    assert [0, 1, 4, 12] == found.columns.items.tolist()
    assert [
        (2, "malformed"),
        (3, "wrong_type"),
        (5, "missing_time"),
        (6, "wrong_type"),
        (7, "missing_value"),
        (8, "malformed"),
        (9, "missing_metric"),
        (10, "bad_label"),
        (11, "malformed"),
    ] == [(item, reason) for _, item, reason in found.refused]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty_value"),
        (None, "tombstone"),
        (b"a x=1u,y=-1u 1", "wrong_type"),
        (b"a\xff x=1 1", "not_utf8"),
        (b"a x=1 1 1", "malformed"),
        (b"a x=1,,y=1 1", "malformed"),
        (b"a,b= x=1 1", "malformed"),
        (b"a x= 1", "malformed"),
        (b"a x=1_0 1", "wrong_type"),
        (b"a x=1,y=2,z=3 1", "too_large"),
        (b'a x="never closed 1', "malformed"),
        (b"a" * 200, "too_large"),
    ],
)
def test_a_bad_record_is_refused_alone(value: bytes | None, reason: str) -> None:
    """Each fault has its reason, and the records before and behind are read."""
    good = lines("a x=1")
    found = decode("influx", good, value, good, samples_per_message=2, message_bytes=150)

    assert [(1, WHOLE, reason)] == found.refused
    assert [0, 2] == found.columns.records.tolist()


def test_fields_may_come_in_any_order() -> None:
    """Telegraf writes the fields of a measurement in another order each time: they are the same series."""
    found = decode("influx", lines("a x=1,y=2"), lines("a y=3,x=4"), lines("a z=5,y=6"))

    assert [("a_x", 1), ("a_y", 2), ("a_y", 3), ("a_x", 4), ("a_z", 5), ("a_y", 6)] == [
        (sample.series, sample.value) for sample in found.samples
    ]
    assert 3 == len(set(found.columns.series.tolist()))


@pytest.mark.parametrize(
    ("unit", "time", "expected"),
    [
        ("auto", "1760000000", 1_760_000_000_000),
        ("s", "5", 5_000),
        ("us", "1500", 2),
        ("ns", "-1", -1),
    ],
)
def test_the_unit_of_times_is_told_or_tells_itself(unit: Any, time: str, expected: int) -> None:
    """Nanoseconds are the default of the protocol; any unit tells itself by its size, or is told."""
    options = OptionsConfig(time_unit=unit)
    found = decode("influx", f"a x=1 {time}".encode(), options=options)

    assert [expected] == [sample.time for sample in found.samples]


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters='\\\n\r\t"#\x00'), min_size=1, max_size=8
).filter(lambda name: re.search("[a-zA-Z]", name) is not None)
NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53).map(lambda n: (f"{n}i", float(n))),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: (repr(x), x)),
    st.booleans().map(lambda b: (str(b), float(b))),
)


def escaped(name: str) -> str:
    """A name as the protocol has it."""
    return re.sub("([,= ])", r"\\\1", name)


@given(
    NAMES,
    st.dictionaries(NAMES, NAMES, max_size=3),
    st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=4),
)
def test_what_was_written_is_read(
    measurement: str, tags: dict[str, str], fields: dict[str, tuple[str, float]]
) -> None:
    """Any line that keeps to the protocol gives its values, in order, or a refusal for its labels alone."""
    head = re.sub("([, ])", r"\\\1", measurement)
    head += "".join(f",{escaped(tag)}={escaped(value)}" for tag, value in tags.items())
    body = ",".join(f"{escaped(field)}={number}" for field, (number, _) in fields.items())
    found = decode("influx", f"{head} {body} {NS}".encode())

    if {"bad_label"} != {reason for *_, reason in found.refused}:
        assert [] == found.refused
        assert [value for _, value in fields.values()] == [s.value for s in found.samples]


def test_what_telegraf_wrote_is_read() -> None:
    """Every line of a real Telegraf is read, and gives what its JSON of the same measurements gives."""
    found = decode("influx", *golden("telegraf-influx"))
    same = decode("telegraf", *golden("telegraf-json-ns"))

    assert [] == found.refused
    assert len(found.samples) > 200
    assert set(found.samples) == set(same.samples)


@pytest.mark.parametrize(
    ("value", "claimed"),
    [
        (b"cpu,host=a usage=1 1", True),
        (b"# c\n cpu usage=t", True),
        (b'cpu s="x"', True),
        (b"hello world", False),
        (b"a=b c=d", False),
        (b'{"cpu": 1}', False),
        (b"", False),
        (b"\x00\x00\x00\x00\x01ab c=1", False),
    ],
)
def test_looks_tell_a_line(value: bytes, claimed: bool) -> None:
    """For `auto` a line is what has a name, a space, and a field with a value."""
    assert INFLUX.claims is not None
    assert claimed == INFLUX.claims(value)
