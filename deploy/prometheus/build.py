"""Builds promtool and Prometheus from the Go module proxy, once, into a folder.

Invariant: a program in the folder is whole, and of the version that its stamp names: it is built beside its place and
renamed into it. Refuses to install Go: it is used where it is found.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

VERSION = "v0.315.0"  # Prometheus 3.15; its Go module counts from 0
MODULE = "github.com/prometheus/prometheus"
PROGRAMS = ("promtool", "prometheus")
FOLDER = Path(__file__).resolve().parents[2] / ".prometheus"
BUILD_SECONDS = 1800.0


class UnavailableError(Exception):
    """This machine cannot build the program; the message says what is missing."""


def find(program: str, folder: Path = FOLDER) -> Path | None:
    """Path of a program that has been built in the version wanted, None where there is none."""
    stamp = folder / f"{program}.version"
    built = folder / program
    return built if built.is_file() and stamp.is_file() and stamp.read_text() == VERSION else None


def ensure(program: str, folder: Path = FOLDER) -> Path:
    """Path of a program, built unless it is there; only the build needs Go and a network.

    Raises:
        UnavailableError: Go is missing, or the build failed.

    """
    built = find(program, folder)
    if built is not None:
        return built
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = find(program, folder)
        if built is None:  # nobody else built it while we waited
            _build(program, folder)
    return folder / program


def _build(program: str, folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise UnavailableError(f"no Go found (`go` builds {program}, once)")
    module, part = folder / "module", folder / f"{program}.part"
    module.mkdir(exist_ok=True)
    if not (module / "go.mod").is_file():
        _run([go, "mod", "init", "judge"], module)
    package = f"{MODULE}/cmd/{program}"
    _run([go, "get", "-tool", f"{package}@{VERSION}"], module)
    # service discovery is most of the build, and no test needs it
    _run([go, "build", "-tags", "remove_all_sd", "-o", str(part.resolve()), package], module)
    part.rename(folder / program)
    (folder / f"{program}.version").write_text(VERSION)


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"`{' '.join(command)}` took over {BUILD_SECONDS:.0f} s") from error
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise UnavailableError(f"`{' '.join(command)}` failed:\n{last}")
