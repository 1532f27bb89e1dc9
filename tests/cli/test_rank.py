"""`tocsin rank`: causes for people and for scripts."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.rank.shop import BEGUN, LATENCY, NODES, shop

AT = BEGUN * 60
START = 1_767_225_600


@pytest.fixture(autouse=True)
def _files(folder: Path) -> None:
    table = shop(*((node, LATENCY, BEGUN, 1.0) for node in NODES))
    heads = ["time", *("|".join(column) for column in table.columns)]
    rows = [
        [START + 60 * row, *values] for row, values in enumerate(table.values.round(5).tolist())
    ]
    lines = [",".join(map(str, row)) for row in [heads, *rows]]
    (folder / "shop.csv").write_text("\n".join(lines))
    (folder / "calls.json").write_text(
        '{"frontend": ["checkout", "cart"], "checkout": ["db"], "cart": ["db"]}'
    )
    (folder / "tocsin.yaml").write_text(
        "topology: {calls: {frontend: [checkout, cart], checkout: [db], cart: [db]}}"
    )


@pytest.mark.parametrize("graph", ["calls.json", "tocsin.yaml"])
def test_the_cause_comes_first(cli: Cli, graph: str) -> None:
    """With the graph of a file, or that of the configuration, the database is named first."""
    result = cli("rank", "shop.csv", "--at", START + AT, "--graph", graph, "--top", 1)

    assert 0 == result.exit_code
    assert "likely causes at 2026-01-01T03:00:00.000Z" in result.stdout
    assert result.stdout.splitlines()[2].startswith("db ")


def test_json_holds_shares_and_reasons(cli: Cli) -> None:
    """One document: until when it looked, causes in order, each with its evidence."""
    found = json.loads(
        cli(
            "rank",
            "shop.csv",
            "--at",
            START + AT,
            "--symptom",
            "frontend|latency",
            "--output",
            "json",
        ).stdout
    )

    assert 1000 * (START + AT + 180) == found["until"]
    assert {"deviation", "onset", "correlation"} == {
        e["kind"] for c in found["causes"] for e in c["evidence"]
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--at", "noon"), "no time"),
        (("--at", "1767225600", "--symptom", "mars"), "no column of mars"),
        (("--at", "1767225600", "--time", "when"), "no column when"),
    ],
)
def test_what_is_wrong_is_said(cli: Cli, words: tuple[str, ...], said: str) -> None:
    """A time, a symptom or a column that is none ends with exit code 2 and one line."""
    result = cli("rank", "shop.csv", *words)

    assert 2 == result.exit_code
    assert said in result.stderr


def test_without_a_deviation_the_answer_is_no(cli: Cli) -> None:
    """Where too little is known of before, it says so and names nobody."""
    result = cli("rank", "shop.csv", "--at", START)

    assert (1, "") == (result.exit_code, result.stdout)
    assert "nothing deviates at 2026-01-01T00:00:00.000Z" in result.stderr


def test_a_graph_of_something_else_is_refused(cli: Cli, folder: Path) -> None:
    """A graph none of whose nodes is in the table is a mistake, not knowledge."""
    (folder / "other.json").write_text('{"mars": ["venus"]}')
    result = cli("rank", "shop.csv", "--at", START + AT, "--graph", "other.json")

    assert 2 == result.exit_code
    assert "none of its nodes has a column" in result.stderr
