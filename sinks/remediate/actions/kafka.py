"""The action `kafka`: one record on a topic, with the remediation's id in the header `idempotency-key`.

It refuses to send: who holds the producer does.
"""

from typing import NamedTuple

from sinks.text import clean


class KafkaSend(NamedTuple):
    """A record to be sent; an empty key in the configuration is no key."""

    key: str
    topic: str
    record_key: bytes | None
    value: bytes

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """Headers of the record."""
        return (("idempotency-key", self.key.encode()),)

    def __str__(self) -> str:
        key = f" key {clean(self.record_key.decode())}" if self.record_key else ""
        return f"send to {self.topic}{key}: {clean(self.value.decode())}"
