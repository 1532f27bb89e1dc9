"""What Prometheus answers: its own engine and storage, as a small Go program built once beside promtool.

The program is in `engine/`; promtool itself cannot be told to accept experimental functions in expressions.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, TypeAlias

from deploy.prometheus.build import FOLDER, VERSION, UnavailableError, ensure

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
    stamp = blake2b(SOURCE.read_bytes() + VERSION.encode(), digest_size=6).hexdigest()
    program = folder / f"judge-{stamp}"
    if not program.is_file():
        ensure("promtool", folder)
        room = folder / "judge"
        room.mkdir(exist_ok=True)
        for name in ("go.mod", "go.sum"):
            (room / name).write_bytes((folder / "module" / name).read_bytes())
        (room / "main.go").write_bytes(SOURCE.read_bytes())
        part = folder / f"judge-{stamp}.part"
        command = ["go", "build", "-mod=mod", "-buildvcs=false", "-tags", "remove_all_sd"]
        done = subprocess.run(
            [*command, "-o", str(part), "."],
            cwd=room,
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )
        if done.returncode:
            raise UnavailableError(f"the judge does not build: {done.stderr[-2000:]}")
        part.rename(program)
    return program


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
