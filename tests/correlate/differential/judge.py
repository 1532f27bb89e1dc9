"""What Alertmanager answers: its own packages, as a small Go program in `engine/` with a clock of its own."""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from deploy.prometheus.build import FOLDER, UnavailableError
from tests.correlate.differential.play import play
from tests.correlate.differential.scenarios import Scenario

VERSION = "v0.34.0"
ASKED = 3
SOURCE = Path(__file__).parent / "engine" / "judge_test.go"
_MODULE = f"module judge\n\ngo 1.25.0\n\nrequire github.com/prometheus/alertmanager {VERSION}\n"


def find(folder: Path = FOLDER) -> Path:
    """Where the program is, or would be."""
    stamp = blake2b(SOURCE.read_bytes() + VERSION.encode(), digest_size=6).hexdigest()
    return folder / f"alertmanager-judge-{stamp}"


def build(folder: Path = FOLDER) -> Path:
    """Path of the program, built unless it is there; the build takes a minute.

    Raises:
        UnavailableError: there is no Go, or the build failed.

    """
    program = find(folder)
    if program.is_file():
        return program
    room = folder / "alertmanager-judge"
    room.mkdir(parents=True, exist_ok=True)
    (room / "go.mod").write_text(_MODULE)
    (room / SOURCE.name).write_bytes(SOURCE.read_bytes())
    part = folder / f"{program.name}.part"
    for command in (["go", "mod", "tidy"], ["go", "test", "-c", "-o", str(part), "."]):
        try:
            done = subprocess.run(
                command, cwd=room, capture_output=True, text=True, check=False, timeout=1800
            )
        except FileNotFoundError as error:
            raise UnavailableError("there is no Go to build the judge with") from error
        if done.returncode:
            raise UnavailableError(f"the judge does not build: {done.stderr[-2000:]}")
    part.rename(program)
    return program


def ask(
    program: Path,
    *,
    scenarios: Iterable[Scenario] = (),
    matchers: Sequence[str] = (),
    moments: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Alertmanager's answers: who is told what, what the texts of matchers mean, which times lie in which interval."""
    asked = {
        "scenarios": [s.question() for s in scenarios],
        "matchers": list(matchers),
        "moments": moments or {},
    }
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder) / "question.json", Path(folder) / "answer.json"
        question.write_text(json.dumps(asked))
        done = subprocess.run(
            [str(program), "-test.run", "TestJudge"],
            env={"JUDGE_INPUT": str(question), "JUDGE_OUTPUT": str(answer)},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode:
            raise RuntimeError(f"the judge failed: {(done.stdout + done.stderr)[-3000:]}")
        found: dict[str, Any] = json.loads(answer.read_text())
    for name, told in found["scenarios"].items():
        keys = ("at", "receiver", "group", "reason", "firing", "resolved")
        found["scenarios"][name] = sorted([entry[k] for k in keys] for entry in told)
    return found


def differing(program: Path, scenarios: Iterable[Scenario]) -> list[Scenario]:
    """Scenarios in which we tell something else, however often Alertmanager is asked.

    Two of its groups that share what a receiver was told, and fall due in the same instant, race each other: such an
    answer is not always the same.
    """
    left = list(scenarios)
    for _ in range(ASKED):
        answers = ask(program, scenarios=left)["scenarios"] if left else {}
        left = [s for s in left if play(s) != answers[s.name]]
    return left
