"""Builds the Collector of the tests: `python3 -m deploy.otel`.

Needs Go and nothing but Python's standard library. Prints its path; exit codes: 0 done, 1 failed.
"""

import argparse
import sys
from pathlib import Path

from deploy.otel.build import FOLDER, UnavailableError, ensure


def main(arguments: list[str] | None = None) -> int:
    """Build the Collector; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.otel", description=__doc__)
    parser.add_argument("--dir", type=Path, default=FOLDER, help="where the program goes")
    try:
        print(ensure(parser.parse_args(arguments).dir))
    except UnavailableError as error:
        print(f"collector: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
