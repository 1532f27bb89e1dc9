import logging
import re

import pytest

from streams.observe.logs import logging_to_stderr, quiet


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


def test_handlers_are_given_back() -> None:
    """After the block the program logs as before."""
    before = list(logging.getLogger().handlers)
    with quiet(), logging_to_stderr():
        assert before != logging.getLogger().handlers

    assert before == logging.getLogger().handlers
