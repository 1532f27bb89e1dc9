"""Which numbers of partitions the workers start with."""

import pytest

from schemas.config import Config
from schemas.errors import BrokerError
from schemas.topics import ALERTS
from streams.cli import run
from streams.cli.topics import needed_topics
from streams.transport.broker import Broker

CONFIG = Config.model_validate(
    {"sources": [{"topic": "spread"}, {"topic": "keyed", "keyed": True}]}
)
WANTED = {topic.name: topic.partitions for topic in needed_topics(CONFIG)}


async def start_with(monkeypatch: pytest.MonkeyPatch, there: dict[str, int]) -> None:
    """What the workers ask for first, of a broker that has these topics."""

    async def list_topics(_: Broker) -> dict[str, int]:
        return there

    monkeypatch.setattr(run, "list_topics", list_topics)
    await run._need_topics(Broker("nowhere:9"), CONFIG)


async def test_a_source_that_is_spread_may_have_more_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ingest deals what it reads by locality, whatever partition it stood in."""
    await start_with(monkeypatch, WANTED)
    await start_with(monkeypatch, WANTED | {"spread": 7})


@pytest.mark.parametrize(("topic", "partitions"), [("spread", 3), ("keyed", 7), (ALERTS, 5)])
async def test_any_other_number_is_refused(
    monkeypatch: pytest.MonkeyPatch, topic: str, partitions: int
) -> None:
    """Fewer would be waited for, and where partitions stand for localities or tenants their number is fixed."""
    with pytest.raises(BrokerError, match=f"{topic} has {partitions}"):
        await start_with(monkeypatch, WANTED | {topic: partitions})


async def test_a_missing_topic_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that makes it."""
    there = {name: n for name, n in WANTED.items() if name != "keyed"}
    with pytest.raises(BrokerError, match="topics are missing on nowhere:9: keyed; `tocsin topics"):
        await start_with(monkeypatch, there)


def test_a_source_takes_nothing_that_is_dated_far_ahead() -> None:
    """The broker, whose clock counts, refuses what is over `time.max_ahead` ahead of it; our own topics take it."""
    config = Config.model_validate({"time": {"max_ahead": "2m"}})
    source, *own = needed_topics(config)
    assert "120000" == source.settings["message.timestamp.after.max.ms"]
    assert not any("message.timestamp.after.max.ms" in topic.settings for topic in own)
