import logging
import re
from logging import LogRecord

import pytest

from streams.observe import logs
from streams.observe.logs import Repeats, logging_to_stderr, quiet


def test_verbs_keep_the_client_s_last_word(capsys: pytest.CaptureFixture[str]) -> None:
    """What Kafka's client logs is kept as the reason of an error; nothing is printed."""
    with quiet() as last:
        logging.getLogger("aiokafka").error("Unable connect to %s: ", "a:1")
        logging.getLogger("asyncio").error("something else")

    assert "Unable connect to a:1" == last.text
    assert ("", "") == capsys.readouterr()


def test_workers_log_one_line_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is a line with time, level and place; what is less is no line."""
    with logging_to_stderr():
        logging.getLogger("streams.x").warning("%d records are gone", 3)
        logging.getLogger("streams.x").info("all is well")

    line = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING streams\.x: 3 records are gone\n"
    assert re.fullmatch(line, capsys.readouterr().err)


@pytest.mark.parametrize(
    "text",
    [
        "Heartbeat failed for group tocsin-detect because it is rebalancing",
        "Group Coordinator Request failed: [Error 15] GroupCoordinatorNotAvailableError",
        "exception performing seek when flow not active IllegalStateError: x",
    ],
)
def test_normal_operation_logs_nothing(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """What the clients say whenever a worker joins or leaves is no news."""
    with logging_to_stderr():
        logging.getLogger("aiokafka.consumer.group_coordinator").error(text)

    assert "" == capsys.readouterr().err


def said(created: float, name: str = "aiokafka.producer", **arguments: object) -> LogRecord:
    """What the client says of a partition that refuses writes, at this second."""
    text = "Got error produce response on topic-partition %s, retrying."
    record = logging.makeLogRecord({"name": name, "msg": text, **arguments})
    record.created = created
    return record


def test_a_line_comes_once_in_ten_seconds_with_a_count() -> None:
    """Of 40 lines a second for 25 seconds three are printed, and they say how many were left out between them."""
    repeats = Repeats()
    records = [said(n / 40, args=(f"a-{n % 4}",)) for n in range(1_000)]
    printed = [record for record in records if repeats(record)]

    assert [0.0, 10.0, 20.0] == [record.created for record in printed]
    left_out = " (399 more like it since the last)"
    assert ["", left_out, left_out] == [getattr(record, "left_out", None) for record in printed]


def test_other_lines_are_not_held_back() -> None:
    """What another logger says, or this one in other words, comes at once; what is rare has no count."""
    repeats = Repeats()
    records = [said(0.0), said(0.1, name="b"), said(0.2, msg="other"), said(10.0), said(20.0)]

    assert records == [record for record in records if repeats(record)]
    assert {""} == {getattr(record, "left_out", None) for record in records}


def test_what_is_remembered_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more messages than there is room for those printed longest ago are forgotten."""
    monkeypatch.setattr(logs, "MOST_TEMPLATES", 2)
    repeats = Repeats()
    told = [repeats(said(n / 10, name=name)) for n, name in enumerate("abcabc")]

    assert [True] * 6 == told


def test_workers_leave_out_what_they_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    """The same words about other partitions are one line."""
    with logging_to_stderr():
        for partition in range(50):
            logging.getLogger("streams.x").warning("partition %d refuses", partition)

    assert ["WARNING streams.x: partition 0 refuses"] == [
        line.partition("Z ")[2] for line in capsys.readouterr().err.splitlines()
    ]


def test_handlers_are_given_back() -> None:
    """After the block the program logs as before."""
    before = list(logging.getLogger().handlers)
    with quiet(), logging_to_stderr():
        assert before != logging.getLogger().handlers

    assert before == logging.getLogger().handlers
