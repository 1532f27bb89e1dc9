"""Said: commands of people to detectors, held until event time has come to them.

They stand in the log that the stage reads, and take effect at the first moment at or after their time, before the rules
are evaluated there; so what follows hangs neither on where in the log they stand before that, nor on restarts. A
command that is sent twice is one. One that comes after its time takes effect at the next moment.

A stage without a log of ours is told what stands on tocsin.commands, stretch by stretch, and takes in each place once.

Bounded: of more than `MOST` that wait, the last in order of time are refused; the last `MOST` ids are remembered.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.commands import Command

MOST = 1000


class Told(NamedTuple):
    """What a partition of tocsin.commands holds for detectors before this offset; each command knows its own."""

    partition: int
    commands: Sequence[Command]
    next_offset: int


class Said:
    """Commands that wait for their time.

    Attributes:
        refused: those for which there was no room.

    """

    def __init__(self) -> None:
        self.refused = 0
        self._waiting: list[Command] = []
        self._known: deque[str] = deque(maxlen=MOST)
        self._heard: dict[int, int] = {}

    def heard(self, partition: int) -> int:
        """Offset before which all commands of a partition of tocsin.commands were told, where it reads none itself."""
        return self._heard.get(partition, 0)

    def hear(self, told: Told) -> None:
        """Keep what stands at places of which nothing was told before."""
        heard = self.heard(told.partition)
        for command in told.commands:
            if command.offset >= heard:
                self.hold(command)
        self._heard[told.partition] = max(heard, told.next_offset)

    def hold(self, command: Command) -> None:
        """Keep a command until its time."""
        if command.id in self._known:
            return
        self._known.append(command.id)
        self._waiting.append(command)
        self._waiting.sort(key=lambda each: (each.time, each.id))
        self.refused += len(self._waiting) > MOST
        del self._waiting[MOST:]

    def due(self, t_ms: int) -> list[Command]:
        """Those whose time has come, in order, and no more."""
        if not self._waiting or self._waiting[0].time > t_ms:
            return []
        found = [each for each in self._waiting if each.time <= t_ms]
        self._waiting = self._waiting[len(found) :]
        return found

    def snapshot(self) -> dict[str, Any]:
        """What `restore` takes."""
        return {
            "waiting": [msgspec.to_builtins(each) for each in self._waiting],
            "known": list(self._known),
            "heard": list(self._heard.items()),
        }

    def restore(self, facts: Mapping[str, Any]) -> None:
        """Continue from a snapshot; one from before there were such commands is of none."""
        self._waiting = [msgspec.convert(each, Command) for each in facts.get("waiting", ())]
        self._known = deque(facts.get("known", ()), maxlen=MOST)
        self._heard = dict(facts.get("heard", ()))
