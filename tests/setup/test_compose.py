"""docker-compose.kafka.yml: the same Kafka as `make kafka`, with the topics of `tocsin topics create`."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.kafka.broker import CLUSTER_ID, HEAP
from schemas.topics import all_topics


@pytest.fixture(scope="module")
def services(root: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(root / "docker-compose.kafka.yml")["services"])


def test_topics_are_those_of_the_table(services: dict[str, Any]) -> None:
    """The one-shot service creates every topic of the table, with its partitions and settings."""
    (script,) = services["topics"]["command"]
    lines = re.findall(r"^create (.+)$", script, re.MULTILINE)
    made = {
        name: (int(partitions), dict(setting.split("=") for setting in settings))
        for name, partitions, *settings in map(shlex.split, lines)
    }
    assert {topic.name: (topic.partitions, topic.settings) for topic in all_topics()} == made


def test_kafka_is_of_the_pinned_version(services: dict[str, Any], root: Path) -> None:
    """Container and jars are the same release."""
    pom = (root / "deploy" / "kafka" / "pom.xml").read_text()
    version = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>([\d.]+)<", pom)
    assert version is not None
    assert {f"apache/kafka:{version.group(1)}"} == {s["image"] for s in services.values()}


def test_settings_are_those_of_the_template(services: dict[str, Any], root: Path) -> None:
    """What server.properties sets for one node, the container sets too, but for addresses."""
    template = (root / "deploy" / "kafka" / "server.properties").read_text()
    wanted = dict(re.findall(r"^([a-z.]+)=(.*)$", template, re.MULTILINE))
    environment = services["kafka"]["environment"]
    shared = {
        "process.roles",
        "node.id",
        "controller.listener.names",
        "auto.create.topics.enable",
        "num.partitions",
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
        "group.initial.rebalance.delay.ms",
    }
    assert shared <= wanted.keys()
    for name in sorted(shared):
        assert wanted[name] == str(environment[f"KAFKA_{name.upper().replace('.', '_')}"]), name
    assert environment["CLUSTER_ID"] == CLUSTER_ID
    assert environment["KAFKA_HEAP_OPTS"] == HEAP


def test_port_is_reached_from_this_machine_only(services: dict[str, Any]) -> None:
    """An open development broker is published on the loopback address, at the port that it names."""
    assert ["127.0.0.1:${KAFKA_PORT:-9092}:${KAFKA_PORT:-9092}"] == services["kafka"]["ports"]
    advertised = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert "OUTSIDE://127.0.0.1:${KAFKA_PORT:-9092}" in advertised
