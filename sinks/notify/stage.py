"""The notify stage over decoded records: incidents and ended attempts in, attempts and notifications out.

One instance serves one partition of tocsin.incidents, so all records of an incident meet in one outbox. Attempts are
made by the shell (`sinks.notify.dispatch`), and each of their ends comes back as a `Settled`. A kill between an attempt
and the next checkpoint makes the same attempt again, with the same key: the receiver can know it for a duplicate.

It refuses to deliver anything itself.
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.config.notify import NotifyConfig
from schemas.incidents import Incident
from schemas.notifications import Notification
from schemas.reasons import DeliveryReason
from sinks.notify.attempt import Attempt, Settled
from sinks.notify.outbox import Outbox


class Effects(NamedTuple):
    """What is to be done (attempts) and what is to be written to tocsin.notifications."""

    attempts: list[Attempt]
    notifications: list[Notification]


def _split(items: Iterable[Attempt | Notification]) -> Effects:
    effects = Effects([], [])
    for item in items:
        if isinstance(item, Attempt):
            effects.attempts.append(item)
        else:
            effects.notifications.append(item)
    return effects


class NotifyStage:
    """The stage of one partition."""

    def __init__(self, config: NotifyConfig) -> None:
        self._outbox = Outbox(config)

    @property
    def counts(self) -> dict[DeliveryReason, int]:
        """Decisions and outcomes by reason, since the start of the process."""
        return self._outbox.counts

    def apply(self, incidents: Iterable[Incident]) -> Effects:
        """What these records of incidents, in order, ask for."""
        return _split(item for incident in incidents for item in self._outbox.apply(incident))

    def settle(self, settled: Settled) -> Effects:
        """What follows from the end of an attempt."""
        return _split(self._outbox.settle(settled.key, settled.outcome, settled.at_ms))

    def pending(self) -> list[Attempt]:
        """Attempts to be made after a restore."""
        return self._outbox.pending()

    def snapshot(self) -> bytes:
        """The whole state."""
        return self._outbox.snapshot()

    def restore(self, blob: bytes) -> None:
        """Take the state of a snapshot.

        Raises:
            CheckpointError: it is none, or of an unknown version.

        """
        self._outbox.restore(blob)
