"""What peers run in: made once, made anew when its sources change, never half."""

import argparse
import os
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.measure import Measured
from benchmarks.peers import engine
from benchmarks.peers.job import Totals
from benchmarks.peers.stretch import Stretch, read_arguments
from deploy.kafka.jars import UnavailableError


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(engine, "MADE", tmp_path / "made")
    path = tmp_path / "requirements.txt"
    path.write_text("engine==1\n")
    return path


def test_an_engine_is_made_once_and_again_when_its_sources_change(source: Path) -> None:
    """The folder is used as it is until a source is another, and then nothing of the old one is left."""
    made: list[Path] = []

    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / str(len(made))).touch()
        made.append(folder)

    first = engine._made("engine", [source], make)
    assert first == engine._made("engine", [source], make)
    assert 1 == len(made)
    source.write_text("engine==2\n")
    engine._made("engine", [source], make)
    assert 2 == len(made)
    assert {"1", engine.STAMP} == {path.name for path in first.iterdir()}


def test_a_folder_that_was_left_half_made_is_made_anew(source: Path) -> None:
    """A fetch that broke leaves no stamp, so the next run does not start from what it left."""

    def broken(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise UnavailableError("no network")

    with pytest.raises(UnavailableError, match="no network"):
        engine._made("engine", [source], broken)
    folder = engine._made("engine", [source], lambda folder: folder.mkdir())
    assert [engine.STAMP] == [path.name for path in folder.iterdir()]


def test_without_java_a_peer_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says what is missing."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="no Java found"):
        engine.java_of("flink")


def test_a_command_that_fails_makes_an_engine_unavailable() -> None:
    """The error has the program and the last lines that it said."""
    with pytest.raises(UnavailableError, match=r"python\S*: no such package"):
        engine._succeed([sys.executable, "-c", "raise SystemExit('no such package')"])


def test_a_peer_reports_on_its_last_line() -> None:
    """Whatever an engine prints before, the last line is the figure."""
    line = msgspec.json.encode(Measured(5, 1.0, 2.0, {"alerts": 3})).decode()
    told = engine.measured([sys.executable, "-c", f"print('hello'); print({line!r})"])
    assert Measured(5, 1.0, 2.0, {"alerts": 3}) == told


def test_a_peer_that_fails_is_an_error_with_its_last_words() -> None:
    """A run that broke gives no figure, but what it said."""
    with pytest.raises(RuntimeError, match="out of luck"):
        engine.measured([sys.executable, "-c", "raise SystemExit('out of luck')"])


def given(*options: str) -> argparse.Namespace:
    told = ["--name", "n", "--broker", "b", "--topic", "t", "--warm-up", "10", "--messages", "30"]
    return read_arguments("A peer.", ["state", "dict"], [*told, *options])


def test_a_form_must_be_one_that_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A peer with forms takes one of them, and refuses to guess."""
    assert "dict" == given("--form", "dict").form
    with pytest.raises(SystemExit):
        given("--form", "list")
    with pytest.raises(SystemExit):
        given()
    assert "--form" in capsys.readouterr().err


def test_a_stretch_goes_from_the_warm_up_to_the_last_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Batches may pass both marks; what counts is what came between, and the process ends with code 0."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    stretch, totals = Stretch(given("--form", "state")), Totals()
    assert 10 == stretch.mark
    totals.messages = 12
    stretch.reach(totals)
    assert ([], 30) == (codes, stretch.mark)
    totals.messages, totals.alerts, totals.scores = 30, 4, 6.6
    stretch.reach(totals)
    assert [0] == codes
    found = msgspec.json.decode(capsys.readouterr().out, type=Measured)
    assert 18 == found.messages
    assert {"samples": 30, "alerts": 4, "scores": 7, "windows": 0, "means": 0} == found.notes
