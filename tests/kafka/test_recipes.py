"""The recipes of docs/recipes, with the real programs where they can be had, on a real Kafka."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.telegraf.build import FOLDER, TELEGRAF
from schemas import topics
from schemas.config import Config
from schemas.labels import METRIC, decode_labels
from schemas.samples import decode_batch
from schemas.topics import Topic
from schemas.wire.registry import find_format
from streams.app import Setting, Workers
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic, until
from tests.schemas.wire.decoding import decode

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"
BROKER = "kafka-1.example.com:9092"
OMKAFKA = list(Path("/usr/lib").glob("*/rsyslog/omkafka.so"))


def blocks(recipe: str, language: str) -> list[str]:
    """Code of this language in a recipe."""
    text = (RECIPES / f"{recipe}.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def ours(recipe: str, bootstrap: str) -> Config:
    """Our configuration in a recipe, with another address and without its rules."""
    found = next(text for text in blocks(recipe, "yaml") if "bootstrap:" in text)
    tree: Any = YAML(typ="safe").load(found.replace(BROKER, bootstrap))
    return Config.model_validate({**tree, "rules": []}, context={"file": True})


@contextmanager
def running(command: list[str | Path]) -> Iterator[None]:
    """A program that runs meanwhile."""
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        program.terminate()
        program.wait(timeout=20)


async def series_of(config: Config, bootstrap: str, program: list[str | Path]) -> set[str]:
    """Names of the metrics that come of what a program sends; nothing of it may be refused."""
    broker = Broker(bootstrap)
    source = Topic(config.sources[0].topic, "", "", 1, {})
    await create_topics(broker, [source, *topics.all_topics()])
    async with Workers(Setting(config, [], broker, WallClock(), ("ingest",))) as workers:
        stats = workers.host.runners["ingest"].stats
        with running(program):
            await until(lambda: stats.records >= 3)
    assert [] == await read_topic(bootstrap, topics.DEAD_LETTERS)
    batches = [decode_batch(record.value) for record in await read_topic(bootstrap, topics.SAMPLES)]
    return {
        dict(decode_labels(label_bytes))[METRIC]
        for batch in batches
        for label_bytes in batch.label_bytes
    }


@pytest.mark.slow
async def test_telegraf(own_kafka: str, tmp_path: Path) -> None:
    """What a real Telegraf sends by the recipe's configuration becomes the series that the recipe names."""
    program = TELEGRAF.find(FOLDER)
    if program is None:
        pytest.skip("no Telegraf: python -m deploy.telegraf builds it")
    (text,) = blocks("telegraf", "toml")
    text = text.replace(BROKER, own_kafka).replace('"10s"', '"1s"')
    config = ours("telegraf", own_kafka)
    path = tmp_path / "telegraf.conf"
    path.write_text(text)

    names = await series_of(config, own_kafka, [program, "--config", path])
    assert "mem_available_percent" in names


@pytest.mark.slow
async def test_rsyslog(own_kafka: str, tmp_path: Path) -> None:
    """What a real rsyslog sends by the recipe's configuration is a sample a message."""
    program = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
    if program is None or not OMKAFKA:
        pytest.skip("no rsyslog with omkafka (Debian: rsyslog, rsyslog-kafka)")
    (text,) = blocks("rsyslog", "text")
    socket = tmp_path / "log"
    text = text.replace(BROKER, own_kafka).replace(
        'module(load="imuxsock")',
        f'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="{socket}" CreatePath="on")',
    )
    path = tmp_path / "rsyslog.conf"
    path.write_text(text)
    say = f"for n in 1 2 3; do sleep 1; logger --socket {socket} --tag cart -p daemon.err failed $n; done"
    daemon = f"{program} -n -f {path} -i {tmp_path}/pid & daemon=$!; trap 'kill $daemon' EXIT"
    script = f"{daemon}; {say}; sleep 60 & wait $!"

    names = await series_of(ours("rsyslog", own_kafka), own_kafka, ["bash", "-c", script])
    assert {"syslog_message"} == names


def test_fluent_bit_could_not_be_had_so_its_record_is_read_from_the_recipe() -> None:
    """The record that the recipe shows is read as the format that the recipe declares."""
    (record,) = blocks("fluent-bit", "json")
    (config,) = (text for text in blocks("fluent-bit", "yaml") if "format: telegraf" in text)
    found = decode("telegraf", record.encode())

    assert "fluent-bit" in config
    assert ["cpu_cpu_p", "cpu_user_p"] == [s.series.partition("{")[0] for s in found.samples]
    assert [1_767_225_600_500] * 2 == [sample.time for sample in found.samples]


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.md")), ids=lambda path: path.stem)
def test_recipes_name_formats_that_there_are(path: Path) -> None:
    """Every `format:` in a recipe is one of ours."""
    named = set(re.findall(r"\bformat: (\w+)", path.read_text()))

    assert named
    assert all(find_format(name) for name in named)
