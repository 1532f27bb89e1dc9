"""requirements.lock: what `make` fills .venv from."""

import re
import tomllib
from pathlib import Path

import pytest

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def lock(root: Path) -> str:
    return (root / "requirements.lock").read_text()


def test_every_pin_has_hashes(lock: str) -> None:
    """Each pinned package is followed by at least one hash, and nothing in the lock is unpinned."""
    blocks = re.split(r"\n(?=[a-z0-9])", lock[lock.index("\n", lock.index("make lock")) + 1 :])
    assert len(blocks) > 40
    for block in blocks:
        assert PIN.match(block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_no_address_and_no_path(lock: str) -> None:
    """The lock names packages, versions and hashes, but no place to fetch them from."""
    for trace in ("://", "index-url", "find-links", "file:", " @ ", "/usr", "/home"):
        assert trace not in lock


def test_every_declared_dependency_is_locked(root: Path, lock: str) -> None:
    """What pyproject.toml asks for, in the core, the extras and the tools, stands in the lock."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]["embedded"]
    wanted = project["project"]["dependencies"] + extras + project["dependency-groups"]["dev"]
    names = {re.split(r"[<>=!\[ ;~]", line)[0].lower() for line in wanted}
    names = {re.sub(r"[-_.]+", "-", name) for name in names}
    assert names <= {name for name, _version in PIN.findall(lock)}


def test_exact_pins_agree(root: Path, lock: str) -> None:
    """Where pyproject.toml pins exactly (it leans on private parts), the lock has that version."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    exact = {tuple(line.split("==")) for line in project["project"]["dependencies"] if "==" in line}
    assert exact
    assert exact <= set(PIN.findall(lock))
