"""Starting and stopping one Kafka node: a lasting one for development, a passing one for a test run.

Invariant: the lasting node holds a lock on its home folder for as long as it lives (the JVM inherits it), so "is it
running" and "is this process ours" are never guesses, and two can never share a folder.
Refuses a port that is taken, and a second port for a node that already runs.
"""

import fcntl
import os
import signal
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.kafka.jars import UnavailableError, ensure_jars, find_java
from deploy.kafka.probe import HOST, answers, is_open
from deploy.ports import free_ports

TEMPLATE = Path(__file__).with_name("server.properties")
GUARD = Path(__file__).with_name("guard.py")
CLUSTER_ID = (
    "TocsinLocalKafkaNode0A"  # 16 bytes in base64; any will do, one node is the whole cluster
)
HEAP = "-Xmx512m"
START_SECONDS = 120.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
LOG_TAIL_LINES = 25


class KafkaError(Exception):
    """Kafka did not start or stop; the message holds the end of its log where there is one."""


@dataclass(frozen=True, slots=True)
class Running:
    """A lasting node that lives; `pid` is None while its start is still under way."""

    pid: int | None
    port: int | None


def start(home: Path, port: int) -> bool:
    """Have a node on `port` that keeps its data in `home`; False if it ran already.

    Returns when the node answers. For a command that ends soon after: the node outlives it.
    Raises UnavailableError (no Java, no jars) or KafkaError.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _lock_file(home) as lock:
        if not _lock(lock):
            if (state := _read(lock)).port not in {port, None}:
                raise KafkaError(f"Kafka already runs on port {state.port}: stop it first")
            _await_answer(port, None, home)
            return False
        lock.truncate(0)
        for each in (port, port + 1):
            if is_open(each):
                raise KafkaError(
                    f"port {each} is taken by another program: choose one by KAFKA_PORT"
                )
        command = _prepare(home, home / "libs", port, port + 1)
        node = _launch(command, home, keep_open=lock)
        lock.write(f"{node.pid} {port}\n")
        lock.flush()
        try:
            _await_answer(port, node, home)
        except KafkaError:
            node.kill()
            node.wait()
            raise
    return True


def stop(home: Path) -> bool:
    """End the node of `home` for sure; False if none ran. Its data stay."""
    if not home.is_dir():
        return False
    with _lock_file(home) as lock:
        begun = time.monotonic()
        ran = False
        while not _lock(lock):
            ran = True
            waited = time.monotonic() - begun
            if waited > 2 * STOP_SECONDS:
                raise KafkaError(f"the process that holds {lock.name} does not end")
            if (pid := _read(lock).pid) is not None:
                _signal(pid, signal.SIGTERM if waited < STOP_SECONDS else signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        lock.truncate(0)
    return ran


def status(home: Path) -> Running | None:
    """The node of `home`, if it lives."""
    if not home.is_dir():
        return None
    with _lock_file(home) as lock:
        return None if _lock(lock) else _read(lock)


def wait(port: int, timeout_seconds: float = START_SECONDS) -> bool:
    """Whether a broker on `port` answered within `timeout_seconds`."""
    end = time.monotonic() + timeout_seconds
    while not answers(port):
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


@contextmanager
def passing_node(libs: Path) -> Iterator[str]:
    """Run a node on free ports in a temporary folder; gives its address, and leaves nothing behind.

    The node ends with this process, even if that is killed outright.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-kafka-")))
        port, controller_port = free_ports(2)
        command = _prepare(home, libs, port, controller_port)
        node = launch_guarded(command, home)
        stack.callback(kill_session, node)
        _await_answer(port, node, home)
        yield f"{HOST}:{port}"


def _prepare(home: Path, libs: Path, port: int, controller_port: int) -> list[str]:
    data = home.resolve() / "data"
    template = string.Template(TEMPLATE.read_text())
    text = template.substitute(PORT=port, CONTROLLER_PORT=controller_port, DATA=data)
    return prepare(home, libs, data, text)


def prepare(
    home: Path, libs: Path, data: Path, properties: str, flags: Sequence[str] = (HEAP,)
) -> list[str]:
    """The command that runs a node with these properties, its storage made; `flags` are the JVM's."""
    java = find_java()
    ensure_jars(libs)
    file = home.resolve() / "server.properties"
    file.write_text(properties)
    base = [
        java,
        *flags,
        "-XX:+ExitOnOutOfMemoryError",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    ]
    base += ["-Dorg.slf4j.simpleLogger.showDateTime=true"]
    base += [
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss",
        "-cp",
        f"{libs.resolve()}/*",
    ]
    if not (data / "meta.properties").is_file():
        tool = [*base, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(file)]
        done = subprocess.run(tool, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise KafkaError(f"Kafka's storage could not be made:\n{done.stdout}{done.stderr}")
    return [*base, "kafka.Kafka", str(file)]


def _launch(
    command: list[str], home: Path, keep_open: IO[str] | None = None
) -> subprocess.Popen[bytes]:
    inherited = () if keep_open is None else (keep_open.fileno(),)
    with (home / "kafka.log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=inherited,
            start_new_session=True,  # else Ctrl-C in the terminal that started it would end it too
        )


def _await_answer(port: int, node: subprocess.Popen[bytes] | None, home: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not wait(port, timeout_seconds=0):
        ended = node is not None and node.poll() is not None
        if ended or time.monotonic() > end:
            lines = (home / "kafka.log").read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
            what = "ended at once" if ended else f"did not answer within {START_SECONDS:.0f} s"
            raise KafkaError("\n".join([f"Kafka on port {port} {what}. Its log ends:", *lines]))
        time.sleep(POLL_SECONDS)


def _lock_file(home: Path) -> IO[str]:
    return (home / "lock").open("a+")


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: IO[str]) -> Running:
    file.seek(0)
    match file.read().split():
        case [pid, port]:
            return Running(int(pid), int(port))
        case _:
            return Running(None, None)


def _signal(pid: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended between the look and the signal; the lock tells
        os.kill(pid, which)


def launch_guarded(command: list[str], home: Path) -> subprocess.Popen[bytes]:
    """A node that ends with this process, and its folder with it; what is returned is its guard."""
    return _launch([sys.executable, str(GUARD), str(os.getpid()), str(home), *command], home)


def kill_session(node: subprocess.Popen[bytes]) -> None:
    """End a node and its guard at once."""
    with suppress(ProcessLookupError):  # it ended by itself
        os.killpg(node.pid, signal.SIGKILL)
    node.wait()


__all__ = [
    "KafkaError",
    "Running",
    "UnavailableError",
    "kill_session",
    "launch_guarded",
    "passing_node",
    "prepare",
    "start",
    "status",
    "stop",
    "wait",
]
