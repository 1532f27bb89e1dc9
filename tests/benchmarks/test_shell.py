import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import benchmarks.__main__ as shell
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting

NAMES = [
    "codec",
    "detector",
    "batched",
    "tenants",
    "otlp",
    "remote_write",
    "formats",
    "incidents",
    "cardinality",
    "churn",
    "rules",
    "checkpoints",
    "throughput",
    "latency",
    "scaling",
    "backpressure",
    "recovery",
    "rescale",
    "catch_up",
    "soak",
]


def test_list_names_every_benchmark_and_measures_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`--list` prints one line a benchmark, what it is called and what it measures."""
    assert 0 == shell.main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    assert NAMES == [line.split()[0] for line in lines]
    assert all(len(line.split()) > 5 for line in lines)


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A typo ends with exit code 2 and the names that there are."""
    with pytest.raises(SystemExit) as refused:
        shell.main(["thruput"])
    assert 2 == refused.value.code
    assert f"there are {', '.join(NAMES)}" in capsys.readouterr().err


def test_json_output_is_what_the_file_holds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--output json` prints the very rows that go to the file, and nothing else on standard output."""
    rows = [Row("codec.encode", 5.0, "samples/s", "make bench ARGS=codec")]
    monkeypatch.setattr(shell, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(shell, "run", lambda names, setting: rows)
    assert 0 == shell.main(["codec", "--quick", "--output", "json"])
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "results.json").read_text()
    assert [rows[0].record()] == json.loads(printed)


def test_a_missed_goal_is_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The exit code is 0 although a goal is missed, and the row says so."""
    goal = Goal("value", ">=", 10.0)
    rows = [Row("codec.encode", 5.0, "samples/s", "make bench ARGS=codec", goal=goal)]
    monkeypatch.setattr(shell, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(shell, "run", lambda names, setting: rows)
    assert 0 == shell.main(["codec"])
    assert "missed" in capsys.readouterr().out


def test_no_kafka_is_a_failure_with_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without Java nothing is measured on something else instead: exit code 1, a line, and no file."""

    def without_java(names: object, setting: object) -> list[Row]:
        raise shell.UnavailableError("no Java")

    monkeypatch.setattr(shell, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(shell, "run", without_java)
    assert 1 == shell.main(["throughput"])
    assert "no Java" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


class _Short(Setting):
    """As quick as can be."""

    @property
    def seconds(self) -> float:
        """A call or two."""
        return 0.003


@pytest.mark.parametrize("name", ["codec", "detector"])
def test_benchmarks_without_kafka_give_rows(name: str) -> None:
    """Each row is called after its benchmark, and has a figure above zero and a command; some are compared."""
    rows = list(shell.IN_PROCESS[name](_Short(quick=True, now_ms=0, say=print), "make bench"))
    assert rows
    assert {name} == {row.name.split(".")[0] for row in rows}
    assert all(row.value > 0 for row in rows)
    assert any(row.ratio for row in rows)
    assert {"make bench"} == {row.command for row in rows}


def test_a_run_measures_what_is_named_in_that_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come in the order of the names, quickly where that is asked for, each with the command that repeats it."""
    asked = []

    def fake(setting: Setting, command: str) -> Iterator[Row]:
        asked.append(setting.seconds)
        yield Row("figure", 1.0, "samples/s", command)

    monkeypatch.setattr(shell, "IN_PROCESS", {"codec": fake, "detector": fake})
    said: list[str] = []
    rows = shell.run(["detector", "codec"], Setting(quick=True, now_ms=0, say=said.append))
    assert ["detector", "codec"] == said
    assert ["make bench ARGS=detector", "make bench ARGS=codec"] == [row.command for row in rows]
    assert [0.6, 0.6] == asked
