"""The kept answers of Alertmanager, so that they can be held against ours where there is no Go."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tests.correlate.differential.moments import MATCHERS, moments
from tests.correlate.differential.named import named
from tests.correlate.differential.scenarios import Scenario, random_scenario

FILE = Path(__file__).parent / "golden.json"
RANDOM = range(150)


def scenarios() -> list[Scenario]:
    """The named ones, and random ones from the seeds that are kept."""
    return [*named(), *map(random_scenario, RANDOM)]


def stamp() -> str:
    """What was asked: answers to other questions mean nothing."""
    asked = [[s.question() for s in scenarios()], MATCHERS, moments()]
    return blake2b(json.dumps(asked).encode(), digest_size=8).hexdigest()


def load() -> dict[str, Any]:
    """The kept answers."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def save(answers: dict[str, Any]) -> None:
    """Keep answers; one line for each question, so that a change can be read."""
    told = answers["scenarios"]
    lines = [f"    {json.dumps(name)}: {json.dumps(told[name])}" for name in sorted(told)]
    rest = {"stamp": stamp(), "matchers": answers["matchers"], "moments": answers["moments"]}
    head = ",\n".join(f'  "{key}": {json.dumps(value)}' for key, value in rest.items())
    FILE.write_text("{\n" + head + ',\n  "scenarios": {\n' + ",\n".join(lines) + "\n  }\n}\n")
