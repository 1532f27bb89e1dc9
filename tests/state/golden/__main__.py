"""`python -m tests.state.golden NUMBER`: write the snapshots of all stages at the story's cut, as this code makes them.

They are kept as `NUMBER/STAGE.bin`, and no code that comes later may fail to read the last two sets. A set is made
once, by the code whose snapshots it keeps: when a stage's form changes, first make the set of the code before.
"""

import argparse
import zlib
from pathlib import Path

from tests.state.golden.story import Stages, halves

HERE = Path(__file__).parent


def main() -> None:
    """Write one set."""
    parser = argparse.ArgumentParser(prog="python -m tests.state.golden", description=__doc__)
    parser.add_argument("number", type=int)
    folder = HERE / str(parser.parse_args().number)
    folder.mkdir()
    stages = Stages()
    stages.feed(halves()[0])
    for name, stage in stages.by_name.items():
        (folder / f"{name}.bin").write_bytes(zlib.compress(stage.snapshot(), 9))


if __name__ == "__main__":
    main()
