"""Both brokers under one name, so that one test runs on the embedded broker and on a real Kafka."""

import uuid
from collections.abc import Iterator

import pytest

from streams.transport.embedded import EmbeddedBroker


@pytest.fixture(scope="session")
def embedded_bootstrap() -> Iterator[str]:
    """Address of an embedded broker of this test run."""
    with EmbeddedBroker() as broker:
        yield broker.bootstrap


@pytest.fixture(
    params=[
        pytest.param("embedded_bootstrap", marks=pytest.mark.embedded),
        pytest.param("kafka_bootstrap", marks=pytest.mark.kafka),
    ]
)
def bootstrap(request: pytest.FixtureRequest) -> str:
    """Address of a broker, one after the other of both kinds."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def prefix() -> str:
    """A beginning for names of topics and stages that no other test uses."""
    return f"test-{uuid.uuid4().hex[:8]}"
