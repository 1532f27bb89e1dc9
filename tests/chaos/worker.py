"""`python -m tests.chaos.worker OFFSET_FILE WORD...`: tocsin with these words, by a clock that somebody else may set.

The file holds milliseconds, a signed 64-bit number, by which the wall clock of this process is wrong from now on;
whoever reads the time in Python sees it: Tocsin's own clock, the Kafka client, the log. The monotonic clock goes on, as
it does where a machine's time is set.
"""

import mmap
import struct
import sys
import time
from pathlib import Path

FORM = struct.Struct("<q")


def bend_clock(path: Path) -> None:
    """Let `time.time` and `time.time_ns` follow the file."""
    with path.open("rb") as file:
        shared = mmap.mmap(file.fileno(), FORM.size, prot=mmap.PROT_READ)
    seconds, nanoseconds = time.time, time.time_ns

    def offset_ms() -> int:
        return int(FORM.unpack_from(shared)[0])

    time.time = lambda: seconds() + offset_ms() / 1_000
    time.time_ns = lambda: nanoseconds() + offset_ms() * 1_000_000


if __name__ == "__main__":
    bend_clock(Path(sys.argv[1]))
    from streams.cli.main import main

    main(sys.argv[2:], prog_name="tocsin")
