import json
from pathlib import Path

import pytest

from sinks.record import History
from tests.cli.conftest import Cli
from tests.sinks.sample import make_incident


@pytest.fixture
def history(folder: Path) -> Path:
    """Two incidents in the history of the default configuration."""
    with History(folder / "tocsin.db") as history:
        history.record([make_incident("a"), make_incident("b")])
    return folder / "tocsin.db"


def test_incidents_are_listed(cli: Cli, history: Path) -> None:
    """One row for each under a head; `--limit` and filters narrow it down."""
    head, *rows = cli("incident", "list").stdout.splitlines()

    assert "incident" == head.split()[0]
    assert {make_incident("a").id, make_incident("b").id} == {row.split()[0] for row in rows}
    assert 2 == len(cli("incident", "list", "--limit", "1").stdout.splitlines())
    assert "no incidents\n" == cli("incident", "list", "--tenant", "nobody").stdout


def test_scripts_read_json(cli: Cli, history: Path) -> None:
    """Both verbs print one JSON document, an empty list where there is nothing."""
    listed = json.loads(cli("incident", "list", "--output", "json").stdout)
    shown = json.loads(cli("incident", "show", listed[0]["id"], "--output", "json").stdout)
    none = cli("incident", "list", "--tenant", "nobody", "--output", "json").stdout

    assert 2 == len(listed)
    assert listed[0] == shown["incident"]
    assert {"incident", "revisions", "notifications", "remediations", "notices"} == shown.keys()
    assert [] == json.loads(none)


def test_the_beginning_of_an_id_is_enough(cli: Cli, history: Path) -> None:
    """An incident is shown with what it is made of."""
    incident = make_incident("a")

    result = cli("incident", "show", incident.id[:6])

    assert 0 == result.exit_code
    assert incident.title in result.stdout
    assert "orders" in result.stdout


def test_no_such_incident_is_a_no(cli: Cli, history: Path) -> None:
    """Exit code 1, and a line that says what to do."""
    result = cli("incident", "show", "zz")

    assert (1, "") == (result.exit_code, result.stdout)
    assert "tocsin: no incident 'zz'; `tocsin incident list` lists them\n" == result.stderr


@pytest.mark.parametrize("verb", [("list",), ("show", "a")])
def test_without_history_it_says_where_it_looked(cli: Cli, verb: tuple[str, ...]) -> None:
    """Nothing recorded yet is one line with the path, exit code 2, and makes no file."""
    result = cli("incident", *verb, "--database", "h.db")

    line = "tocsin: there is no history at h.db: nothing has been recorded yet\n"
    assert (2, line) == (result.exit_code, result.stderr)
    assert not Path("h.db").exists()


def test_another_file_is_no_history(cli: Cli, folder: Path) -> None:
    """What is no SQLite file is refused in one line."""
    (folder / "h.db").write_text("hello " * 1_000)

    result = cli("incident", "list", "--database", "h.db")

    assert 2 == result.exit_code
    (line,) = result.stderr.splitlines()
    assert line.endswith("it is no SQLite file")
