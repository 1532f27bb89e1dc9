"""Warnings of `tocsin check`: what is allowed, and perhaps not meant."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

KEYED = """\
scrub: {secret: "${env:NOT_SET}"}
sources:
  - topic: t
    keyed: true
    relabel:
      - {source_labels: [a], target_label: b}
      - {source_labels: [app], target_label: service}
"""


def test_hashes_without_a_secret_are_warned_of(cli: Cli, folder: Path) -> None:
    """The warning goes to standard error, names the file, and the answer stays yes."""
    (folder / "tocsin.yaml").write_text("rules: []\n")
    found = cli("check")

    assert (0, "0 rules, all sound\n") == (found.exit_code, found.stdout)
    assert found.stderr.startswith("tocsin.yaml:1: warning: scrub.secret is not set")


@pytest.mark.parametrize("text", ["scrub: {secret: x}", "scrub: {enabled: false}", ""])
def test_who_has_a_secret_or_no_hashes_is_not_warned(cli: Cli, folder: Path, text: str) -> None:
    """A secret, no scrubbing, or no configuration at all: nothing to say."""
    (folder / "tocsin.yaml").write_text(text)

    assert "" == cli("check").stderr


def test_a_rule_that_writes_what_producers_key_by_is_warned_of(cli: Cli, folder: Path) -> None:
    """With `keyed: true` series stay where their producer put them, whatever rules call them."""
    (folder / "tocsin.yaml").write_text(KEYED)
    told = json.loads(cli("check", "--output", "json").stdout)

    assert [] == told["problems"]
    assert ["tocsin.yaml:7: warning: producers key by 'service'"] == [
        warning.partition(",")[0] for warning in told["warnings"]
    ]
