"""`tocsin eval`: values of expressions over files, for people and for scripts."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

CSV = "timestamp,host,value\n2024-01-01 00:00:00,a,1\n2024-01-01 00:01:00,a,3\n2024-01-01 00:01:00,b,5\n"
LINES = (
    '{"ts": 1704067260, "metric": "m", "value": 2.5, "labels": {"tenant": "red"}}\n'
    '{"ts": 1704067230, "metric": "m", "value": 1.5, "labels": {"a": "b"}}\n'
)
METRICS = "# TYPE c counter\nc_total 60 1704067200\nc_total 120 1704067260\n# EOF\n"
PLAIN = 'up 1\nup{x="2"} NaN\n'


@pytest.fixture(autouse=True)
def _files(folder: Path) -> None:
    recorded = {
        "topic": "telemetry",
        "partition": 0,
        "offset": 0,
        "timestamp": 0,
        "value": LINES.splitlines()[0],
    }
    for name, text in (
        ("cpu.csv", CSV),
        ("lines.jsonl", LINES),
        ("metrics.txt", METRICS),
        ("plain.prom", PLAIN),
        ("recorded.jsonl", json.dumps(recorded) + "\n"),
    ):
        (folder / name).write_text(text)


def test_without_a_time_it_is_that_of_the_newest_sample(cli: Cli) -> None:
    """A table of series and values, the tenant left out where there is one only."""
    expected = """\
2 results at 2024-01-01T00:01:00.000Z
series         value
cpu{host="a"}  3
cpu{host="b"}  5
"""
    assert expected == cli("eval", "cpu", "cpu.csv").stdout


@pytest.mark.parametrize(
    ("expression", "files", "at", "values"),
    [
        ("sum(cpu)", ["cpu.csv"], "2024-01-01T00:00:30Z", ["1"]),
        ("sum_over_time(cpu{host='a'}[2m])", ["cpu.csv"], "1704067260", ["4"]),
        ("cpu{host='a'} @ 1704067200", ["cpu.csv"], "1704067260", ["1"]),
        ("cpu{host='a'} offset -1m", ["cpu.csv"], "1704067200", ["3"]),
        ("m", ["lines.jsonl"], "1704067260000", ["1.5", "2.5"]),
        ("c_total", ["metrics.txt"], "1704067200", ["60"]),
        ("up", ["plain.prom"], "1704067260", ["1", "NaN"]),
        ("m", ["recorded.jsonl"], "1704067260", ["2.5"]),
        ("c_total + scalar(sum(cpu))", ["metrics.txt", "cpu.csv"], "1704067260", ["128"]),
        ("1 / 0", ["cpu.csv"], "1704067260", ["+Inf"]),
        ("nothing", ["cpu.csv"], "1704067260", []),
    ],
)
def test_values_for_scripts(
    cli: Cli, expression: str, files: list[str], at: str, values: list[str]
) -> None:
    """Every kind of file, at every kind of time; values are texts."""
    result = cli("eval", expression, *files, "--at", at, "--output", "json")
    assert 0 == result.exit_code, result.stderr
    assert values == [each["value"] for each in json.loads(result.stdout)["result"]]


def test_tenants_are_told_apart(cli: Cli) -> None:
    """By a field of their own, and the table shows them where there are several."""
    result = cli("eval", "m", "lines.jsonl", "--output", "json")
    found = [(each["tenant"], each["labels"]) for each in json.loads(result.stdout)["result"]]
    assert [
        ("default", {"__name__": "m", "a": "b"}),
        ("red", {"__name__": "m", "tenant": "red"}),
    ] == found
    assert '__tenant__="red"' in cli("eval", "m", "lines.jsonl").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["1 +", "cpu.csv"], "1:4: unexpected end, an expression is wanted"),
        (["up", "plain.prom"], "plain.prom: up has no time; say one with --at"),
        (["up", "cpu.csv", "--at", "noon"], "no time"),
        (["up", "broken.txt"], "broken.txt:2: no OpenMetrics text"),
        (["up", "empty.csv"], "there are no samples in these files"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    cli: Cli, folder: Path, words: list[str], said: str
) -> None:
    """On standard error, with exit code 2."""
    (folder / "broken.txt").write_text("# TYPE a counter\na{ 1\n# EOF\n")
    (folder / "empty.csv").write_text("")
    result = cli("eval", *words)
    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines()))
    assert said in result.stderr


def test_samples_that_no_decoder_takes_are_counted(cli: Cli, folder: Path) -> None:
    """The others count."""
    (folder / "bad.jsonl").write_text(LINES + '{"ts": 1704067260, "metric": "", "value": 1}\n')
    result = cli("eval", "count(m)", "bad.jsonl", "--output", "json")
    assert (0, "1 sample refused\n") == (result.exit_code, result.stderr)
