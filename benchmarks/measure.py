"""Measure: what a stretch of work cost a whole process, all threads and the kernel's part included.

A meter runs inside the process that is measured, between two counts of messages, so that start and warm-up are left
out. Its figures leave as one line of JSON, the last on standard output.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

import msgspec

TIMEOUT_SECONDS = 300.0
STRETCHES = 3


class Measured(msgspec.Struct, frozen=True):
    """Messages between start and stop, and what they cost.

    `notes` are counts that show that the job was done: alerts, checkpoints.
    """

    messages: int
    cpu_seconds: float
    wall_seconds: float
    notes: dict[str, int] = {}

    @property
    def per_core_second(self) -> float:
        """Messages per second of CPU time."""
        return self.messages / self.cpu_seconds

    @property
    def per_second(self) -> float:
        """Messages per second of the wall's clock."""
        return self.messages / self.wall_seconds


class Meter:
    """Reads the process's CPU time at a count of messages, and again at a later one."""

    def __init__(self, messages: int) -> None:
        """Begin now, with this many messages done."""
        self._messages = messages
        self._cpu_seconds = cpu_seconds()
        self._wall_seconds = time.perf_counter()

    def stop(self, messages: int, **notes: int) -> Measured:
        """The stretch up to now, with this many messages done."""
        return Measured(
            messages - self._messages,
            cpu_seconds() - self._cpu_seconds,
            time.perf_counter() - self._wall_seconds,
            notes,
        )


def cpu_seconds() -> float:
    """CPU time of this process so far, all threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def report(measured: Measured) -> None:
    """Print what was measured, for the process that started this one."""
    print(msgspec.json.encode(measured).decode(), flush=True)


def measured_in_process(module: str, arguments: Sequence[str]) -> Measured:
    """Run a module in a process of its own; what it reports.

    Raises:
        RuntimeError: it failed; the message holds the end of what it said.

    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    if done.returncode or not done.stdout.strip():
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise RuntimeError(f"{module} ended with {done.returncode}:\n{said}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Measured)


class Repeated(list[Measured]):
    """The same measurement several times over."""

    @property
    def per_core_second(self) -> float:
        """The median of the runs."""
        return median(m.per_core_second for m in self)

    @property
    def per_second(self) -> float:
        """The median of the runs."""
        return median(m.per_second for m in self)


def per_cpu_second(work: Callable[[], int], seconds: float) -> float:
    """How many things a function does in a second of CPU time: it says how many one call did.

    The first call is warm-up. The best of three stretches counts, for whatever else runs here can only slow it down.
    """
    work()
    best = 0.0
    for _ in range(STRETCHES):
        done, spent, began = 0, 0.0, time.process_time()
        while spent < seconds / STRETCHES:
            done += work()
            spent = time.process_time() - began
        best = max(best, done / spent)
    return best
