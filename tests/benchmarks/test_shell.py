import json

import pytest

import benchmarks.__main__ as shell
from benchmarks.row import Row

NAMES = ["codec", "detector", "throughput", "latency"]


def test_list_names_every_benchmark_and_measures_nothing(capsys) -> None:
    """`--list` prints one line a benchmark, what it is called and what it measures."""
    assert 0 == shell.main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    assert NAMES == [line.split()[0] for line in lines]
    assert all(len(line.split()) > 5 for line in lines)


def test_an_unknown_name_is_refused(capsys) -> None:
    """A typo ends with exit code 2 and the names that there are."""
    with pytest.raises(SystemExit) as refused:
        shell.main(["thruput"])
    assert 2 == refused.value.code
    assert "there are codec, detector, throughput, latency" in capsys.readouterr().err


def test_json_output_is_what_the_file_holds(capsys, monkeypatch, tmp_path) -> None:
    """`--output json` prints the very rows that go to the file, and nothing else on standard output."""
    rows = [Row("codec.encode", 5.0, "samples/s", "make bench ARGS=codec")]
    monkeypatch.setattr(shell, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(shell, "run", lambda names, setting: rows)
    assert 0 == shell.main(["codec", "--quick", "--output", "json"])
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "results.json").read_text()
    assert [rows[0].record()] == json.loads(printed)


def test_a_missed_goal_is_no_failure(capsys, monkeypatch, tmp_path) -> None:
    """The exit code is 0 although a goal is missed, and the row says so."""
    goal = shell.codec.Goal("value", ">=", 10.0)
    rows = [Row("codec.encode", 5.0, "samples/s", "make bench ARGS=codec", goal=goal)]
    monkeypatch.setattr(shell, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(shell, "run", lambda names, setting: rows)
    assert 0 == shell.main(["codec"])
    assert "missed" in capsys.readouterr().out


def test_no_kafka_is_a_failure_with_one_line(capsys, monkeypatch, tmp_path) -> None:
    """Without Java nothing is measured on something else instead: exit code 1, a line, and no file."""

    def without_java(names: object, setting: object) -> list[Row]:
        raise shell.UnavailableError("no Java")

    monkeypatch.setattr(shell, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(shell, "run", without_java)
    assert 1 == shell.main(["throughput"])
    assert "no Java" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


def test_benchmarks_without_kafka_give_rows() -> None:
    """`codec` and `detector` measure in this process; each row has a figure above zero and a comparison."""
    said: list[str] = []
    rows = shell.run(["codec", "detector"], shell.Setting(True, 0, said.append))
    assert ["codec", "detector"] == said
    assert {"codec", "detector"} == {row.name.split(".")[0] for row in rows}
    assert all(row.value > 0 and row.ratio for row in rows)
