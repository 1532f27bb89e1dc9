"""What the tests of the house itself look at: its root and the files in it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MADE = {"__pycache__", "build", "dist"}
KEPT = {".ci", ".editorconfig", ".gitignore", ".pre-commit-config.yaml"}


def _belongs(name: str) -> bool:
    made = name in MADE or name.endswith((".egg-info", ".pyc", ".db", ".db-shm", ".db-wal"))
    return name in KEPT or not (made or name.startswith("."))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def own_files() -> list[Path]:
    """Every file of the repository, found without git: a source archive has none."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if _belongs(name)]
        found += [Path(folder, name) for name in names if _belongs(name)]
    return sorted(found)
