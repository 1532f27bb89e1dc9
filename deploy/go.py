"""Builds programs from Go's modules, each once, into a folder.

Invariant: a program in its folder is whole, and of the source and versions that its stamp names: it is built beside
its place and renamed into it. Refuses to install Go: it is used where it is found. Python's standard library only.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

BUILD_SECONDS = 1800.0
"""A first build fetches some hundreds of modules; it has taken up to five minutes on two cores."""


class UnavailableError(Exception):
    """This machine cannot build the program; the message says what is missing."""


@dataclass(frozen=True)
class Program:
    """A program and how it is made.

    Attributes:
        name: name of the file.
        stamp: changes with all that the program is made of; a program of another stamp is built anew.
        make: is called with the folder and the path to build to.

    """

    name: str
    stamp: str
    make: Callable[[Path, Path], None]

    def find(self, folder: Path) -> Path | None:
        """Path of the program, None where it has not been built from these sources."""
        built, stamp = folder / self.name, folder / f"{self.name}.version"
        whole = built.is_file() and stamp.is_file() and stamp.read_text() == self.stamp
        return built if whole else None

    def ensure(self, folder: Path) -> Path:
        """Path of the program, built unless it is there; only the build needs Go and a network.

        Raises:
            UnavailableError: Go is missing, or the build failed.

        """
        built = self.find(folder)
        if built is not None:
            return built
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.find(folder) is None:  # nobody else built it while we waited
                part = (folder / f"{self.name}.part").resolve()
                self.make(folder, part)
                part.rename(folder / self.name)
                (folder / f"{self.name}.version").write_text(self.stamp)
        return folder / self.name


def go(arguments: Sequence[str], where: Path, flags: str = "-mod=mod -buildvcs=false") -> str:
    """What `go ARGUMENTS` prints in a folder.

    Raises:
        UnavailableError: Go is missing, failed (the message ends with its last lines) or took too long.

    """
    command = shutil.which("go")
    if command is None:
        raise UnavailableError("no Go found: `go` builds it, once")
    try:
        done = subprocess.run(
            [command, *arguments],
            cwd=where,
            env={**os.environ, "GOFLAGS": flags},
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        took = f"`go {arguments[0]}` took over {BUILD_SECONDS:.0f} s"
        raise UnavailableError(took) from error
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise UnavailableError(f"`go {' '.join(arguments)}` failed:\n{last}")
    return done.stdout


def main(room: str, about: str, programs: Sequence[Program], folder: Path) -> int:
    """The command `python3 -m deploy.<room>`: builds what is asked for, the first if nothing is; the exit code."""
    parser = argparse.ArgumentParser(prog=f"python3 -m deploy.{room}", description=about)
    names = {program.name: program for program in programs}
    if len(names) > 1:
        parser.add_argument(
            "program", nargs="*", choices=[*names, []], help=f"{programs[0].name} if none"
        )
    parser.add_argument("--dir", type=Path, default=folder, help="where programs go")
    options = parser.parse_args()
    try:
        for name in getattr(options, "program", None) or [programs[0].name]:
            print(names[name].ensure(options.dir))
    except UnavailableError as error:
        print(f"{room}: {error}", file=sys.stderr)
        return 1
    return 0
