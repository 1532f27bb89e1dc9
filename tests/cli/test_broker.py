import socket
import time
from pathlib import Path

import pytest
from aiokafka.errors import KafkaTimeoutError

from schemas.config import Config
from schemas.errors import BrokerError, ConfigError
from streams.cli.broker import asking, check_address, choose_broker
from tests.cli.conftest import Cli

NEED_A_BROKER = [
    ("run",),
    ("topics", "list"),
    ("topics", "create"),
    ("produce", "host"),
    ("produce", "simulate"),
    ("produce", "replay", "tocsin.yaml"),
]


@pytest.mark.parametrize("words", NEED_A_BROKER, ids=" ".join)
def test_without_a_broker_the_three_ways_are_told(cli: Cli, words: tuple[str, ...]) -> None:
    """One line names the embedded broker, `make kafka` and one's own; exit code 3."""
    Path("tocsin.yaml").touch()

    result = cli(*words)

    assert (3, "") == (result.exit_code, result.stdout)
    (line,) = result.stderr.splitlines()
    for way in ("--broker embedded", "make kafka", "kafka.bootstrap"):
        assert way in line


@pytest.mark.parametrize("words", NEED_A_BROKER[:5], ids=" ".join)
def test_a_broker_that_is_not_there_is_one_line(cli: Cli, words: tuple[str, ...]) -> None:
    """The line names the address and why nothing answers; exit code 3."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"

        result = cli(*words, "--broker", address)

    assert (3, "") == (result.exit_code, result.stdout)
    *notes, line = result.stderr.splitlines()
    assert line.startswith(f"tocsin: no broker answers at {address}: ")
    assert "Connect call failed" in line
    assert [] == [note for note in notes if "rules" not in note]


@pytest.mark.slow
def test_a_port_that_says_nothing_is_given_up(cli: Cli) -> None:
    """Something that takes connections and never answers does not hold up anybody for long."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()

        result = cli("topics", "list", "--broker", f"127.0.0.1:{silent.getsockname()[1]}")

    assert 3 == result.exit_code
    assert 120 > time.monotonic() - began


@pytest.mark.parametrize("text", ["a:1", "a:1,b:2", "a:1, b:2", "[::1]:9092", "127.0.0.1:65535"])
def test_addresses_are_taken(text: str) -> None:
    """One or several, with names, numbers and IPv6."""
    check_address(text)


@pytest.mark.parametrize(
    "text", ["a", ":1", "a:", "a:b", "a:0", "a:65536", "a:1,", "http://a:1", ","]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """It would otherwise fail deep in the client, or ask somebody else's port."""
    with pytest.raises(ConfigError, match="write HOST:PORT"):
        check_address(text)


def test_the_command_line_goes_before_the_configuration() -> None:
    """`--broker` wins over kafka.bootstrap, and keeps the rest of the section."""
    config = Config.model_validate({"kafka": {"bootstrap": "a:1", "partitions": 9}})

    assert "a:1" == choose_broker(config, None).bootstrap
    assert ("b:2", 9) == (
        choose_broker(config, "b:2").bootstrap,
        choose_broker(config, "b:2").partitions,
    )


@pytest.mark.parametrize("words", [("topics", "list"), ("produce", "host")], ids=" ".join)
def test_the_embedded_broker_lives_elsewhere(cli: Cli, words: tuple[str, ...]) -> None:
    """Verbs that need a running broker say where the embedded one is to be found."""
    result = cli(*words, "--broker", "embedded")

    assert 3 == result.exit_code
    assert "tocsin run --broker embedded" in result.stderr


def test_a_client_s_error_names_the_broker() -> None:
    """What Kafka's client raises is an error of ours with the address."""
    with pytest.raises(BrokerError, match="a:1: KafkaTimeoutError"), asking("a:1"):
        raise KafkaTimeoutError
