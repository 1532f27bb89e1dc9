"""The watchdog: ends a process that looks alive and does nothing.

Faust has ways to stop for good without an error: a rebalance that never ends, a fetcher that waits for
ever, a checkpoint that dies quietly. A thread of its own looks at a few numbers and ends the process
when one of them has not moved for too long; whoever started the process starts it again, and it goes on
from its last checkpoint.

It refuses to judge an idle worker: without lag, without a rebalance and without anything unsaved,
nothing has to move.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

log = logging.getLogger(__name__)

EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h


class StallReason(StrEnum):
    """Why a process was ended."""

    REBALANCING = "rebalancing"
    NO_PROGRESS = "no_progress"
    NOT_SAVING = "not_saving"


class Vitals(NamedTuple):
    """What the watchdog looks at; `applied` and `saves` only ever grow."""

    rebalancing: bool
    lag: int
    applied: int
    unsaved: bool
    saves: int


class Watch:
    """Judges the vitals of one stage; pure, time comes in as seconds of any clock that does not jump."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._since: dict[StallReason, float] = {}
        self._last: Vitals | None = None

    def observe(self, now_seconds: float, vitals: Vitals) -> StallReason | None:
        """A reason to end the process, or None."""
        last = self._last or vitals
        self._last = vitals
        stalled = {
            StallReason.REBALANCING: vitals.rebalancing,
            StallReason.NO_PROGRESS: vitals.lag > 0 and vitals.applied == last.applied,
            StallReason.NOT_SAVING: vitals.unsaved and vitals.saves == last.saves,
        }
        for reason, stands in stalled.items():
            if not stands:
                self._since.pop(reason, None)
            elif now_seconds - self._since.setdefault(reason, now_seconds) > self._limit_seconds:
                return reason
        return None


def end_process(message: str) -> None:
    """Log and leave at once; a hanging event loop would never finish a proper stop."""
    log.critical(message)
    logging.shutdown()
    os._exit(EXIT_CODE)


class Watchdog:
    """The thread around `Watch`, one watch for each stage."""

    def __init__(
        self,
        vitals: Mapping[str, Callable[[], Vitals]],
        *,
        limit_seconds: float = 120.0,
        period_seconds: float = 1.0,
        end: Callable[[str], None] = end_process,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vitals = vitals
        self._watches = {stage: Watch(limit_seconds) for stage in vitals}
        self._limit_seconds = limit_seconds
        self._period_seconds = period_seconds
        self._end = end
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tocsin-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer; returns when the thread has ended."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._period_seconds):
            for stage, read in self._vitals.items():
                reason = self._watches[stage].observe(self._seconds(), read())
                if reason is not None:
                    self._end(
                        f"stage {stage} has stalled ({reason.value}) for more than "
                        f"{self._limit_seconds:g} seconds; the process ends"
                    )
                    return
