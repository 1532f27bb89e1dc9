"""`python -m tests.fuzz [FORMAT...]`: a million spoilt records for every decoder, and none may raise.

What fails is printed with its seed, and the exit code is 1; the same `--seed` makes it again.
"""

import argparse
import random
import sys
import time
import traceback

from rich.progress import Progress

from schemas.wire.registry import names
from tests.fuzz.claims import check_columns, make, new_interner
from tests.fuzz.corpus import GOOD, mutate

CHUNK = 500
RENEWED = 50
"""Chunks after which decoder and interner begin anew: what they remember is bounded, but slow when it is full."""


def main(arguments: list[str] | None = None) -> int:
    """Fuzz; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help="default: all")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of each format")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    failed = False
    say = sys.stdout.write
    for name in given.formats or sorted(names()):
        began = time.monotonic()
        chunks = -(-given.inputs // CHUNK)
        inputs = 0
        with Progress(transient=True) as progress:
            bar = progress.add_task(name, total=chunks)
            for number in range(chunks):
                seed = f"{given.seed} {name} {number}"
                if not number % RENEWED:
                    decoder, interner = make(name), new_interner()
                chance = random.Random(seed)
                chunk = [mutate(chance, GOOD.get(name, [b""])) for _ in range(CHUNK)]
                try:
                    check_columns(name, chunk, decoder.decode(chunk, interner), interner)
                except Exception:  # noqa: BLE001  whatever it is, it is what is looked for
                    traceback.print_exc()
                    say(f"{name}: failed with seed {seed!r}\n")
                    failed = True
                    break
                inputs += CHUNK
                progress.advance(bar)
        seconds = time.monotonic() - began
        say(f"{name:20} {inputs:>12,} inputs {seconds:8.1f} s\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
