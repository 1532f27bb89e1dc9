"""Three brokers of this test run's own, with a line to each."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.kafka.jars import UnavailableError
from tests.chaos.faults import Kind
from tests.chaos.scene import Cluster, scene
from tests.conftest import IN_CI, NO_KAFKA

Scene = tuple[Cluster, Collection[Kind], list[str]]


@pytest.fixture
async def three_brokers(kafka_libs: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    """The cluster, and what faults this machine cannot have and why; skips or fails where there is no Kafka."""
    async with AsyncExitStack() as stack:
        try:
            found = await stack.enter_async_context(scene(kafka_libs, tmp_path))
        except UnavailableError as error:
            if IN_CI:
                pytest.fail(f"CI needs a real Kafka: {error}", pytrace=False)
            pytest.skip(f"{NO_KAFKA}: {error}")
        yield found


@pytest.fixture
def kafka_libs(pytestconfig: pytest.Config) -> Path:
    """The jars that all test runs share."""
    return pytestconfig.rootpath / ".kafka" / "libs"
