"""Engines: what a peer runs in, made on demand below `.peers`, and started in a process of its own.

A Python engine that is no dependency of ours has an environment of its own, filled from its requirements.txt; a Java
engine has the jars of its pom.xml, and its classes. Invariant: a folder whose stamp is that of its sources is whole.
Refuses to install Java or Maven: they are used where they are found.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from benchmarks.measure import TIMEOUT_SECONDS, Measured
from deploy.kafka.jars import UnavailableError, find_java

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MADE = ROOT / ".peers"
STAMP = "sources.sha256"
FETCH_SECONDS = 900.0
HEAP = "-Xmx2g"
QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
OPENED = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in ("lang", "util")]
"""Flink's serializers look into both packages."""


def own_python(module: str) -> list[str]:
    """The command of a peer whose engine is a dependency of ours."""
    return [sys.executable, "-m", f"benchmarks.peers.{module}"]


def python_of(name: str) -> list[str]:
    """The command of a peer in Python with an environment of its own.

    Raises:
        UnavailableError: it could not be filled.

    """
    requirements = HERE / name / "requirements.txt"

    def make(folder: Path) -> None:
        _succeed([sys.executable, "-m", "venv", str(folder)])
        install = ["-m", "pip", "install", "--quiet", "--requirement", str(requirements)]
        _succeed([str(folder / "bin" / "python"), *install])

    folder = _made(name, [requirements], make)
    return [str(folder / "bin" / "python"), "-m", f"benchmarks.peers.{name}"]


def java_of(name: str) -> list[str]:
    """The command of a peer in Java: its class `Peer`.

    Raises:
        UnavailableError: there is no Java, no compiler, no Maven; or no jars.

    """
    pom = HERE / name / "pom.xml"
    sources = [HERE / "Job.java", HERE / name / "Peer.java"]
    java = find_java()
    compiler = shutil.which("javac", path=str(Path(java).parent)) or shutil.which("javac")
    if compiler is None:
        raise UnavailableError("no Java compiler found (javac)")

    def make(folder: Path) -> None:
        maven = shutil.which("mvn")
        if maven is None:
            raise UnavailableError("no Maven found (mvn fetches the engine's jars, once)")
        jars = folder / "libs"
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        _succeed([maven, "-q", "-B", "-f", str(pom), *goal])
        files = [str(source) for source in sources]
        _succeed([compiler, "-d", str(folder / "classes"), "-cp", f"{jars}/*", *files])

    folder = _made(name, [pom, *sources], make)
    return [java, HEAP, QUIET, *OPENED, "-cp", f"{folder}/classes:{folder}/libs/*", "Peer"]


def measured(command: Sequence[str]) -> Measured:
    """Run a peer; what it reports on its last line.

    Raises:
        RuntimeError: it failed; the message holds the end of what it said.

    """
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"not through after {TIMEOUT_SECONDS:g} s") from error
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise RuntimeError(f"ended with {done.returncode}:\n{said}")
    return msgspec.json.decode(lines[-1], type=Measured)


def _made(name: str, sources: Sequence[Path], make: Callable[[Path], None]) -> Path:
    folder = MADE / name
    wanted = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    MADE.mkdir(exist_ok=True)
    with (MADE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / STAMP
        if not stamp.is_file() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            stamp.write_text(wanted)
    return folder


def _succeed(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{command[0]}: not done in {FETCH_SECONDS:.0f} s") from error
    if done.returncode:
        last = " / ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
        raise UnavailableError(f"{Path(command[0]).name}: {last}")
