"""The Makefile: all the set-up there is."""

import os
import re
import shutil
import subprocess
from pathlib import Path

TARGETS = {
    "help",
    "demo",
    "test",
    "lint",
    "types",
    "bench",
    "accuracy",
    "chaos",
    "fuzz",
    "recipes",
    "soak",
    "docs",
    "kafka",
    "kafka-stop",
    "lock",
    "clean",
}


def make(root: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    # Make hands its flags to makes below it; these runs are to be as if typed.
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CI"):
        environment.pop(name, None)
    command = [shutil.which("make") or "make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def copy(root: Path, to: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(root / name, to / name)
    return to


def only(folder: Path, **programs: str) -> str:
    """A PATH with the shell's tools and these scripts as the only programs."""
    folder.mkdir()
    for tool in ("sh", "echo"):
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    for name, body in programs.items():
        script = folder / name
        script.write_text(f"#!{shutil.which('sh')}\n{body}\n")
        script.chmod(0o755)
    return str(folder)


def test_help_lists_every_target(root: Path) -> None:
    """Plain `make` prints each target with what it does."""
    listed = re.findall(r"^  make (\S+) +\S", make(root).stdout, re.MULTILINE)
    assert sorted(TARGETS) == sorted(listed)


def test_every_target_is_known_to_make(root: Path) -> None:
    """A dry run of each target finds a recipe."""
    for target in sorted(TARGETS):
        done = make(root, "--dry-run", target)
        assert done.returncode == 0, done.stderr


def test_ci_calls_targets(root: Path) -> None:
    """CI runs the targets that people run, and all that guard the main branch."""
    steps = re.search(r"for target in ([a-z ]+);", (root / ".ci" / "run").read_text())
    assert steps is not None
    assert ["lint", "types", "test", "demo"] == steps.group(1).split()
    assert os.access(root / ".ci" / "run", os.X_OK)


def test_no_python_is_said_plainly(root: Path, tmp_path: Path) -> None:
    """Without Python 3.11 the one line says what is needed."""
    path = only(tmp_path / "bin", python3="exit 1")
    done = make(copy(root, tmp_path), "test", path=path)
    assert done.returncode != 0
    assert "Tocsin needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_no_venv_module_is_said_plainly(root: Path, tmp_path: Path) -> None:
    """A Python without venv (Debian splits it off) is named, with what to install."""
    path = only(tmp_path / "bin", python3='case "$2" in *ensurepip*) exit 1;; esac')
    done = make(copy(root, tmp_path), "test", path=path)
    assert done.returncode != 0
    assert "python3 has no venv module" in done.stderr


def test_a_ready_environment_is_left_alone(root: Path, tmp_path: Path) -> None:
    """With a stamp newer than lock and project, nothing is installed and no network is asked."""
    copy(root, tmp_path)
    for name in ("python", "pytest"):
        script = tmp_path / ".venv" / "bin" / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text('#!/bin/sh\necho "ran $*"\n')
        script.chmod(0o755)
    (tmp_path / ".venv" / "ready").touch()
    assert (
        make(tmp_path, "test", "ARGS=-k one").stdout
        == "ran -m pytest -n 2 --dist loadgroup -k one\n"
    )
