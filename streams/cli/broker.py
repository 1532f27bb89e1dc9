"""Which broker a verb talks to, what a client's refusal becomes, and the last records of a topic there."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import click

from schemas.config import Config, KafkaConfig
from schemas.errors import BrokerError, ConfigError
from streams.replay.pipeline import Recorded

EMBEDDED = "embedded"
PORT_MAX = 65_535
RECORDS_MAX = 100_000
READ_SECONDS = 120.0

THREE_WAYS = (
    "no broker configured; name one of three: `--broker embedded` (in this process, forgets all at exit), "
    "`make kafka` and then `--broker 127.0.0.1:9092`, or your own (`kafka.bootstrap` in tocsin.yaml)"
)

with_broker = click.option(
    "--broker",
    metavar="HOST:PORT",
    default=None,
    help="Kafka broker, or 'embedded'; goes before kafka.bootstrap.",
)


def choose_broker(config: Config, broker: str | None) -> KafkaConfig:
    """Section `kafka` with the broker that the command line names.

    Raises:
        BrokerError: neither names one.
        ConfigError: what is named is no address.

    """
    bootstrap = broker or config.kafka.bootstrap
    if not bootstrap:
        raise BrokerError(THREE_WAYS)
    if bootstrap != EMBEDDED:
        check_address(bootstrap)
    return config.kafka.model_copy(update={"bootstrap": bootstrap})


def running_broker(config: Config, broker: str | None) -> KafkaConfig:
    """Like `choose_broker`, for verbs that need a broker which runs already.

    Raises:
        BrokerError: none is named, or the embedded one, which lives in another process.
        ConfigError: what is named is no address.

    """
    kafka = choose_broker(config, broker)
    if kafka.bootstrap == EMBEDDED:
        raise BrokerError(
            "the embedded broker lives inside `tocsin demo` or `tocsin run`; "
            "name the HOST:PORT that `tocsin run --broker embedded` prints"
        )
    return kafka


def check_address(bootstrap: str) -> None:
    """Refuse what is not `HOST:PORT`, or several with commas between.

    Raises:
        ConfigError: names the part that is wrong.

    """
    for part in bootstrap.split(","):
        host, colon, port = part.strip().rpartition(":")
        sound = bool(host) and port.isdecimal() and 0 < int(port) <= PORT_MAX
        if not colon or not sound or "/" in host:
            raise ConfigError([f"broker {part.strip()!r} is no address; write HOST:PORT"])


@contextmanager
def asking(bootstrap: str | None) -> Iterator[None]:
    """Turn what Kafka's client raises in the block into an error that names the broker."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415  `check` and `incident` need no client

    try:
        yield
    except KafkaError as error:
        raise BrokerError(f"{bootstrap}: {type(error).__name__}: {error}") from error


def read_last(kafka: KafkaConfig, topic: str, after_ms: int = 0) -> list[Recorded]:
    """The last `RECORDS_MAX` records of a topic at most, without those from before a time.

    Raises:
        BrokerError: no broker answers, or there is no such topic.

    """
    return asyncio.run(_read_last(kafka, topic, after_ms))


async def _read_last(kafka: KafkaConfig, topic: str, after_ms: int) -> list[Recorded]:
    # here, so that `tocsin --help` needs no Kafka client
    from streams.transport.broker import Broker  # noqa: PLC0415  only where a topic is read
    from streams.transport.tail import read_topic  # noqa: PLC0415  only where a topic is read

    reading = read_topic(
        Broker.from_config(kafka),
        topic,
        limit=RECORDS_MAX,
        from_beginning=False,
        seconds=READ_SECONDS,
    )
    return [each async for part in reading for each in part if each.timestamp_ms >= after_ms]
