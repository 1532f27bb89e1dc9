"""The command that measures the peers alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import benchmarks.peers.__main__ as shell
from benchmarks.peers.rows import UNIT
from benchmarks.row import Row
from deploy.kafka.jars import UnavailableError

FIGURE = Row("peers.flink", 5e5, UNIT, "command")
SKIPPED = Row("peers.quix_state", 0.0, "skipped", "command", "Quix: no network")


@pytest.mark.parametrize(
    ("rows", "code"),
    [([FIGURE], 0), ([FIGURE, SKIPPED], 1)],
    ids=["all measured", "one skipped"],
)
def test_a_peer_without_a_figure_is_a_failure(
    rows: list[Row], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every row is shown, and the exit code tells whether each holds a figure."""
    asked: list[object] = []

    @contextmanager
    def running_node() -> Iterator[str]:
        yield "node"

    def measure(setting: object, node: str, command: str, **options: object) -> list[Row]:
        asked.append((node, options))
        return rows

    monkeypatch.setattr(shell, "running_node", running_node)
    monkeypatch.setattr(shell, "measure", measure)
    assert code == shell.main(["--only", "flink", "--quick", "--repeats", "2"])
    assert [("node", {"only": ["flink"], "repeats": 2})] == asked
    shown = capsys.readouterr().out
    assert all(row.name in shown for row in rows)


def test_an_unknown_peer_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A typo ends with exit code 2 and the names that there are."""
    with pytest.raises(SystemExit) as refused:
        shell.main(["--only", "flnk"])
    assert 2 == refused.value.code
    assert "flink_chained" in capsys.readouterr().err


def test_no_kafka_is_a_failure_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a real Kafka nothing is measured on something else instead."""

    def running_node() -> None:
        raise UnavailableError("no Java found")

    monkeypatch.setattr(shell, "running_node", running_node)
    assert 1 == shell.main([])
    assert "no real Kafka, nothing measured: no Java found\n" == capsys.readouterr().err
