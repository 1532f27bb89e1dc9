"""The watchdog: ends a process that looks alive and does nothing.

Faust has ways to stop for good without an error: a rebalance that never ends, a fetcher that waits for
ever, a checkpoint that dies quietly. A thread of its own looks at a few numbers and ends the process
when one of them has not moved for too long; whoever started the process starts it again, and it goes on
from its last checkpoint. It also asks the event loop for an answer, and where the interpreter itself is
held, so that no thread of Python runs, C code of `faulthandler` ends the process.

It refuses to judge an idle worker: without lag, without a rebalance and without anything unsaved,
nothing has to move. Nor does it judge what a restart could not mend: while the broker does not answer
only the event loop is watched, and while outputs are not accepted nothing else is held against a stage.
"""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from traceback import walk_stack
from types import MappingProxyType
from typing import NamedTuple

log = logging.getLogger(__name__)

EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: the same again may well succeed
HELD_SECONDS = 5.0
"""Outputs that wait longer than this are the reason for whatever else stands still."""
LEAP_SECONDS = 10.0
"""A watchdog that could not look for this long was stopped with its process, and has seen nothing."""
LAST_RESORT = 1.5
"""Of the limit for a blocked loop: after this the interpreter is taken to be held."""
FRAMES = 6
STDERR = 2


class StallReason(StrEnum):
    """Why a process was ended."""

    REBALANCING = "rebalancing"
    NO_PROGRESS = "no_progress"
    NOT_SAVING = "not_saving"
    NOT_DELIVERING = "not_delivering"
    LOOP_BLOCKED = "loop_blocked"


@dataclass(frozen=True)
class StallLimits:
    """How many seconds each kind of standstill may last.

    Deliveries have longer: the fault is most likely the broker's, and a new process would wait for it too.
    """

    rebalancing_seconds: float = 120.0
    progress_seconds: float = 120.0
    saving_seconds: float = 120.0
    delivery_seconds: float = 600.0
    blocked_seconds: float = 60.0

    def of(self, reason: StallReason) -> float:
        """The limit for this reason."""
        return {
            StallReason.REBALANCING: self.rebalancing_seconds,
            StallReason.NO_PROGRESS: self.progress_seconds,
            StallReason.NOT_SAVING: self.saving_seconds,
            StallReason.NOT_DELIVERING: self.delivery_seconds,
            StallReason.LOOP_BLOCKED: self.blocked_seconds,
        }[reason]


class Vitals(NamedTuple):
    """What the watchdog looks at; `applied`, `delivered` and `saves` only ever grow."""

    rebalancing: bool
    lag: int
    applied: int
    unsaved: bool
    saves: int
    undelivered: int
    delivered: int
    reachable: bool = True


class Watch:
    """Judges the vitals of one stage; pure, time comes in as seconds of any clock that does not jump."""

    def __init__(self, limits: StallLimits) -> None:
        self._limits = limits
        self._since: dict[StallReason, float] = {}
        self._last: Vitals | None = None

    def observe(self, now_seconds: float, vitals: Vitals) -> StallReason | None:
        """A reason to end the process, or None."""
        last = self._last or vitals
        self._last = vitals
        here = vitals.reachable
        stuck = vitals.delivered == last.delivered
        if self._lasts(
            StallReason.NOT_DELIVERING, now_seconds, here and stuck and vitals.undelivered > 0
        ):
            return StallReason.NOT_DELIVERING
        waiting = now_seconds - self._since.get(StallReason.NOT_DELIVERING, now_seconds)
        judged = here and waiting < HELD_SECONDS
        stands = {
            StallReason.REBALANCING: vitals.rebalancing,
            # outputs that leave one by one from a full outbox are progress too
            StallReason.NO_PROGRESS: vitals.lag > 0 and stuck and vitals.applied == last.applied,
            StallReason.NOT_SAVING: vitals.unsaved and vitals.saves == last.saves,
        }
        # all are noted before one is named, so that none keeps an old time
        found = [r for r, still in stands.items() if self._lasts(r, now_seconds, judged and still)]
        return found[0] if found else None

    def forget(self) -> None:
        """Begin anew: nobody looked for a while."""
        self._since.clear()
        self._last = None

    def _lasts(self, reason: StallReason, now_seconds: float, stands: bool) -> bool:
        if not stands:
            self._since.pop(reason, None)
            return False
        since = self._since.setdefault(reason, now_seconds)
        return now_seconds - since > self._limits.of(reason)


