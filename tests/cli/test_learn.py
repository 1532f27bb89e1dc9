"""`tocsin learn`: history becomes what detectors begin with; and what `check` says of how long they wait."""

import json
from pathlib import Path

import numpy as np
import pytest

from detectors import registry
from detectors.columns import Column
from detectors.robust import Robust
from schemas.labels import encode_labels, make_labels
from streams.rules.learnt_file import read_learnt
from tests.cli.conftest import Cli

BEGIN_MS = 1_767_225_600_000
RULES = """
groups:
  - name: g
    interval: 15s
    rules:
      - {alert: Odd, expr: latency, detect: {detector: robust}}
      - {alert: Plain, expr: latency > 5}
"""
CONFIG = """
rules: [rules.yml]
scrub: {secret: x}
detect:
  learnt: [learnt.bin]
  maintenance: [drills]
  calendar:
    - {name: holidays, dates: [12-25], file: more.txt, location: Europe/Berlin}
time_intervals:
  - name: drills
    time_intervals: [{weekdays: [friday]}]
"""


def answer(name: dict[str, str], values: list[float]) -> str:
    """What Prometheus answers."""
    points = [[(BEGIN_MS + 15_000 * n) / 1000, str(v)] for n, v in enumerate(values)]
    result = [{"metric": {**name, "service": "cart"}, "values": points}]
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data})


@pytest.fixture
def history(folder: Path) -> Path:
    """The same 100 samples in all forms, and rules."""
    values = (100 + np.random.default_rng(1).normal(size=100)).tolist()
    lines = [f"{BEGIN_MS + 15_000 * n},latency,cart,{value}" for n, value in enumerate(values)]
    (folder / "h.csv").write_text("\n".join(["time,metric,service,value", *lines]))
    (folder / "raw.json").write_text(answer({"__name__": "latency"}, values))
    (folder / "results.json").write_text(answer({}, values[:40]))
    (folder / "rules.yml").write_text(RULES)
    (folder / "more.txt").write_text("2026-05-01\n")
    return folder


def test_each_form_of_history_teaches_the_same(cli: Cli, history: Path) -> None:
    """CSV, Parquet and a range of Prometheus: the same file, to the byte."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [line.split(",") for line in (history / "h.csv").read_text().splitlines()[1:]]
    times, metrics, services, values = zip(*rows, strict=True)
    stamps = arrow.array([int(t) for t in times]).cast(arrow.timestamp("ms", tz="UTC"))
    columns = {"time": stamps, "metric": list(metrics), "service": list(services)}
    table = arrow.table(columns | {"value": [float(v) for v in values]})
    parquet.write_table(table, history / "h.parquet")
    for name in ("h.csv", "raw.json", "h.parquet"):
        result = cli("learn", name, "--rules", "rules.yml", "--out", f"{name}.bin")
        assert 0 == result.exit_code, result.output
        assert ["Odd", "1", "1", "0s"] == result.stdout.splitlines()[-1].split()
    assert 1 == len(
        {(history / f"{n}.bin").read_bytes() for n in ("h.csv", "raw.json", "h.parquet")}
    )


def test_results_of_a_rule_go_to_its_detector(cli: Cli, history: Path) -> None:
    """Of 40 samples it must wait for 20 more."""
    words = ("learn", "results.json", "--rule", "Odd", "--rules", "rules.yml", "--out", "l.bin")
    result = cli(*words, "--output", "json")
    expected = {"rule": "Odd", "series": 1, "may_speak": 0, "longest_wait_ms": 300_000}
    assert [expected] == json.loads(result.stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("results.json",), "say with --rule"),
        (("h.csv", "--rule", "Odd"), "wants answers of query_range"),
        (("raw.json", "--rule", "Ood"), "did you mean 'Odd'"),
        (("h.csv", "--topic", "telemetry"), "files or --topic"),
        ((), "files or --topic"),
        (("more.txt",), "found a series"),
    ],
)
def test_mistakes_are_said(cli: Cli, history: Path, words: tuple[str, ...], said: str) -> None:
    """And nothing is written."""
    result = cli("learn", *words, "--rules", "rules.yml", "--out", "l.bin")
    assert result.exit_code
    assert said in f"{result.stderr}{result.exception}"
    assert not (history / "l.bin").exists()


def test_check_says_how_long_a_detector_waits(cli: Cli, history: Path) -> None:
    """By the interval of its rule; and what is known from history."""
    cli("learn", "h.csv", "--rules", "rules.yml", "--out", "learnt.bin")
    (history / "tocsin.yaml").write_text(CONFIG)
    result = cli("check")
    assert 0 == result.exit_code, result.output
    expected = (
        "Odd: robust speaks of a new series after 60 evaluations, 15m; 1 series known from history"
    )
    assert expected in result.stdout


def test_check_finds_every_fault_of_what_detectors_heed(cli: Cli, history: Path) -> None:
    """With file and line: a calendar, a file, a time interval, the name of a calendar in a rule."""
    broken = CONFIG.replace("[drills]", "[dril]").replace("12-25", "soon")
    (history / "tocsin.yaml").write_text(broken)
    (history / "learnt.bin").write_text("nothing")
    named = RULES.replace("{detector: robust}", "{detector: robust, calendar: [holiday]}")
    (history / "rules.yml").write_text(named)
    result = cli("check")
    assert 1 == result.exit_code
    for said in (
        "tocsin.yaml:8: calendar 'holidays': more.txt: not a date: 'soon'",
        "tocsin.yaml:5: learnt.bin: not a snapshot",
        "tocsin.yaml:6: unknown time interval 'dril': did you mean 'drills'",
        "unknown calendar 'holiday': did you mean 'holidays'",
    ):
        assert said in result.stdout


def test_a_marked_period_is_left_out(cli: Cli, history: Path) -> None:
    """Of 100 samples from midnight on, those of ten minutes are not learnt."""
    period = "2026-01-01T00:05/2026-01-01T00:15"
    words = ("learn", "h.csv", "--rules", "rules.yml", "--without", period, "--out", "l.bin")
    assert 0 == cli(*words).exit_code
    learnt = next(iter(read_learnt(history / "l.bin").values()))
    detect = registry.create("robust", {})
    detect.grow(1)
    encoded = encode_labels(
        make_labels({"__name__": "latency", "__tenant__": "default", "service": "cart"})
    )
    assert 1 == learnt.give(detect, [(0, encoded)])
    # the last value before it counts for five minutes more, as in any rule
    assert 79 == detect.snapshot()["samples"][0]
    assert 2 == cli(*words[:4], "--without", "soon", "--out", "m.bin").exit_code


BLOCKS = """
groups:
  - name: g
    interval: 1h
    rules:
      - {alert: Day, expr: a, detect: {detector: seasonal, season: 1d}}
      - {alert: Found, expr: a, detect: {detector: seasonal}}
      - {alert: Tails, expr: a, detect: {detector: extreme}}
      - {alert: Joined, expr: a, detect: {detector: peers, by: [service]}}
