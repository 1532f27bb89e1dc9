"""The lifeline: what ends a worker whose supervisor is gone, or that takes too long to stop.

The supervisor holds one end of a pipe and never writes; the kernel closes it with the supervisor, however
that ended, and the worker at the other end reads it. Both kinds of end work from threads, so a hanging
event loop holds up neither.

It refuses to look at process ids: they are used again.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from streams.cli.main import EXIT_FAULT

log = logging.getLogger(__name__)

ORPHAN_SECONDS = 4.0
"""How long a worker without a supervisor may take to stop."""
STOP_SECONDS = 9.0
"""How long a stop may take: a second less than what supervisors and containers grant before they kill."""


def hold(lifeline: int) -> None:
    """Stop this process as by SIGTERM when the other end of the pipe is closed, and end it if that takes too long."""
    threading.Thread(target=_hold, args=(lifeline,), name="tocsin-lifeline", daemon=True).start()


def _hold(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_SECONDS)
    _end(f"the supervisor is gone, and a stop took over {ORPHAN_SECONDS:g} s")


@contextmanager
def stopping(limit_seconds: float | None) -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set; where the block then takes longer than the limit, the process ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    last = None if limit_seconds is None else _alarm(limit_seconds)

    def told() -> None:
        if last is not None and not stop.is_set():
            last.start()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
    try:
        yield stop
    finally:
        if last is not None:
            last.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _alarm(seconds: float) -> threading.Timer:
    why = f"a stop took over {seconds:g} s; what was not saved is done again"
    alarm = threading.Timer(seconds, _end, (why,))
    alarm.daemon = True
    return alarm


def _end(why: str) -> None:
    log.critical(why)
    logging.shutdown()
    os._exit(EXIT_FAULT)
