"""`tocsin report` and `tocsin incident report`, as people ask."""

import json
from pathlib import Path

import pytest

from schemas.records import rfc3339
from sinks.record import History
from tests.cli.conftest import Cli
from tests.sinks.sample import T0, make_incident

RULES = """\
groups:
  - name: checkout
    interval: 1m
    rules:
      - alert: Slow
        expr: latency > 0.3
"""


@pytest.fixture
def history(folder: Path) -> Path:
    """A rule, an incident of it in the history, and its samples."""
    (folder / "tocsin.yaml").write_text("rules: [r.yml]\n")
    (folder / "r.yml").write_text(RULES)
    lines = (
        f'{{"ts":{T0 + n * 60_000},"metric":"latency","value":{n / 10},'
        '"labels":{"service":"orders","tenant":"shop"}}\n'
        for n in range(-10, 10)
    )
    (folder / "t.jsonl").write_text("".join(lines))
    with History(folder / "tocsin.db") as history:
        history.record([make_incident("a"), make_incident("b")])
    return folder / "tocsin.db"


def test_report_of_an_incident(cli: Cli, folder: Path, history: Path) -> None:
    """Markdown is printed; HTML goes to a file, with the series where files have its samples."""
    identity = make_incident("a").id
    text = cli("incident", "report", identity[:6])
    page = cli("incident", "report", identity, "t.jsonl", "--format", "html", "--out", "r.html")
    written = (folder / "r.html").read_text()

    assert text.stdout.startswith(f"# Incident {identity}: orders-db: Slow\n")
    assert (0, "written to r.html\n") == (page.exit_code, page.stdout)
    assert "<polyline" in written
    assert "Slow: latency" in written
    assert "http://" not in written


def test_report_of_a_while(cli: Cli, history: Path) -> None:
    """A table for people and JSON for scripts; a while without incidents is zeros."""
    words = ("report", "--since", rfc3339(T0 - 1), "--until", rfc3339(T0 + 60_000))
    text, as_json = cli(*words).stdout, json.loads(cli(*words, "--output", "json").stdout)
    empty = json.loads(
        cli(
            "report", "--since", rfc3339(T0 + 1), "--output", "json", "--timezone", "Asia/Tokyo"
        ).stdout
    )

    assert "2023-W46" in text
    assert "checkout/Slow" in text
    assert (2, ["2023-W46"]) == (as_json["whole"]["incidents"], list(as_json["weeks"]))
    assert 0 == empty["whole"]["incidents"]


@pytest.mark.parametrize(
    "words",
    [
        ("report",),
        ("report", "--since", "never"),
        ("report", "--since", "2024-01-01T00:00:00Z", "--timezone", "Mars/Base"),
    ],
)
def test_bad_questions_are_one_line(cli: Cli, history: Path, words: tuple[str, ...]) -> None:
    """Exit code 2."""
    result = cli(*words)

    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines()))


def test_no_such_incident_is_a_no(cli: Cli, history: Path) -> None:
    """Exit code 1."""
    assert 1 == cli("incident", "report", "zz").exit_code
