from collections.abc import Callable
from pathlib import Path

import click
import pytest

from schemas.errors import BrokerError, CheckpointError, ConfigError, TocsinError, WorkerError
from streams.cli import main as module
from tests.cli.conftest import Cli

EXIT_CODES = ("0", "1", "2", "3", "70", "75", "130")


def test_help_names_verbs_and_exit_codes(cli: Cli) -> None:
    """`tocsin --help` lists every verb and every exit code."""
    said = cli("--help").stdout

    for verb in ("backtest", "check", "demo", "incident", "produce", "run", "topics"):
        assert f"\n  {verb} " in said
    codes = said.partition("Exit codes:")[2].split("\n")
    assert list(EXIT_CODES) == [line.split()[0] for line in codes if line.strip()]


@pytest.mark.parametrize(
    "words",
    [
        ("nosuch",),
        ("check", "--ouput", "json"),
        ("check", "--output", "xml"),
        ("run", "--stage", "nosuch"),
        ("run", "--processes", "0"),
        ("run", "--broker"),
        ("backtest",),
        ("backtest", "missing.csv"),
        ("backtest", "."),
        ("produce", "replay", "missing.csv"),
        ("produce", "replay", ".", "--speed", "0"),
        ("produce", "host", "--interval", "0"),
        ("produce", "simulate", "--truth", "no/such/folder/truth.json"),
        ("demo", "--report", "no/such/folder/report.html"),
        ("demo", "--seed", "-1"),
        ("incident", "show"),
        ("topics", "remove"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line(cli: Cli, words: tuple[str, ...]) -> None:
    """A mistyped command says what is wrong and where help is, in one line, and ends with 2."""
    result = cli(*words)

    assert (2, "") == (result.exit_code, result.stdout)
    (line,) = result.stderr.splitlines()
    assert line.startswith("tocsin: ")
    assert "--help`" in line


def test_a_mistyped_verb_is_told_the_nearest(cli: Cli) -> None:
    """As a mistyped option is; a name like none of ours gets no guess."""
    near, far = cli("chekc").stderr, cli("xyzzy").stderr

    assert "tocsin: No such command 'chekc'. (Did you mean 'check'?); see `tocsin --help`\n" == near
    assert "tocsin: No such command 'xyzzy'; see `tocsin --help`\n" == far


@pytest.mark.parametrize("words", [(), ("topics",), ("incident",), ("produce",)])
def test_a_group_without_a_verb_shows_its_help(cli: Cli, words: tuple[str, ...]) -> None:
    """It is no answer, so it is not on stdout, and the exit code is 2."""
    result = cli(*words)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "Commands:" in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (ConfigError(["a:1: x", "b:2: y"]), 2, ["tocsin: a:1: x", "tocsin: b:2: y"]),
        (TocsinError("x"), 2, ["tocsin: x"]),
        (BrokerError("none"), 3, ["tocsin: none"]),
        (WorkerError("stage detect failed"), 70, ["tocsin: stage detect failed"]),
        (CheckpointError("corrupt"), 70, ["tocsin: corrupt"]),
        (FileNotFoundError(2, "No such file", "x"), 2, ["tocsin: x: No such file"]),
        (
            OSError(28, "No space left on device"),
            2,
            ["tocsin: cannot write: No space left on device"],
        ),
        (KeyboardInterrupt(), 130, ["tocsin: stopped"]),
        (click.UsageError("x\n  y."), 2, ["tocsin: x y; see `tocsin check --help`"]),
    ],
    ids=lambda v: type(v).__name__,
)
def test_an_error_is_a_line_and_an_exit_code(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    lines: list[str],
) -> None:
    """Each kind of error has its exit code; nothing of it is a traceback."""
    assert (code, lines) == _raised(cli, monkeypatch, error)


def test_an_unforeseen_fault_keeps_its_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours ends with 70; its last line says so."""
    code, lines = _raised(cli, monkeypatch, ZeroDivisionError("division by zero"))

    assert (70, "tocsin: a fault of Tocsin: ZeroDivisionError: division by zero") == (
        code,
        lines[-1],
    )
    assert "Traceback (most recent call last):" in lines


def test_the_version_is_told(cli: Cli) -> None:
    """`tocsin --version` prints one line."""
    result = cli("--version")

    assert 0 == result.exit_code
    assert result.stdout.startswith("tocsin ")


def test_check_and_backtest_need_no_kafka_client(bash: Callable[[str], str]) -> None:
    """A verb is imported when it is used, so that looking at a file starts fast."""
    script = "import sys, streams.cli.check, streams.cli.incident; print('aiokafka' in sys.modules)"

    assert "False\n" == bash(
        f'PYTHON=$(sed -n "s/^exec \\"\\([^\\"]*\\)\\".*/\\1/p" tocsin); $PYTHON -P -c "{script}"'
    )


def test_a_closed_pipe_is_no_failure(bash: Callable[[str], str], folder: Path) -> None:
    """Where nobody reads on, a verb ends in silence with the code of SIGPIPE; a full disk is said in a line."""
    (folder / "tocsin.yaml").write_text("".join(f"unknown{n}: 1\n" for n in range(5_000)))

    assert "141 0\n" == bash("tocsin check 2>&1 | true; echo ${PIPESTATUS[@]}")
    assert "tocsin: cannot write: No space left on device\n2\n" == bash(
        "tocsin check 2>&1 >/dev/full; echo $?"
    )


def _raised(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> tuple[int, list[str]]:
    @click.command("check")
    def failing() -> None:
        raise error

    monkeypatch.setattr(module._Verbs, "get_command", lambda *_: failing)
    result = cli("check")
    assert "" == result.stdout
    # after ^C click ends the line that the terminal has begun
    return result.exit_code, result.stderr.lstrip("\n").splitlines()
