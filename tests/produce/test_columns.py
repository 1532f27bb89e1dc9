from collections.abc import Mapping

import pytest

from streams.produce.columns import Columns, clean, layout, samples
from streams.produce.refusal import Refusal, RefusedError
from streams.produce.telemetry import Sample

GUESSED = Columns()


def made(row: Mapping[str, object], wanted: Columns = GUESSED) -> list[Sample]:
    return samples(row, layout([row], wanted, "disk-1"))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"timestamp": "5", "value": "2.5"}, [("disk_1", {}, 2.5)]),
        ({"time": 5, "cpu": "1", "mem use": "2"}, [("cpu", {}, 1.0), ("mem_use", {}, 2.0)]),
        ({"ts": "5", "cpu": "1", "host": "a", "rack": ""}, [("cpu", {"host": "a"}, 1.0)]),
        (
            {"ts": 5, "metric": "up", "value": 1, "port": 80, "ok": True},
            [("up", {"port": "80", "ok": "true"}, 1.0)],
        ),
        (
            {"ts": 5, "metric": "up", "value": "1", "labels": '{"zone":"b"}'},
            [("up", {"zone": "b"}, 1.0)],
        ),
        ({"ts": 5, "metric": "up", "value": 1, "labels": {"z": "b"}}, [("up", {"z": "b"}, 1.0)]),
        ({"ts": 5, "cpu": 1, "gap": None, "note": "nan"}, [("cpu", {"note": "nan"}, 1.0)]),
    ],
)
def test_a_row_becomes_samples(
    row: Mapping[str, object], expected: list[tuple[str, dict[str, str], float]]
) -> None:
    """Long and wide rows give the metrics, labels and values that a reader expects."""
    assert [Sample(metric, labels, 5_000, value) for metric, labels, value in expected] == made(row)


def test_named_columns_win() -> None:
    """A named time and value are taken, and no other number becomes a metric."""
    row = {"when": "5", "ts": "6", "a": "1", "b": "2", "host": "x"}

    actual = made(row, Columns(time="when", value="b"))

    assert [Sample("b", {"host": "x"}, 5_000, 2.0)] == actual


@pytest.mark.parametrize(
    ("row", "wanted", "reason"),
    [
        ({"when": "5", "value": "1"}, GUESSED, Refusal.NO_TIME_COLUMN),
        ({"ts": "5", "host": "a"}, GUESSED, Refusal.NO_VALUE_COLUMN),
        ({"ts": "5", "metric": "up", "host": "a"}, GUESSED, Refusal.NO_VALUE_COLUMN),
        ({"ts": "5", "value": "1"}, Columns(time="when"), Refusal.NO_SUCH_COLUMN),
        ({"ts": "noon", "value": "1"}, GUESSED, Refusal.BAD_TIME),
        ({"ts": "5", "value": "x"}, Columns(value="value"), Refusal.BAD_VALUE),
        ({"ts": "5", "value": "inf"}, Columns(value="value"), Refusal.BAD_VALUE),
        ({"ts": "5", "metric": " ", "value": "1"}, GUESSED, Refusal.BAD_METRIC),
        ({"ts": "5", "metric": "up", "value": "1", "labels": "a=b"}, GUESSED, Refusal.BAD_LABELS),
        ({"ts": "5", "metric": "up", "value": "1", "labels": "[1]"}, GUESSED, Refusal.BAD_LABELS),
        ({"ts": "5", "metric": "up", "value": "1", "at": {"x": 1}}, GUESSED, Refusal.BAD_LABELS),
    ],
)
def test_a_senseless_row_is_refused(
    row: Mapping[str, object], wanted: Columns, reason: Refusal
) -> None:
    """Each way to make no sense has its own reason."""
    with pytest.raises(RefusedError) as caught:
        made(row, wanted)

    assert reason is caught.value.reason


def test_a_missing_value_is_no_sample() -> None:
    """A gap in one row leaves out that sample and no other."""
    plan = layout([{"ts": "1", "a": "1", "b": "2"}], GUESSED, "x")

    assert [Sample("b", {}, 2_000, 3.0)] == samples({"ts": "2", "a": "", "b": "3"}, plan)


@pytest.mark.parametrize(
    ("name", "expected"), [("a b", "a_b"), ("5xx", "_5xx"), ("", "_"), ("ok:x_1", "ok:x_1")]
)
def test_names_are_cleaned(name: str, expected: str) -> None:
    """What Prometheus would not take in a name becomes an underscore."""
    assert expected == clean(name)
