"""What every room's tests may ask for: a real Kafka, and one loud line where there is none.

The tests run in two processes. What starts brokers, workers or browsers, and waits for them, is in one of them, in
turn; all else, file by file, goes to whichever process is free.

Refuses to skip the real Kafka in CI: with CI=true in the environment its absence is a failure.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from deploy.kafka.broker import passing_node
from deploy.kafka.jars import UnavailableError

TESTS = Path(__file__).parent
STARTING = {"benchmarks", "chaos", "demo", "docs", "kafka", "produce", "setup", "transport"}
"""Rooms whose tests start other programs and wait for them."""

IN_CI = os.environ.get("CI") == "true"
NO_KAFKA = "no real Kafka"

# Shared machines stall for longer than any deadline; a failure in CI must come again when it is looked into.
settings.register_profile("tocsin", deadline=None, derandomize=IN_CI, print_blob=True)
settings.load_profile("tocsin")


@pytest.fixture(scope="session")
def kafka_bootstrap(pytestconfig: pytest.Config) -> Iterator[str]:
    """Address of a real Apache Kafka of this test run; topics are to be made before use, with names of one's own."""
    with ExitStack() as stack:
        try:
            address = stack.enter_context(passing_node(pytestconfig.rootpath / ".kafka" / "libs"))
        except UnavailableError as error:
            if IN_CI:
                pytest.fail(f"CI needs a real Kafka: {error}", pytrace=False)
            pytest.skip(f"{NO_KAFKA}: {error}")
        yield address


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for the real Kafka, before `-m` selects by marks, and what must not run at the same time."""
    for item in items:
        if "kafka_bootstrap" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)
        alone = item.path.relative_to(TESTS).parts[0] in STARTING or any(
            item.get_closest_marker(mark) for mark in ("kafka", "embedded", "browser")
        )
        item.add_marker(
            pytest.mark.xdist_group("starting" if alone else item.nodeid.partition("::")[0])
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what a machine without Java has not seen."""
    skipped = [
        report.longrepr[2]
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and NO_KAFKA in report.longrepr[2]
    ]
    if skipped:
        reason = skipped[0].partition(f"{NO_KAFKA}: ")[2].partition("\n")[0]
        line = f"!!! {len(skipped)} TESTS ON A REAL KAFKA SKIPPED: {reason} !!!"
        terminalreporter.write_line(line, red=True, bold=True)
