"""Scribe: what each receiver was told of each group, and the records of that.

Bounds: `TOLD_MAX` memories of what was told, the oldest goes first. It refuses to decide who is told, and when.
"""

from collections.abc import Iterable, Sequence

from schemas.alerts import Alert
from schemas.decisions import Decision
from schemas.notices import Notice
from schemas.reasons import AnnounceReason
from streams.correlate.casebook import Casebook
from streams.correlate.grouping import Group
from streams.correlate.notice import Member, write_notice
from streams.correlate.pages import Summary
from streams.correlate.route import Route
from streams.correlate.told import Told

TOLD_MAX = 200_000


class Scribe:
    """Memories and records of one partition; `root` is the route of what is about several groups."""

    def __init__(self, root: Route) -> None:
        self.casebook = Casebook()
        self._root = root
        self._told: dict[str, Told] = {}
        self._notices: list[Notice] = []

    def take(self) -> list[Notice]:
        """What was written since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def known(self, memory: str) -> Told | None:
        """What a receiver knows; None where it was never told."""
        return self._told.get(memory)

    def told(self, memory: str) -> Told:
        """What a receiver knows, empty where it was never told."""
        return self._told.get(memory) or Told()

    def remember(self, memory: str, told: Told) -> Told:
        """Put what a receiver knows last among what is forgotten first."""
        self._told.pop(memory, None)
        self._told[memory] = told
        if len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]
        return told

    def write(
        self,
        group: Group,
        route: Route,
        receiver: str,
        at: int,
        announce: AnnounceReason | None,
        decisions: list[Decision],
        alerts: list[Member],
    ) -> None:
        """Write what one receiver is told of a group, or why it is not."""
        memory = group.memory(receiver)
        told = self.remember(memory, self.told(memory))
        self._notices.append(
            write_notice(
                group.tenant,
                route,
                receiver,
                told,
                name=group.name,
                labels=group.labels,
                at=at,
                announce=announce,
                alerts=alerts,
                decisions=decisions,
                cases=self.casebook.find([h.alert for h in alerts]),
            )
        )

    def write_summary(self, summary: Summary, at: int) -> None:
        """Write what lists held notices; forget it with its end."""
        memory = f"{summary.receiver}/{summary.tenant}/{summary.name}"
        told = self.remember(memory, self.told(memory))
        if summary.announce is not None:
            told.tell(at, summary.announce, set(), set(), set())
        self._write_whole(summary, at, told, ())
        if summary.announce is AnnounceReason.ALL_ALERTS_RESOLVED:
            del self._told[memory]

    def write_once(self, summary: Summary, at: int) -> None:
        """Write what is told once and never again, of alerts of several groups."""
        told = Told()
        told.tell(at, AnnounceReason.FIRST_NOTIFICATION, set(), set(), set())
        self._write_whole(summary, at, told, [h.alert for h in summary.alerts])

    def _write_whole(self, summary: Summary, at: int, told: Told, about: Sequence[Alert]) -> None:
        self._notices.append(
            write_notice(
                summary.tenant,
                self._root,
                summary.receiver,
                told,
                name=summary.name,
                labels=summary.labels,
                at=at,
                announce=summary.announce,
                alerts=summary.alerts,
                decisions=(),
                cases=self.casebook.find(about),
            )
        )

    def snapshot(self) -> list[tuple[str, Told]]:
        """What is known, the oldest first; the casebook has a state of its own."""
        return list(self._told.items())

    def restore(self, told: Iterable[tuple[str, Told]]) -> None:
        """Continue from a snapshot."""
        self._told = dict(told)
