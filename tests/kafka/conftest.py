"""A real Kafka of one's own: these tests use Tocsin's own topics and groups, which have fixed names."""

from collections.abc import Iterator

import pytest

from deploy.kafka.broker import passing_node


@pytest.fixture
def own_kafka(kafka_bootstrap: str, pytestconfig: pytest.Config) -> Iterator[str]:
    """Address of an empty Kafka; asking for the shared one first skips or fails where there is none."""
    with passing_node(pytestconfig.rootpath / ".kafka" / "libs") as address:
        yield address
