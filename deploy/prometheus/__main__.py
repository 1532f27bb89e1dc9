"""Builds the judges of the differential tests: `python3 -m deploy.prometheus [promtool|prometheus ...]`.

Needs Go and nothing but Python's standard library. Prints the path of each; exit codes: 0 done, 1 failed.
"""

import argparse
import sys
from pathlib import Path

from deploy.prometheus.build import FOLDER, PROGRAMS, UnavailableError, ensure


def main(arguments: list[str] | None = None) -> int:
    """Build what is asked for; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.prometheus", description=__doc__)
    parser.add_argument("program", nargs="*", choices=[*PROGRAMS, []], help="promtool if not given")
    parser.add_argument("--dir", type=Path, default=FOLDER, help="programs and module")
    options = parser.parse_args(arguments)
    try:
        for program in options.program or ["promtool"]:
            print(ensure(program, options.dir))
    except UnavailableError as error:
        print(f"prometheus: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
