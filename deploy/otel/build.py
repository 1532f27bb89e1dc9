"""Builds an OpenTelemetry Collector from the Go module proxy, once, into a folder: OTLP in, Kafka out.

Invariant: a program in the folder is whole, and of the source and versions that its stamp names. Refuses to install
Go: it is used where it is found. The first build takes some three minutes.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
FOLDER = SOURCES.parents[1] / ".otel"
PROGRAM, MAIN = "collector", "main.go"
BUILD_SECONDS = 1800.0
_CORE, _STABLE = "v0.155.0", "v1.61.0"
MODULES = (
    f"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter@{_CORE}",
    f"go.opentelemetry.io/collector/otelcol@{_CORE}",
    f"go.opentelemetry.io/collector/receiver/otlpreceiver@{_CORE}",
    f"go.opentelemetry.io/collector/service@{_CORE}",
    f"go.opentelemetry.io/collector/confmap/provider/fileprovider@{_STABLE}",
)
"""The newest version of the exporter that the module proxy has whole, and what goes with it."""


class UnavailableError(Exception):
    """This machine cannot build the program; the message says what is missing."""


def find(folder: Path = FOLDER) -> Path | None:
    """Path of the program, None where it has not been built from these sources."""
    stamp, built = folder / f"{PROGRAM}.version", folder / PROGRAM
    return built if built.is_file() and stamp.is_file() and stamp.read_text() == _stamp() else None


def _stamp() -> str:
    main = (SOURCES / MAIN).read_bytes()
    return hashlib.sha256(main + " ".join(MODULES).encode()).hexdigest()


def ensure(folder: Path = FOLDER) -> Path:
    """Path of the program, built unless it is there; only the build needs Go and a network.

    Raises:
        UnavailableError: Go is missing, or the build failed.

    """
    if (built := find(folder)) is not None:
        return built
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if find(folder) is None:  # nobody else built it while we waited
            _build(folder)
    return folder / PROGRAM


def _build(folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise UnavailableError("no Go found (`go` builds the Collector, once)")
    module, part = folder / "module", folder / f"{PROGRAM}.part"
    shutil.rmtree(module, ignore_errors=True)
    module.mkdir()
    shutil.copy(SOURCES / MAIN, module)
    _run([go, "mod", "init", PROGRAM], module)
    _run([go, "get", *MODULES], module)
    _run([go, "mod", "tidy"], module)
    _run([go, "build", "-o", str(part.resolve()), "."], module)
    part.rename(folder / PROGRAM)
    (folder / f"{PROGRAM}.version").write_text(_stamp())


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false"},
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"`{command[1]}` took over {BUILD_SECONDS:.0f} s") from error
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise UnavailableError(f"`{' '.join(command)}` failed:\n{last}")
