"""Who is told: routes, the outbox of what is still to be said, and the receivers."""

from sinks.notify.attempt import Attempt, Outcome, Settled
from sinks.notify.dispatch import Dispatcher
from sinks.notify.outbox import Outbox
from sinks.notify.receivers import Receiver, close_receivers, open_receivers
from sinks.notify.stage import Effects, NotifyStage

__all__ = [
    "Attempt",
    "Dispatcher",
    "Effects",
    "NotifyStage",
    "Outbox",
    "Outcome",
    "Receiver",
    "Settled",
    "close_receivers",
    "open_receivers",
]
