"""Holds our plans against Prometheus's engine: `python -m tests.rules.differential [run|freeze]`.

`run --seed 1 --count 1000` evaluates random expressions and prints how many agree, and each difference in its
smallest form; exit code 1 where there is one. `freeze` asks Prometheus for the golden answers anew.
"""

import argparse
import json
import sys
from pathlib import Path
from random import Random

from tests.rules.conftest import make_store
from tests.rules.differential.compare import (
    INSTANTS_S,
    SUBQUERY_STEP_MS,
    Sent,
    differences,
    random_cases,
    shrink,
)
from tests.rules.differential.judge import VERSION, Case, ask, build
from tests.rules.differential.series import EVERY_S, random_series, random_times

GOLDEN = Path(__file__).parents[1] / "golden"
FROZEN_SEED = 3
FROZEN = 300


def say(line: str) -> None:
    """A line for the terminal."""
    sys.stdout.write(line + "\n")


def run(seed: int, count: int, depth: int) -> int:
    """Compare and print; 1 where something differs."""
    program = build()
    found = differences(program, seed, count, make_store, depth)
    series = random_series(Random(seed))
    sent = Sent(series, random_times(seed, series))
    store = make_store(series, EVERY_S, sent.times_ms)
    for each in found:
        smallest = shrink(program, sent, each.case, store) or each
        say(f"{smallest.case.expression}  at {smallest.case.at_s} s  (seed {seed})")
        say(f"  Prometheus: {smallest.expected}")
        say(f"  Tocsin:     {smallest.found} {smallest.why}")
    say(f"{count} expressions, {count - len(found)} equal to Prometheus's, seed {seed}")
    return 1 if found else 0


def written(name: str) -> list[str]:
    """The expressions of a file of the golden ones."""
    lines = (GOLDEN / f"{name}.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def freeze() -> int:
    """Write the golden answers: of `expressions.txt` at four instants, of `syntax.txt` at one, and of random ones."""
    random = Random(FROZEN_SEED)
    series = random_series(random)
    cases = [Case(line, at_s) for line in written("expressions") for at_s in INSTANTS_S[2::3]]
    cases += [Case(line, INSTANTS_S[5]) for line in written("syntax")]
    cases += random_cases(random, FROZEN)
    answers = ask(build(), series, EVERY_S, cases, step_s=SUBQUERY_STEP_MS // 1000)
    shown = ",\n".join(
        json.dumps([*case, answer]) for case, answer in zip(cases, answers, strict=True)
    )
    head = json.dumps(
        {"about": f"Answers of Prometheus {VERSION}; null is an error", "every_s": EVERY_S}
    )
    text = f'{head[:-1]}, "series": {json.dumps(series, indent=0)},\n"cases": [\n{shown}\n]}}\n'
    (GOLDEN / "language.json").write_text(text)
    say(f"{len(cases)} cases, {sum(answer is None for answer in answers)} of them errors")
    return 0


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="tests.rules.differential", description=__doc__)
    parser.add_argument("verb", choices=["run", "freeze"], nargs="?", default="run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--depth", type=int, default=3)
    options = parser.parse_args()
    if options.verb == "freeze":
        return freeze()
    return run(options.seed, options.count, options.depth)


if __name__ == "__main__":
    sys.exit(main())
