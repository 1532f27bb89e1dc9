"""Only one file reads the wall clock, and none the global random source: times and seeds come in."""

import ast
from pathlib import Path

import pytest

PACKAGES = ("schemas", "detectors", "streams", "sinks")
CLOCK = Path("streams", "time", "clock.py")
FORBIDDEN = {
    "time.time",
    "time.time_ns",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "uuid.uuid1",
    "uuid.uuid4",
    "os.urandom",
}
FORBIDDEN_MODULES = ("random.", "secrets.", "numpy.random.")
SEEDED = {
    "random.Random",
    "numpy.random.Generator",
    "numpy.random.default_rng",
    "numpy.random.PCG64",
    "numpy.random.SeedSequence",
}


def readings(source: str) -> list[str]:
    """Each use of a forbidden clock or random source, as `line: full name`."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            full = _full(node, names)
            bad = full in FORBIDDEN or full.startswith(FORBIDDEN_MODULES)
            if bad and full not in SEEDED:
                found.append(f"{node.lineno}: {full}")
    return found


def _full(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        owner = _full(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import time as t\nt.time_ns()",
        "from time import time\ntime()",
        "from datetime import datetime as d, UTC\nd.now(UTC)",
        "import datetime\ndatetime.datetime.utcnow()",
        "import random\nrandom.random()",
        "from random import choice\nchoice([1])",
        "import numpy as np\nnp.random.normal()",
        "from uuid import uuid4\nread = uuid4",
    ],
)
def test_a_reading_is_seen(source: str) -> None:
    """Every way to import and call a clock or the global random source is recognised."""
    assert len(readings(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.monotonic()",
        "import random\nrandom.Random(7).random()",
        "import numpy as np\nnp.random.default_rng(7).normal()",
        "def f(time):\n    return time.time()",
        "from schemas.time import now\nnow()",
    ],
)
def test_what_is_allowed_passes(source: str) -> None:
    """Durations, seeded generators and look-alikes are no readings of the clock."""
    assert readings(source) == []


def test_only_the_clock_reads_the_clock(own_files: list[Path], root: Path) -> None:
    """In the four packages nothing but streams/time/clock.py knows what time it is."""
    hits = []
    for file in own_files:
        path = file.relative_to(root)
        if path.suffix == ".py" and path.parts[0] in PACKAGES and path != CLOCK:
            hits += [f"{path}:{reading}" for reading in readings(file.read_text())]
    assert [] == hits
