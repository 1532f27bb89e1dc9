"""The real promtool for tests: found or built, and asked for its verdict on a test file."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.go import UnavailableError
from deploy.prometheus.build import FOLDER, PROMTOOL

IN_CI = os.environ.get("CI") == "true"


class Verdict(NamedTuple):
    """Exit code, and what was printed."""

    code: int
    out: str
    err: str


def find_promtool() -> Path:
    """Path of promtool; without it the test is skipped, and in CI fails."""
    try:
        return PROMTOOL.ensure(FOLDER)
    except UnavailableError as error:
        if IN_CI:
            pytest.fail(f"CI needs promtool: {error}", pytrace=False)
        pytest.skip(f"no promtool: {error}")


def judge(promtool: Path, file: Path, *options: str) -> Verdict:
    """Promtool's verdict on a test file, run in its folder."""
    done = subprocess.run(
        [promtool, "test", "rules", *options, file.name],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Verdict(done.returncode, done.stdout, done.stderr)
