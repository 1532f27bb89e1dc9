"""What the rows of the peers say, whatever becomes of a peer."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import workload
from benchmarks.measure import Measured
from benchmarks.peers import catalogue, engine, rows
from benchmarks.peers.catalogue import Course, Peer
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from deploy.kafka.jars import UnavailableError

TINY = (Course(10, 100), Course(1, 10))
COMMAND = "make bench"
NOTES = {"samples": 10, "alerts": 0, "scores": 0, "windows": 0, "means": 0}


class FakeNode:
    """Counts what is written, and where."""

    bootstrap = "broker:9092"

    def __init__(self) -> None:
        self.filled: dict[str, int] = {}

    def create(self, *names: str) -> None:
        self.filled.update(dict.fromkeys(names, 0))

    def fill(self, topic: str, messages: Iterable[workload.Message]) -> None:
        self.filled[topic] += len(list(messages))


def peer(name: str, goal: float | None = None) -> Peer:
    return Peer(name, name.upper(), TINY, lambda: [name], goal=goal)


def unavailable() -> list[str]:
    raise UnavailableError("no Java found")


def run(
    monkeypatch: pytest.MonkeyPatch, peers: list[Peer], results: dict[str, Measured], only: str = ""
) -> tuple[list[Row], FakeNode, list[str]]:
    """The rows of these peers, of which each reports this."""

    def measured(command: list[str]) -> Measured:
        if command[0] not in results:
            raise RuntimeError("ended with 1:\nout of luck")
        return results[command[0]]

    monkeypatch.setattr(rows, "PEERS", peers)
    monkeypatch.setattr(engine, "measured", measured)
    node = FakeNode()
    said: list[str] = []
    setting = Setting(quick=True, now_ms=1_760_000_000_000, say=said.append)
    found = list(rows.measure(setting, node, COMMAND, only=[only] if only else []))  # type: ignore[arg-type]  # a fake
    return found, node, said


def test_a_topic_is_written_once_for_all_that_read_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two peers of one course share one topic, and each has a row with its figure."""
    results = {"a": Measured(9, 2.0, 3.0, NOTES), "b": Measured(9, 3.0, 3.0, NOTES)}
    found, node, said = run(monkeypatch, [peer("a"), peer("b")], results)
    assert {"benchmark-peers-10": 10} == node.filled
    assert [("peers.a", 4.5, rows.UNIT), ("peers.b", 3.0, rows.UNIT)] == [
        (row.name, row.value, row.unit) for row in found
    ]
    assert ["peers: writing 10 messages"] == [line for line in said if "writing" in line]


def test_only_the_named_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others have no row."""
    results = {"a": Measured(9, 2.0, 3.0, NOTES), "b": Measured(9, 3.0, 3.0, NOTES)}
    found, _node, _said = run(monkeypatch, [peer("a"), peer("b")], results, only="b")
    assert ["peers.b"] == [row.name for row in found]


def test_an_engine_that_cannot_be_had_is_skipped_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row says skipped and why, a line says it too, nothing is written for it, and the next peer is measured."""
    absent = replace(peer("a"), prefix=unavailable, courses=(Course(1, 2), Course(1, 2)))
    results = {"b": Measured(9, 3.0, 3.0, NOTES)}
    found, node, said = run(monkeypatch, [absent, peer("b")], results)
    assert ("skipped", "A: no Java found") == (found[0].unit, found[0].against)
    assert "peers: a: SKIPPED: no Java found" == said[0]
    assert {"benchmark-peers-10": 10} == node.filled
    assert rows.UNIT == found[1].unit


def test_a_peer_that_breaks_has_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row says failed, with the last words of the process."""
    found, _node, said = run(monkeypatch, [peer("a")], {})
    assert [("failed", 0.0, "A: out of luck")] == [(r.unit, r.value, r.against) for r in found]
    assert "FAILED" in said[-1]


def test_a_peer_with_other_results_has_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast it was: the row says failed, and which checksum differs; a bare fetch has none to hold."""
    results = {"a": Measured(9, 1.0, 1.0, NOTES | {"alerts": 7})}
    found, _node, _said = run(monkeypatch, [peer("a")], results)
    assert ("failed", "A: other results: alerts 7 instead of 0") == (
        found[0].unit,
        found[0].against,
    )
    bare = replace(peer("a"), does_job=False)
    assert rows.UNIT == run(monkeypatch, [bare], results)[0][0].unit


def test_we_are_held_against_each_peer_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row has our figure, the peer's, and the goal; without the peer's figure the goal is missed."""
    monkeypatch.setattr(rows, "PEERS", [peer("a", 2.0), peer("b", 2.0), peer("c"), peer("d")])
    figures = [
        Row("peers.a", 100.0, rows.UNIT, COMMAND),
        Row("peers.b", 0.0, "skipped", COMMAND, "B: no Java"),
        Row("peers.c", 50.0, rows.UNIT, COMMAND),
    ]
    over_a, over_b, over_c = rows.compare(300.0, figures, COMMAND)
    assert ("throughput.over_a", 3.0, True) == (over_a.name, over_a.ratio, over_a.met)
    assert ("B: skipped", None, False) == (over_b.against, over_b.ratio, over_b.met)
    assert (6.0, None) == (over_c.ratio, over_c.met)


def test_every_peer_has_its_goal() -> None:
    """Each goal stands beside the peer that it is about, and every name is told once."""
    assert {
        "faust_river": 50.0,
        "quix_state": 6.0,
        "bytewax_state": 2.5,
        "kafka_streams_memory": 1.6,
        "flink": 1.1,
        "aiokafka": 0.7,
    } == {p.name: p.goal for p in catalogue.PEERS if p.goal is not None}
    assert len(catalogue.NAMES) == len(set(catalogue.NAMES))
    assert Goal("ratio", ">=", 50.0).met_by(50.0)


def test_java_is_warm_before_it_counts() -> None:
    """In a full run every Java peer has had five million messages before its stretch begins."""
    java = [p for p in catalogue.PEERS if p.name.startswith(("flink", "kafka_streams"))]
    assert 5 == len(java)
    assert {5_000_000} == {p.courses[0].warm_up for p in java}


def test_versions_are_pinned() -> None:
    """Every line of a peer's requirements names one version."""
    files = sorted(Path(engine.__file__).parent.glob("*/requirements.txt"))
    assert ["bytewax", "quix"] == [file.parent.name for file in files]
    for file in files:
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert all("==" in line for line in lines)


def test_the_versions_are_those_of_the_readme() -> None:
    """What the README says of an engine's version is what its requirements or its pom name."""
    folder = Path(engine.__file__).parent
    readme = (folder / "README.md").read_text()
    for name, file, pinned in (
        ("Quix Streams", "quix/requirements.txt", r"quixstreams==([\d.]+)"),
        ("Bytewax", "bytewax/requirements.txt", r"bytewax\[kafka\]==([\d.]+)"),
        (
            "Kafka Streams",
            "kafka_streams/pom.xml",
            r"<artifactId>kafka-streams</artifactId>\s*<version>([\d.]+)",
        ),
        ("Flink", "flink/pom.xml", r"<artifactId>flink-clients</artifactId>\s*<version>([\d.]+)"),
    ):
        version = re.search(pinned, (folder / file).read_text())
        assert version is not None
        assert f"| {name} {version[1]} |" in readme
