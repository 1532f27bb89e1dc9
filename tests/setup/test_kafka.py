"""The real Kafka: starting, stopping, and leaving nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.__main__ import main
from deploy.kafka.broker import status, wait
from deploy.kafka.jars import STAMP, UnavailableError, ensure_jars, find_java
from deploy.kafka.probe import HOST, answers, is_open
from deploy.ports import free_ports


def until(true: Callable[[], object], seconds: float = 20.0) -> bool:
    """Whether a condition of the outside world came true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def kafka(root: Path, *arguments: str) -> tuple[int, str]:
    """Run the command as make does; gives its exit code and what it said."""
    command = [sys.executable, "-m", "deploy.kafka", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_closed_port_does_not_answer() -> None:
    """Nothing listens there: neither open nor a broker."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    assert not is_open(port)
    assert not answers(port)
    assert not wait(port, timeout_seconds=0)


def test_another_program_is_no_broker() -> None:
    """A port that accepts but speaks no Kafka is open and yet does not answer."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert is_open(port)
        assert not answers(port, timeout_seconds=0.2)


def test_a_taken_port_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A start on another program's port fails at once and says how to choose one."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert main(["start", "--port", str(port), "--dir", str(tmp_path)]) == 1
    assert "taken by another program: choose one by KAFKA_PORT" in capsys.readouterr().err
    assert status(tmp_path) is None


def test_a_taken_port_of_the_controller_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The port after the broker's is looked at too, and named."""
    port, neighbour = free_ports(2)
    with socket.create_server((HOST, neighbour)):
        assert main(["start", "--port", str(port), "--dir", str(tmp_path)]) == 1
    assert f"port {neighbour} is taken by another program" in capsys.readouterr().err


def test_free_ports_are_in_a_row_and_not_of_those_given_to_connections() -> None:
    """A program can listen on each of them, and no outgoing connection is given one before it does."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first_given = int(given.read_text().split()[0]) if given.exists() else 32_768
    ports = free_ports(3)
    assert [ports[0], ports[0] + 1, ports[0] + 2] == ports
    assert ports[-1] < first_given
    for port in ports:
        with socket.create_server((HOST, port)):
            pass


def test_stop_where_nothing_ever_ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stopping and asking are harmless without a node, and make no folder."""
    home = tmp_path / "none"
    assert main(["stop", "--dir", str(home)]) == 0
    assert main(["status", "--dir", str(home)]) == 3
    assert "was not running" in capsys.readouterr().out
    assert not home.exists()


def test_no_java_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Java the message names the version that is needed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UnavailableError, match="Java 17 or newer"):
        find_java()


def test_an_old_java_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Java too old for Kafka 4 is refused with its own version line."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"11\.0\.2"):
        find_java()


def test_no_maven_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Maven and without jars the message names it; no half-filled folder stays."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="no Maven"):
        ensure_jars(tmp_path / "libs")
    assert not (tmp_path / "libs").exists()


def test_jars_are_fetched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fetch that worked is not done again; jars of another pom.xml are fetched anew, whole."""
    calls = tmp_path / "calls"
    maven = tmp_path / "bin" / "mvn"
    maven.parent.mkdir()
    script = 'for a; do case "$a" in -DoutputDirectory=*) mkdir -p "${a#*=}"; : > "${a#*=}/a.jar";; esac; done'
    maven.write_text(f"#!/bin/sh\necho call >> '{calls}'\n{script}\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{maven.parent}:{os.environ['PATH']}")
    libs = tmp_path / "libs"
    ensure_jars(libs)
    ensure_jars(libs)
    assert calls.read_text().count("call") == 1
    (libs / STAMP).write_text("of another pom")
    (libs / "old.jar").touch()
    ensure_jars(libs)
    assert calls.read_text().count("call") == 2
    assert {"a.jar", STAMP} == {file.name for file in libs.iterdir()}


def test_the_guard_ends_with_its_asker(tmp_path: Path) -> None:
    """When the process that started a guarded command is killed outright, the command ends and its folder goes."""
    guard = Path(sys.modules["deploy.kafka.broker"].__file__ or "").with_name("guard.py")
    folder = tmp_path / "data"
    folder.mkdir()
    told = tmp_path / "told"
    asker = f"""
import os, subprocess, sys, time
command = ["sh", "-c", "echo $$ > {told}; exec sleep 600"]
subprocess.Popen([sys.executable, {str(guard)!r}, str(os.getpid()), {str(folder)!r}, *command], start_new_session=True)
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", asker])
    assert until(lambda: told.is_file() and told.read_text().strip())
    child = int(told.read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert until(lambda: not alive(child))
    assert until(lambda: not folder.exists())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_start_and_stop_are_idempotent(kafka_bootstrap: str, root: Path, tmp_path: Path) -> None:
    """A second start and a second stop change nothing, and data outlive a stop."""
    assert kafka_bootstrap  # so that the jars are there
    (tmp_path / "libs").symlink_to(root / ".kafka" / "libs")
    port = free_ports(2)[0]  # its neighbour is the controller's
    here = ("--dir", str(tmp_path))
    try:
        first = kafka(root, "start", "--port", str(port), *here)
        assert first == (0, f"kafka: started, answers at {HOST}:{port}\n")
        assert answers(port)
        running = status(tmp_path)
        assert running is not None
        assert running.port == port
        again = kafka(root, "start", "--port", str(port), *here)
        assert again == (0, f"kafka: running already, answers at {HOST}:{port}\n")
        assert running == status(tmp_path)
        elsewhere = kafka(root, "start", "--port", str(port + 2), *here)
        assert elsewhere == (1, f"kafka: Kafka already runs on port {port}: stop it first\n")
        assert main(["wait", "--port", str(port)]) == 0
    finally:
        stopped = kafka(root, "stop", *here)
    assert stopped == (0, "kafka: stopped\n")
    assert kafka(root, "stop", *here) == (0, "kafka: was not running\n")
    assert not is_open(port)
    assert (tmp_path / "data" / "meta.properties").is_file()
    assert status(tmp_path) is None


async def test_topics_are_never_made_up(kafka_bootstrap: str) -> None:
    """The broker refuses records for a topic that nobody created, and takes them once it is."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic
    from aiokafka.errors import UnknownTopicOrPartitionError

    topic = "setup-made-on-purpose"
    async with AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, request_timeout_ms=2000
    ) as producer:
        with pytest.raises(UnknownTopicOrPartitionError):
            await producer.send_and_wait("setup-made-by-nobody", b"x")
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=4, replication_factor=1)])
    assert "setup-made-by-nobody" not in await admin.list_topics()
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        await producer.send_and_wait(topic, b"a sample", partition=3)
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        record = await consumer.getone()
    assert (b"a sample", 3) == (record.value, record.partition)
