"""What Prometheus answers: its own engine and storage, as a small Go program built once beside promtool.

The program is in `engine/`; promtool itself cannot be told to accept experimental functions in expressions.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, TypeAlias

from deploy.go import Program, go
from deploy.prometheus.build import FOLDER, PROMTOOL, VERSION

Answer: TypeAlias = dict[str, str] | None
"""Values by label set, as texts; None for an error."""

SOURCE = Path(__file__).parent / "engine" / "main.go"


class Case(NamedTuple):
    """An expression and the second at which it is evaluated."""

    expression: str
    at_s: int


def show(labels: Mapping[str, str]) -> str:
    """A label set as `name{a="b"}`."""
    pairs = ",".join(f'{n}="{v}"' for n, v in sorted(labels.items()) if n != "__name__")
    return labels.get("__name__", "") + (f"{{{pairs}}}" if pairs else "")


def build(folder: Path = FOLDER) -> Path:
    """Path of the program, built unless it is there.

    Raises:
        UnavailableError: there is no Go, or the build failed.

    """
    PROMTOOL.ensure(folder)  # it brings the module that the judge copies
    return JUDGE.ensure(folder)


def _make(folder: Path, part: Path) -> None:
    room = folder / "judge"
    room.mkdir(exist_ok=True)
    for name in ("go.mod", "go.sum"):
        (room / name).write_bytes((folder / "module" / name).read_bytes())
    (room / "main.go").write_bytes(SOURCE.read_bytes())
    go(["build", "-tags", "remove_all_sd", "-o", str(part), "."], room)


_STAMP = blake2b(SOURCE.read_bytes() + VERSION.encode(), digest_size=6).hexdigest()
JUDGE = Program("judge-promql", _STAMP, _make)


def ask(
    program: Path,
    series: Mapping[str, str],
    every_s: int,
    cases: Iterable[Case],
    *,
    step_s: int = 15,
    times_ms: Mapping[str, Sequence[int]] | None = None,
) -> list[Answer]:
    """Prometheus's answers, in the order of the cases; `times_ms` are those of irregular series."""
    times_ms = times_ms or {}
    asked = {
        "every_ms": every_s * 1000,
        "step_ms": step_s * 1000,
        "series": [
            {"labels": name, "values": values, "times_ms": times_ms.get(name)}
            for name, values in sorted(series.items())
        ],
        "cases": [{"expression": e, "at_ms": at_s * 1000} for e, at_s in cases],
    }
    done = subprocess.run(
        [str(program)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(f"the judge failed: {done.stderr[-2000:]}")
    return [
        None if "error" in each else {show(labels): value for labels, value in each["samples"]}
        for each in json.loads(done.stdout)
    ]
