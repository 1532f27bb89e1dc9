"""Ports for programs that are started a moment later: brokers, workers and their peers on this machine.

Asking the system for any port gives one of the range that it also gives to connections going out, so by the time the
program listens there, or comes back after a restart, a connection may have it. These lie below that range.
Refuses nothing: where all are taken it goes on looking.
"""

import random
import socket
from contextlib import ExitStack

from deploy.kafka.probe import HOST

LOWEST, HIGHEST = 15_000, 30_000
"""Above the ports of well-known services, below the first that Linux and IANA (RFC 6335) give to connections."""


def free_ports(count: int = 1) -> list[int]:
    """So many ports in a row that nobody listens on."""
    while True:
        first = random.randrange(LOWEST, HIGHEST)  # noqa: S311 -- so that two who look at once differ, no secret
        found = list(range(first, first + count))
        with ExitStack() as stack:
            try:
                for port in found:
                    stack.enter_context(socket.socket()).bind((HOST, port))
            except OSError:
                continue
            return found


def free_port() -> int:
    """One port that nobody listens on."""
    return free_ports()[0]
