"""What docs/telemetry.md shows of the formats does what the page says."""

import subprocess
import sys

import pytest

from schemas.config.limits import LimitsConfig
from schemas.reasons import ProduceReason
from schemas.wire.interner import Identity, Interner
from schemas.wire.registry import OURS, make_decoder
from streams.transport.embedded import EmbeddedBroker
from tests.docs.conftest import ROOT, blocks

PAGE = (ROOT / "docs/telemetry.md").read_text()


def shown(part: str) -> str:
    """The Python block of the page that has this in it."""
    (text,) = (
        b.text for b in blocks("python") if b.document.name == "telemetry.md" and part in b.text
    )
    return text


def test_the_arrow_example_is_read() -> None:
    """The record that the page makes is decoded, every sample of it."""
    names: dict[str, bytes] = {}
    exec(shown("pyarrow"), names)
    interner = Interner(Identity(), LimitsConfig())
    columns = make_decoder("arrow", LimitsConfig()).decode([names["value"]], interner)

    assert ([], [0.31, 0.87]) == (columns.refused, columns.values.tolist())
    assert 2 == len(interner)


@pytest.mark.embedded
def test_the_producer_example_sends_all() -> None:
    """The producer of the page runs, and the brokers confirm what it records."""
    with EmbeddedBroker() as broker:
        broker.create_topics(["telemetry"])
        ours = shown("ProducerCollector").replace("127.0.0.1:9092", broker.bootstrap)
        ran = subprocess.run(
            [sys.executable, "-c", ours + "print(producer.stats().sent)"],
            check=True,
            timeout=60,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )

    assert "2\n" == ran.stdout


def test_every_format_and_every_reason_to_drop_is_named() -> None:
    """The page has a row for each format of ours and for each reason of the producer."""
    assert [] == [name for name in OURS if f"| `{name}` |" not in PAGE]
    assert [] == [why for why in ProduceReason if f'{{reason="{why.value}"}}' not in PAGE]
