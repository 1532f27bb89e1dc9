"""Asks Prometheus's own relabelling anew: `python -m tests.schemas.relabel` writes golden.json; needs Go.

The program is in `engine/`; it is built in a folder of its own from the module that `deploy.prometheus` fetches.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from deploy.prometheus.build import FOLDER, PROMTOOL, VERSION

HERE = Path(__file__).parent
GOLDEN = HERE / "golden.json"
SEED = 7
RANDOM = 600

NAMED = json.loads((HERE / "cases.json").read_text())
NAMES = ("__name__", "a", "b", "job", "instance", "a.b", "__tmp_x", "é")
VALUES = ("", "x", "y", "x;y", "web-1:9100", "ÄÖß", "A", "ab\ncd", "10")
REGEXES = ("(.*)", "", "x", "(.+)", "(a|b)(.*)", "(?P<one>[^:;]+)[:;]?(?P<two>.*)", "a.*", "x;y")
TEMPLATES = (
    "$1",
    "",
    "z",
    "${1}_$2",
    "$one",
    "${two}x",
    "$1x",
    "$$1",
    "$",
    "${}",
    "$3",
    "é$1",
    "$01",
)
SEPARATORS = (";", "", "-", "x")
ACTIONS = (
    *("replace", "keep", "drop", "keepequal", "dropequal", "hashmod"),
    *("labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase", "Replace"),
)
TARGETS = (*NAMES, "$1", "${one}_t", "t")


def random_rule(random: Random) -> dict[str, Any]:
    """A rule that is often sound."""
    rule: dict[str, Any] = {}
    action = random.choice(ACTIONS) if random.random() < 0.98 else "nothing"
    if action != "replace" or random.random() < 0.5:
        rule["action"] = action
    names_only = action in ("labeldrop", "labelkeep") and random.random() < 0.95
    equal = action in ("keepequal", "dropequal") and random.random() < 0.95
    if not names_only:
        rule["source_labels"] = random.sample(NAMES, random.randint(0, 3))
        if random.random() < 0.9:
            rule["target_label"] = random.choice(TARGETS)
    if not equal and random.random() < 0.7:
        rule["regex"] = random.choice(REGEXES) if random.random() < 0.97 else "("
    if action == "hashmod" and random.random() < 0.95:
        rule["modulus"] = random.choice((1, 2, 7, 1000))
    free = not names_only and not equal
    if free and action not in ("lowercase", "uppercase") and random.random() < 0.6:
        rule["replacement"] = random.choice(TEMPLATES)
    if free and random.random() < 0.2:
        rule["separator"] = random.choice(SEPARATORS)
    return rule


def random_case(random: Random) -> dict[str, Any]:
    """One to four rules and a label set."""
    labels = {name: random.choice(VALUES) for name in random.sample(NAMES, random.randint(1, 5))}
    return {"rules": [random_rule(random) for _ in range(random.randint(1, 4))], "labels": labels}


def ask(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Prometheus's answers."""
    PROMTOOL.ensure(FOLDER)
    with tempfile.TemporaryDirectory() as room:
        for file in (FOLDER / "module/go.mod", FOLDER / "module/go.sum", HERE / "engine/main.go"):
            shutil.copy(file, room)
        build = ["go", "build", "-mod=mod", "-buildvcs=false", "-o", "relabel", "."]
        subprocess.run(build, cwd=room, check=True)
        done = subprocess.run(
            [f"{room}/relabel"], input=json.dumps(cases), capture_output=True, text=True, check=True
        )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def main() -> None:
    """Write the golden file."""
    random = Random(SEED)
    cases = [{"rules": c["rules"], "labels": c["labels"]} for c in NAMED]
    cases += [random_case(random) for _ in range(RANDOM)]
    lines = ",\n".join(
        json.dumps({**case, "answer": answer}, ensure_ascii=False)
        for case, answer in zip(cases, ask(cases), strict=True)
    )
    about = f"Answers of Prometheus {VERSION}, by python -m tests.schemas.relabel"
    GOLDEN.write_text(f'{{"about": "{about}",\n"cases": [\n{lines}\n]}}\n')
    sys.stdout.write(f"{len(cases)} cases\n")


if __name__ == "__main__":
    main()
