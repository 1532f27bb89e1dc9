"""What a receiver must be able to do.

A kind of receiver is two functions: `render` is pure and makes the body of an announcement, once; `open` makes the
receiver that delivers such bodies. A new kind is one file, offered under the entry-point group `tocsin.receivers`.

It refuses to retry: that is the outbox's decision.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from schemas.incidents import Incident
from sinks.notify.attempt import Attempt


class Receiver(Protocol):
    """Somebody who can be told."""

    async def deliver(self, attempt: Attempt) -> None:
        """Make one attempt.

        Raises:
            DeliveryError: it was not taken; says why, and whether to try again.

        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Kind(NamedTuple):
    """A kind of receiver; both functions take its section of the configuration first."""

    render: Callable[[Any, Incident, str], bytes]
    """(section, incident, external URL) -> body; the same arguments give the same bytes."""

    open: Callable[[Any], Receiver]
    """(section) -> receiver; raises ConfigError where the section cannot work."""
