"""Hold our routes against Alertmanager's: `python -m tests.correlate.differential --scenarios 3000`.

It builds a small Go program over Alertmanager's own packages, once. `--write` keeps its answers to the questions that
the tests ask. Exit code 1: some answers differ.
"""

import argparse
import sys

from tests.correlate.differential import golden, judge
from tests.correlate.differential.moments import MATCHERS, moments
from tests.correlate.differential.play import play
from tests.correlate.differential.scenarios import random_scenario


def main() -> int:
    """Ask about random scenarios, or write the kept answers anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=300, help="how many random ones")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first")
    parser.add_argument("--write", action="store_true", help="keep the answers that the tests need")
    given = parser.parse_args()
    program = judge.build()
    if given.write:
        golden.save(
            judge.ask(program, scenarios=golden.scenarios(), matchers=MATCHERS, moments=moments())
        )
        return 0
    asked = [random_scenario(given.seed + n) for n in range(given.scenarios)]
    differing = [s.name for s in judge.differing(program, asked)]
    told = sum(len(play(s)) for s in asked)
    line = f"{len(asked)} scenarios, {told} notifications, {len(differing)} scenarios differ"
    sys.stdout.write(f"{line} {' '.join(differing)}\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
