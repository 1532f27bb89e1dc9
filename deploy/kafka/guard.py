"""Runs a command for as long as the process that asked for it lives, then removes the folder that it worked in.

Started as a script, in a session of its own: `guard.py ASKER_PID FOLDER COMMAND...`. A test run that is killed
outright cannot stop its Kafka; this can, because an orphan has another parent.
Refuses to outlive its command: its exit code is the command's.
"""

import os
import shutil
import signal
import subprocess
import sys

POLL_SECONDS = 0.25


def main(asker: int, folder: str, command: list[str]) -> int:
    """Watch over `command`; the exit code is the command's, or 1 when the asker went first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    child = subprocess.Popen(command)
    try:
        while os.getppid() == asker:
            try:
                return child.wait(timeout=POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return 1
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
