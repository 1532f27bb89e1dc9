"""`tocsin rules`: lint, graph and schema, and places with a caret."""

import json
from pathlib import Path

from streams.cli.caret import excerpt
from tests.cli.conftest import Cli

RULES = """groups:
  - name: g
    rules:
      - alert: A
        expr: up > 1
        for: 5m
        labels: {severity: info}
        annotations: {summary: s}
"""


def test_lint_shows_place_reason_and_remedy(cli: Cli, folder: Path) -> None:
    """The line with a caret, why, and what to do; 1 when something is bad enough."""
    (folder / "rules.yml").write_text(RULES)

    result = cli("rules", "lint", "rules.yml")

    assert 1 == result.exit_code
    lines = result.stdout.splitlines()
    at = lines.index("rules.yml:5:18: error: 'up > 1' is never true [never-true]")
    assert ["            expr: up > 1", "                     ^"] == lines[at + 1 : at + 3]
    assert lines[at + 3].startswith("    why: ")
    assert lines[at + 4].startswith("    fix: ")
    assert "2 findings" == lines[-1]


def test_lint_fails_only_on_what_is_asked(cli: Cli, folder: Path) -> None:
    """By default warnings fail, infos do not."""
    (folder / "rules.yml").write_text(RULES.replace("> 1", "< 1"))

    assert 0 == cli("rules", "lint", "rules.yml").exit_code
    assert 1 == cli("rules", "lint", "rules.yml", "--fail-on", "info").exit_code


def test_lint_speaks_json(cli: Cli, folder: Path) -> None:
    """All that the text says, key by key."""
    (folder / "rules.yml").write_text(RULES)

    found = json.loads(cli("rules", "lint", "rules.yml", "--output", "json").stdout)

    assert ["missing-runbook", "never-true"] == [each["code"] for each in found]
    assert {"file", "line", "column", "code", "rule", "what", "level", "why", "fix"} == set(
        found[1]
    )


def test_faults_of_a_file_are_told(cli: Cli, folder: Path) -> None:
    """On standard error, with the code for a wrong input file."""
    (folder / "rules.yml").write_text(RULES.replace("up > 1", "up >"))
    for verb in ("lint", "graph"):
        result = cli("rules", verb, "rules.yml")

        assert 2 == result.exit_code
        assert "tocsin: rules.yml:5" in result.stderr


def test_the_graph_has_four_forms(cli: Cli, folder: Path) -> None:
    """Text, Graphviz, Mermaid and JSON."""
    (folder / "rules.yml").write_text(RULES)
    said = {
        form: cli("rules", "graph", "rules.yml", "--format", form).stdout
        for form in ("text", "dot", "mermaid", "json")
    }

    assert "g/A (alert, rules.yml:4)\n  <- up\n" == said["text"]
    assert "n1 -> n0;" in said["dot"]
    assert "n1 --> n0" in said["mermaid"]
    assert [[1, 0]] == json.loads(said["json"])["edges"]


def test_the_schema_is_that_of_the_documents(cli: Cli) -> None:
    """One source for both."""
    published = Path(__file__).parents[2] / "docs" / "schemas" / "rules.json"

    assert published.read_text() == cli("rules", "schema").stdout


def test_check_shows_a_caret(cli: Cli, folder: Path) -> None:
    """Under the word of an expression or a template that is wrong."""
    (folder / "rules.yml").write_text(RULES.replace("summary: s", 'summary: "a {{ $valeu }}"'))
    (folder / "tocsin.yaml").write_text("rules: [rules.yml]\n")

    lines = cli("check").stdout.splitlines()

    assert lines[0].startswith("rules.yml:8:38: template of 'summary': undefined variable")
    assert '            annotations: {summary: "a {{ $valeu }}"}' == lines[1]
    assert " " * 41 + "^" == lines[2]


def test_an_excerpt_needs_a_place(folder: Path) -> None:
    """Nothing is shown without a column, or of a file that is not there or shorter."""
    (folder / "short.yml").write_text("a\n")

    assert [] == excerpt("short.yml:1: what")
    assert [] == excerpt("short.yml:9:1: what")
    assert [] == excerpt("none.yml:1:1: what")
    assert ["    a", "    ^"] == excerpt("short.yml:1:1: what")
