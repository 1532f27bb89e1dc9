"""One attempt to tell a receiver, and how it ended.

All attempts of one announcement to one receiver carry the same key and the same body.

It refuses to hold an address or a token: the receiver knows where it sends.
"""

import msgspec

from schemas.errors import DeliveryError
from schemas.reasons import DeliveryReason

WAIT_MAX_MS = 3_600_000
"""The longest time between two attempts, whatever a receiver asks for."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to be made.

    Attributes:
        key: idempotency key of the announcement towards the receiver.
        receiver: its name in the configuration.
        body: what is said, in the receiver's own format.
        number: from 1.
        not_before_ms: wall clock time before which it must not be made; 0 is at once.
        wait_ms: it waits no longer than this from when it is handed out, even if the clock has been set back since.

    """

    key: str
    receiver: str
    body: bytes
    number: int = 1
    not_before_ms: int = 0
    wait_ms: int = WAIT_MAX_MS


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended; `detail` is free of secrets."""

    reason: DeliveryReason
    retryable: bool = False
    retry_after_seconds: float | None = None
    detail: str = ""

    @classmethod
    def of(cls, error: DeliveryError) -> "Outcome":
        """Outcome of a receiver's refusal."""
        return cls(
            reason=error.reason,
            retryable=error.retryable,
            retry_after_seconds=error.retry_after_seconds,
            detail=error.detail,
        )


DELIVERED = Outcome(reason=DeliveryReason.DELIVERED)


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that has ended at this wall clock time; the event that goes back into the stage."""

    key: str
    outcome: Outcome
    at_ms: int
