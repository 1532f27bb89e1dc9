import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

RULES = """\
groups:
  - name: g
    interval: 1m
    rules:
      - alert: High
        expr: machine_temperature > 80
        for: 5m
        labels: {severity: critical}
"""


@pytest.fixture
def nab(folder: Path) -> Path:
    """Five hours of a machine's temperature in the form of the NAB files, 40 minutes of them far too hot."""
    rows = (
        f"2014-04-01 {n // 60:02d}:{n % 60:02d}:00,{95.5 if 200 <= n < 240 else 60.5}"
        for n in range(300)
    )
    (folder / "r.yml").write_text(RULES)
    path = folder / "machine_temperature.csv"
    path.write_text("\n".join(["timestamp,value", *rows, ""]))
    return path


def json_lines(folder: Path) -> Path:
    """The same as native JSON lines."""
    path = folder / "s.jsonl"
    with path.open("w") as file:
        for n in range(300):
            value = 95.5 if 200 <= n < 240 else 60.5
            sample = {"ts": 1_396_310_400 + 60 * n, "metric": "machine_temperature", "value": value}
            file.write(json.dumps(sample) + "\n")
    return path


def recording(folder: Path) -> Path:
    """The same as it stands on four partitions of a topic."""
    path = folder / "recorded.jsonl"
    lines = json_lines(folder).read_text().splitlines()
    with path.open("w") as file:
        for n, line in enumerate(lines):
            place = {"topic": "telemetry", "partition": n % 4, "offset": n // 4}
            time = (1_396_310_400 + 60 * n) * 1_000
            file.write(json.dumps(place | {"timestamp": time, "value": line}) + "\n")
    return path


def test_a_table_becomes_incidents(cli: Cli, nab: Path) -> None:
    """A CSV with times and values, held against a rule file, prints what would have been announced."""
    result = cli("backtest", nab.name, "--rules", "r.yml")

    assert (0, "") == (result.exit_code, result.stderr)
    first, head, row = result.stdout.splitlines()
    assert "300 records, 0 refused, 1 alert fired, 1 incident" == first
    assert "incident" == head.split()[0]
    # hot from 03:20, and for five minutes more
    assert ["2014-04-01T03:25:00.000Z", "resolved", "critical"] == row.split()[1:4]


def test_every_kind_of_file_gives_the_same_incident(cli: Cli, nab: Path, folder: Path) -> None:
    """CSV, JSON lines and a recorded topic of the same samples give the same incident, id and all."""
    files = (nab, json_lines(folder), recording(folder))
    outcomes = [cli("backtest", f.name, "--rules", "r.yml", "--output", "json") for f in files]

    found = [json.loads(outcome.stdout) for outcome in outcomes]

    assert [1, 1, 1] == [len(incidents) for incidents in found]
    assert 1 == len({incidents[0]["id"] for incidents in found})
    assert {"resolved"} == {incidents[0]["state"] for incidents in found}


def test_the_rules_of_the_configuration_are_taken(cli: Cli, nab: Path, folder: Path) -> None:
    """Without `--rules` those count that the configuration names."""
    (folder / "tocsin.yaml").write_text("rules: [r.yml]\n")

    assert "1 incident\n" in cli("backtest", nab.name).stdout


def test_columns_can_be_named(cli: Cli, folder: Path) -> None:
    """A table whose columns have names that nobody guesses is read with `--time` and `--value`."""
    (folder / "r.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: hot > 1}]}]")
    (folder / "hot.csv").write_text("wann;wert;hot\n2024-01-01;1;2\n2024-01-01 00:01:00;1;2\n")

    refused = cli("backtest", "hot.csv", "--rules", "r.yml")
    taken = cli("backtest", "hot.csv", "--rules", "r.yml", "--time", "wann", "--value", "hot")

    assert (2, True) == (refused.exit_code, "use --time" in refused.stderr)
    assert "2 records, 0 refused, 1 alert fired, 1 incident\n" in taken.stdout


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "tocsin: f.csv: there is nothing in it"),
        (b"timestamp,value\n", "tocsin: f.csv: there is nothing in it"),
        (b"\xff\xfe\n", "tocsin: f.csv:1: "),
        (b"a,b\n1,2\n", "tocsin: f.csv:2: "),
        (b"timestamp,value\n2024-01-01,1\n2024-01-02\n", "tocsin: f.csv:3: "),
        (b'{"ts":1,"metric":"up","value":1}\n{"ts":\n', "tocsin: f.csv:2: "),
        (
            b'{"topic":"t","partition":0,"offset":0,"timestamp":1,"value":"x"}\nnonsense\n',
            "tocsin: f.csv:2: ",
        ),
    ],
    ids=["empty", "head only", "not UTF-8", "no time", "short row", "not JSON", "broken recording"],
)
def test_what_cannot_be_read_is_one_line(cli: Cli, folder: Path, content: bytes, line: str) -> None:
    """A bad history is refused with file and line, and exit code 2."""
    (folder / "r.yml").write_text(RULES)
    (folder / "f.csv").write_bytes(content)

    result = cli("backtest", "f.csv", "--rules", "r.yml")

    assert (2, "") == (result.exit_code, result.stdout)
    (said,) = result.stderr.splitlines()
    assert said.startswith(line)


def test_faults_of_rules_are_told_with_their_lines(cli: Cli, nab: Path, folder: Path) -> None:
    """A rule file with faults is refused, each of them a line; so is having no rules."""
    (folder / "bad.yml").write_text(RULES.replace("for: 5m", "for: 5") + "        fro: 1\n")

    bad = cli("backtest", nab.name, "--rules", "bad.yml")
    none = cli("backtest", nab.name)

    assert (2, 2) == (bad.exit_code, none.exit_code)
    assert ["tocsin: bad.yml:7:", "tocsin: bad.yml:9:"] == [
        " ".join(line.split()[:2]) for line in bad.stderr.splitlines()
    ]
    assert "tocsin: no rules: name a file with --rules, or in the configuration\n" == none.stderr
