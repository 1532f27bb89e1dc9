"""Builds the Telegraf of the tests: `python3 -m deploy.telegraf`; with its inputs for a host and its output for Kafka.

Its own module with its own `go.sum` is built, so the versions of all that it needs are those of its makers. The first
build takes two to five minutes. Needs Go and Python's standard library. Prints the program's path; exit codes: 0 done,
1 failed.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "v1.37.2"
MODULE = "github.com/influxdata/telegraf"
PLUGINS = (
    *(f"inputs.{name}" for name in ("cpu", "file", "internal", "mem", "net")),
    *("outputs.file", "outputs.kafka", "parsers.influx", "parsers.json"),
    *("serializers.influx", "serializers.json"),
)
FOLDER = Path(__file__).resolve().parents[2] / ".telegraf"
PROGRAM = "telegraf"
BUILD_SECONDS = 1800


class UnavailableError(Exception):
    """This machine cannot build the program; the message says what is missing."""


def find(folder: Path = FOLDER) -> Path | None:
    """Path of the program, None where it has not been built in this version."""
    stamp, built = folder / f"{PROGRAM}.version", folder / PROGRAM
    return built if built.is_file() and stamp.is_file() and stamp.read_text() == _stamp() else None


def _stamp() -> str:
    return f"{VERSION} {','.join(PLUGINS)}"


def ensure(folder: Path = FOLDER) -> Path:
    """Path of the program, built unless it is there.

    Raises:
        UnavailableError: Go is missing, or the build failed.

    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if find(folder) is None:
            _build(folder)
    return folder / PROGRAM


def _build(folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise UnavailableError("no Go found (`go` builds Telegraf, once)")
    with tempfile.TemporaryDirectory(prefix="tocsin-telegraf-") as work:
        found = json.loads(_run([go, "mod", "download", "-json", f"{MODULE}@{VERSION}"], work))
        sources = Path(work) / "sources"
        # the module cache is read-only, and so would a copy of its modes be
        shutil.copytree(found["Dir"], sources, copy_function=shutil.copyfile)
        for path in (sources, *sources.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        part = (folder / f"{PROGRAM}.part").resolve()
        tags = ",".join(("custom", *PLUGINS))
        _run([go, "build", "-tags", tags, "-o", str(part), "./cmd/telegraf"], str(sources))
    part.rename(folder / PROGRAM)
    (folder / f"{PROGRAM}.version").write_text(_stamp())


def _run(command: list[str], where: str) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=where,
            env={**os.environ, "GOFLAGS": "-buildvcs=false"},
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"the build took over {BUILD_SECONDS} s") from error
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise UnavailableError(f"{' '.join(command[:3])} failed:\n{last}")
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Build Telegraf; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.telegraf", description=__doc__)
    parser.add_argument("--dir", type=Path, default=FOLDER, help="where the program goes")
    try:
        print(ensure(parser.parse_args(arguments).dir))
    except UnavailableError as error:
        print(f"telegraf: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
