"""What docs/telemetry.md says of labels and personal data is what the code does."""

import re

import pytest

from schemas.config import find_problems
from schemas.mapping import OTEL_LABELS
from schemas.sensitive import Kind
from tests.docs.conftest import ROOT, Block, blocks

PAGE = (ROOT / "docs/telemetry.md").read_text()
LABELS = PAGE.partition("\n## Labels\n")[2].partition("\n## Times\n")[0]
YAML = [b for b in blocks("yaml") if b.document.name == "telemetry.md" and b.text in LABELS]


@pytest.mark.parametrize("block", YAML, ids=lambda b: b.id)
def test_the_examples_are_sound(block: Block) -> None:
    """Every configuration that the sections show is read without a fault."""
    assert [] == find_problems(block.text, "tocsin.yaml")


def test_the_names_that_are_mapped_are_in_the_table() -> None:
    """Each name with dots that the page says is mapped has an entry."""
    said = re.findall(r"`((?:service|host|k8s|cloud|deployment)\.[a-z.]+)`", LABELS)

    assert len(said) > 8
    assert [] == [name for name in said if name not in OTEL_LABELS]


def test_every_kind_is_told() -> None:
    """The table of personal data has a row for each kind."""
    assert [] == [kind for kind in Kind if f"| `{kind.value}` |" not in LABELS]