def end_process(message: str) -> None:
    """Log and leave at once; a hanging event loop would never finish a proper stop."""
    log.critical(message)
    logging.shutdown()
    os._exit(EXIT_CODE)


class Watchdog:
    """The thread around `Watch`, one watch for each stage, and a watch on the event loop that starts it."""

    def __init__(
        self,
        vitals: Mapping[str, Callable[[], Vitals]] = MappingProxyType({}),
        *,
        limits: StallLimits | None = None,
        period_seconds: float = 1.0,
        end: Callable[[str], None] = end_process,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits or StallLimits()
        self.watch(vitals)
        self._period_seconds = period_seconds
        self._end = end
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._asked_at: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tocsin-watchdog", daemon=True)

    def watch(self, vitals: Mapping[str, Callable[[], Vitals]]) -> None:
        """Look at these stages from now on; at the event loop it looks always."""
        self._watches = {stage: (Watch(self._limits), read) for stage, read in vitals.items()}

    def start(self) -> None:
        """Begin to watch; called on the loop that is to be watched."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer; returns when the thread has ended."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        faulthandler.cancel_dump_traceback_later()

    def _run(self) -> None:
        looked_at = self._seconds()
        while True:
            self._arm()
            if self._stopped.wait(self._period_seconds):
                return
            now = self._seconds()
            if now - looked_at > self._period_seconds + LEAP_SECONDS:
                self._forget()
            looked_at = now
            if self._loop_is_blocked(now):
                self._finish("the event loop", StallReason.LOOP_BLOCKED, "no answer")
                return
            for stage, (watch, read) in self._watches.items():
                vitals = read()
                reason = watch.observe(now, vitals)
                if reason is not None:
                    told = ", ".join(f"{name} {value}" for name, value in vitals._asdict().items())
                    self._finish(f"stage {stage}", reason, told)
                    return

    def _arm(self) -> None:
        """Put off the last resort once more; while something holds the interpreter, nobody does."""
        later = self._period_seconds + self._limits.blocked_seconds * LAST_RESORT
        faulthandler.dump_traceback_later(later, exit=True, file=STDERR)

    def _loop_is_blocked(self, now: float) -> bool:
        asked_at = self._asked_at  # the loop may answer at any moment
        if asked_at is None:
            assert self._loop is not None
            self._asked_at = now
            self._loop.call_soon_threadsafe(self._answer)
            return False
        return now - asked_at > self._limits.blocked_seconds

    def _answer(self) -> None:
        self._asked_at = None

    def _forget(self) -> None:
        for watch, _ in self._watches.values():
            watch.forget()
        self._asked_at = None

    def _finish(self, who: str, reason: StallReason, told: str) -> None:
        self._end(
            f"{who} has stalled ({reason.value}) for more than {self._limits.of(reason):g} seconds: "
            f"{told}; the loop is at {where(self._loop_thread)}; the process ends"
        )


def where(thread: int) -> str:
    """The innermost places of a thread's stack as one line, the innermost first."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001  the documented way to another thread's stack
    if frame is None:
        return "no frame"
    places = []
    for found, line in islice(walk_stack(frame), FRAMES):
        path = "/".join(Path(found.f_code.co_filename).parts[-2:])
        places.append(f"{path}:{line} in {found.f_code.co_name}")
    return " < ".join(places)
