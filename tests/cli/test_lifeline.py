"""What ends a worker that nobody waits for any more, or that takes too long, in processes of their own."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import own_environment

PROGRAM = """
import asyncio, sys, time
from streams.cli import lifeline
lifeline.ORPHAN_SECONDS = 1.0
async def main():
    with lifeline.stopping(1.0) as stop:
        if sys.argv[1:]:
            lifeline.hold(int(sys.argv[1]))
        print("ready", flush=True)
        BODY
asyncio.run(main())
"""
PROMPT = "await stop.wait()"
SLOW = "await stop.wait(); await asyncio.sleep(60)"
HANGING = "time.sleep(60)"


def start(body: str, lifeline: int | None = None) -> subprocess.Popen[str]:
    """A process that is to be stopped, once it is ready for that."""
    program = PROGRAM.replace("BODY", body)
    given = [] if lifeline is None else [str(lifeline)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", program, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=own_environment(),
        pass_fds=[] if lifeline is None else [lifeline],
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    """Who stops in time ends as it should."""
    process = start(PROMPT)
    process.send_signal(number)
    assert ("", "") == process.communicate(timeout=120)
    assert 0 == process.returncode


def test_a_stop_that_takes_too_long_ends_anyway() -> None:
    """The exit code is that of a fault, and one line says why."""
    process = start(SLOW)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert 70 == process.returncode
    assert "a stop took over 1 s; what was not saved is done again\n" == said
    assert 50 > time.monotonic() - began


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(PROMPT, 0, id="it stops as by SIGTERM"),
        pytest.param(SLOW, 70, id="it is given little time"),
        pytest.param(HANGING, 70, id="a hanging event loop holds up nothing"),
    ],
)
def test_the_end_of_the_supervisor_is_the_end(body: str, expected: int) -> None:
    """When the other end of the pipe closes, a worker stops, in whatever state it is."""
    reader, writer = os.pipe()
    process = start(body, reader)
    os.close(reader)
    assert process.poll() is None
    os.close(writer)
    process.communicate(timeout=120)
    assert expected == process.returncode
