"""What Alertmanager answers: its own packages, as a small Go program in `engine/` with a clock of its own."""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from deploy.go import Program, go
from deploy.prometheus.build import FOLDER
from tests.correlate.differential.play import play
from tests.correlate.differential.scenarios import Scenario

VERSION = "v0.34.0"
ASKED = 3
SOURCE = Path(__file__).parent / "engine" / "judge_test.go"
_MODULE = f"module judge\n\ngo 1.25.0\n\nrequire github.com/prometheus/alertmanager {VERSION}\n"


def find(folder: Path = FOLDER) -> Path | None:
    """Path of the program, None where it has not been built."""
    return JUDGE.find(folder)


def build(folder: Path = FOLDER) -> Path:
    """Path of the program, built unless it is there; the build takes a minute.

    Raises:
        UnavailableError: there is no Go, or the build failed.

    """
    return JUDGE.ensure(folder)


def _make(folder: Path, part: Path) -> None:
    room = folder / "alertmanager-judge"
    room.mkdir(parents=True, exist_ok=True)
    (room / "go.mod").write_text(_MODULE)
    (room / SOURCE.name).write_bytes(SOURCE.read_bytes())
    go(["mod", "tidy"], room)
    go(["test", "-c", "-o", str(part), "."], room)


_STAMP = blake2b(SOURCE.read_bytes() + VERSION.encode(), digest_size=6).hexdigest()
JUDGE = Program("judge-alertmanager", _STAMP, _make)


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
