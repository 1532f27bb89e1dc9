"""The stretch of a topic that a peer is measured on: from the end of its warm-up to its last message.

Needs no more than msgspec, which every peer's environment has.
"""

import argparse
import os
from collections.abc import Sequence

from benchmarks.measure import Meter, report
from benchmarks.peers.job import Totals


def read_arguments(
    about: str | None, forms: Sequence[str] = (), arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """What every peer is told; `forms` are those it can take."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--name", required=True, help="of the consumer group")
    parser.add_argument("--broker", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--warm-up", type=int, required=True, help="messages before it counts")
    parser.add_argument("--messages", type=int, required=True, help="all that the topic holds")
    parser.add_argument("--folder", help="for state on disk; whoever gave it removes it")
    parser.add_argument("--alerts", help="topic of the alerts; without it they are counted only")
    if forms:
        parser.add_argument("--form", choices=forms, required=True)
    return parser.parse_args(arguments)


class Stretch:
    """Starts a meter after the warm-up; reports after the last message, and ends the process.

    Invariant: `mark` is the count of messages at which `reach` has to be called next.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        self._last: int = given.messages
        self.mark: int = given.warm_up
        self._meter: Meter | None = None

    def reach(self, totals: Totals) -> None:
        """The mark is reached, or passed by a batch."""
        if self._meter is None:
            self._meter = Meter(totals.messages)
            self.mark = self._last
            return
        report(self._meter.stop(totals.messages, **totals.notes()))
        # nobody waits for what is not measured: some engines take seconds to leave their group
        os._exit(0)