"""


def test_check_knows_what_each_detector_waits_for(cli: Cli, folder: Path) -> None:
    """A season, the search for one, samples for tails; and a group for its members and then for itself."""
    (folder / "rules.yml").write_text(BLOCKS.replace("1h", "15m"))
    (folder / "tocsin.yaml").write_text("rules: [rules.yml]\nscrub: {secret: x}\n")
    result = cli("check")
    assert 0 == result.exit_code, result.output
    assert [
        "Day: seasonal speaks of a new series after 96 evaluations, 1d",
        "Found: seasonal speaks of a new series after 144 evaluations, 1d12h",
        "Tails: extreme speaks of a new series after 200 evaluations, 2d2h",
        "Joined: peers speaks of a new group after 120 evaluations, 1d6h",
    ] == result.stdout.splitlines()[1:]


def test_results_of_a_rule_with_groups_teach_members_and_groups(cli: Cli, history: Path) -> None:
    """A range of its expression goes through both, time by time."""
    rules = RULES.replace("{detector: robust}", "{detector: robust, by: []}")
    (history / "rules.yml").write_text(rules)
    values = (100 + np.random.default_rng(1).normal(size=130)).tolist()
    (history / "many.json").write_text(answer({}, values))
    words = ("learn", "many.json", "--rule", "Odd", "--rules", "rules.yml", "--out", "learnt.bin")
    result = cli(*words, "--output", "json")
    expected = {"rule": "Odd", "series": 1, "may_speak": 1, "longest_wait_ms": 0}
    assert [expected] == json.loads(result.stdout)
    (history / "tocsin.yaml").write_text(CONFIG)
    assert "group after 120 evaluations, 30m; 1 group known from history" in cli("check").stdout


def test_a_group_that_no_partition_sees_whole_is_learnt(cli: Cli, history: Path) -> None:
    """It lives in the second stage, and waits from when its member spoke."""
    rules = RULES.replace("{detector: robust}", "{detector: robust, by: []}")
    (history / "rules.yml").write_text(rules)
    words = ("learn", "h.csv", "--rules", "rules.yml", "--out", "l.bin", "--output", "json")
    (found,) = json.loads(cli(*words).stdout)
    assert ("Odd", 1, 0) == (found["rule"], found["series"], found["may_speak"])
    assert 0 < found["longest_wait_ms"] < 60 * 15_000
    (known,) = read_learnt(history / "l.bin").values()
    assert known.members is not None
    assert (1, 1) == (len(known), len(known.members))


def test_state_that_no_longer_fits_is_told_where_it_is_read(
    cli: Cli, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update that changed a detector: by file and line, before a worker meets the first series."""
    cli("learn", "h.csv", "--rules", "rules.yml", "--out", "learnt.bin")
    (history / "tocsin.yaml").write_text(CONFIG)
    forms = Robust._forms

    def changed(self: Robust) -> dict[str, Column]:
        return {**forms(self), "more": Column()}

    monkeypatch.setattr(Robust, "_forms", changed)
    result = cli("check")
    assert 1 == result.exit_code
    assert "rules.yml:6: Odd: learn it anew: detector columns do not fit: more" in result.stdout
