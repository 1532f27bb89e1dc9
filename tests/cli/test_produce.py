"""`tocsin produce replay` with what it refuses before it asks a broker; sending is in test_run and test_processes."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli

# nobody listens there, so a refusal of the file shows that no broker was asked
NOBODY = ("--broker", "127.0.0.1:1")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "tocsin: f.csv: there is nothing in it"),
        (b"timestamp,value\n", "tocsin: f.csv: there is nothing in it"),
        (b"\xff\xfe\n", "tocsin: f.csv:1: "),
        (b"a,b\n1,2\n", "tocsin: f.csv:2: none of a, b is named like a time; use --time"),
        (b"timestamp,value\n2024-01-01,x\n", "tocsin: f.csv:2: "),
        (b'{"ts":1,"metric":\n', "tocsin: f.csv:1: "),
    ],
    ids=["empty", "head only", "not UTF-8", "no time", "no number", "not JSON"],
)
def test_a_bad_file_is_one_line(cli: Cli, folder: Path, content: bytes, line: str) -> None:
    """It is refused with file and line, exit code 2, before a broker is asked."""
    (folder / "f.csv").write_bytes(content)

    result = cli("produce", "replay", "f.csv", *NOBODY)

    assert (2, "") == (result.exit_code, result.stdout)
    (said,) = result.stderr.splitlines()
    assert said.startswith(line)


def test_a_bad_line_far_down_is_found_first_when_times_are_moved(cli: Cli, folder: Path) -> None:
    """To end at now, a fast replay reads its files through before it sends; a fault in them is told then."""
    rows = "2024-01-01,1\n" * 500 + "2024-01-01,1,2\n"
    (folder / "f.csv").write_text("timestamp,value\n" + rows)

    result = cli("produce", "replay", "f.csv", "--speed", "60", *NOBODY)

    assert (2, "tocsin: f.csv:502: 3 cells under 2 columns (bad_row)\n") == (
        result.exit_code,
        result.stderr,
    )
