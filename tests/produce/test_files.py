import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.produce.columns import Columns
from streams.produce.files import HEAD, records_of
from streams.produce.refusal import Refusal, ReplayError
from streams.produce.telemetry import Record

GUESSED = Columns()


def read(path: Path, text: str | bytes, wanted: Columns = GUESSED) -> list[Record]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(records_of(path, wanted))


def test_a_file_of_the_benchmark(tmp_path: Path) -> None:
    """A file with times without a zone and one value is in UTC and named after the file."""
    text = "timestamp,value\r\n2014-04-01 00:00:00,39.1\r\n\r\n2014-04-01 00:05:00,\r\n"

    (actual,) = read(tmp_path / "art-daily.csv", text)

    assert {"ts": 1_396_310_400_000, "metric": "art_daily", "value": 39.1, "labels": {}} == (
        json.loads(actual.value)
    )
    assert actual.timestamp_ms == 1_396_310_400_000


def test_semicolons_quotes_and_a_byte_order_mark(tmp_path: Path) -> None:
    """Other delimiters, quoted cells over two lines and a byte order mark are understood."""
    text = '\ufefftime;cpu;mem;note\n5;1;2;"a;\nb"\n'

    (actual,) = read(tmp_path / "x.csv", text)

    assert [("cpu", 1.0, {"note": "a;\nb"}), ("mem", 2.0, {"note": "a;\nb"})] == [
        (part["metric"], part["value"], part["labels"]) for part in json.loads(actual.value)
    ]


def test_native_lines_pass_byte_for_byte(tmp_path: Path) -> None:
    """Tocsin's own telemetry is not read and written again; odd spacing survives."""
    lines = [
        '{"ts": 5,  "metric":"a","value":1}',
        '[{"ts":6,"metric":"a","value":2},{"ts":"1970-01-01T00:00:09Z","metric":"b","value":"x"}]',
    ]

    actual = read(tmp_path / "x.jsonl", "\n".join(lines))

    assert [Record(None, lines[0].encode(), 5_000), Record(None, lines[1].encode(), 9_000)] == (
        actual
    )


def test_a_recorded_topic_gives_its_raw_messages(tmp_path: Path) -> None:
    """A recorded message is replayed as it was, even one that is no telemetry at all."""
    line = {"topic": "t", "partition": 1, "offset": 7, "timestamp": 5_000_000_000_000}

    actual = read(tmp_path / "x.jsonl", json.dumps(line | {"value": "gar{bage"}))

    assert [Record(None, b"gar{bage", 5_000_000_000_000)] == actual


def test_other_json_lines_are_a_table(tmp_path: Path) -> None:
    """JSON objects of another form are rows: numbers are metrics, texts are labels."""
    text = '{"time":"1970-01-01T00:00:05Z","cpu":0.5,"host":"a"}\n{"time":6,"cpu":null}\n'

    (actual,) = read(tmp_path / "x.jsonl", text)

    assert {"ts": 5_000, "metric": "cpu", "value": 0.5, "labels": {"host": "a"}} == (
        json.loads(actual.value)
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("ts,value\n1,2\nnoon,3\n", 3, Refusal.BAD_TIME),
        ("ts,value\n" + "1,2\n" * HEAD + "9,x\n", HEAD + 2, Refusal.BAD_VALUE),
        ("ts,value\n1,2\n\n3\n", 4, Refusal.BAD_ROW),
        ("ts,ts\n1,2\n", 1, Refusal.BAD_ROW),
        ('ts,value\n1,"2\n', 2, Refusal.BAD_ROW),
        ("when,value\n1,2\n", 2, Refusal.NO_TIME_COLUMN),
        (b"ts,value\n1,2\n\xff,3\n", 3, Refusal.NOT_UTF8),
        ('{"ts":1,"metric":"a","value":1}\n{"ts":\n', 2, Refusal.NOT_JSON),
        ('[\n{"ts":1,"metric":"a","value":1}\n]', 1, Refusal.NOT_JSON),
        ('{"ts":1,"metric":"a","value":1}\n[]\n', 2, Refusal.BAD_ROW),
        ('{"ts":1,"metric":"a","value":1}\n5\n', 2, Refusal.BAD_ROW),
        ('{"ts":1,"cpu":1}\n[]\n', 2, Refusal.BAD_ROW),
        ('{"ts":1,"cpu":1}\n' * HEAD + '{"ts":1,"mem":1}', HEAD + 1, Refusal.LATE_COLUMN),
        ('{"ts":"noon","metric":"a","value":1}', 1, Refusal.BAD_TIME),
        (
            '{"topic":"t","partition":0,"offset":0,"timestamp":1,"value":null}',
            1,
            Refusal.BAD_VALUE,
        ),
    ],
)
def test_errors_name_file_line_and_reason(
    tmp_path: Path, text: str | bytes, line: int, reason: Refusal
) -> None:
    """What makes no sense is refused with the place where it stands."""
    path = tmp_path / "x.data"

    with pytest.raises(ReplayError) as caught:
        read(path, text)

    assert (path, line, reason) == (caught.value.path, caught.value.line, caught.value.reason)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_no_such_file(tmp_path: Path) -> None:
    """A file that cannot be opened is refused by its name."""
    with pytest.raises(ReplayError, match="unreadable"):
        list(records_of(tmp_path / "gone.csv", GUESSED))


@pytest.mark.parametrize("text", ["", "\n\n", "ts,value\n"])
def test_nothing_in_nothing_out(tmp_path: Path, text: str) -> None:
    """An empty file, or a header alone, has no records and is no error."""
    assert [] == read(tmp_path / "x.csv", text)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Random bytes give records or a refusal, never another error."""
    path = tmp_path_factory.mktemp("any") / "x.data"

    outcome: list[Record] | ReplayError
    try:
        outcome = read(path, data)
    except ReplayError as error:
        outcome = error

    assert isinstance(outcome, list) or outcome.path == path
