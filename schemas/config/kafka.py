"""Section `kafka`: how to reach the broker."""

from typing import Literal

from pydantic import Field

from schemas.config.section import Secret, SecretText, Section, Span


class KafkaConfig(Section):
    """Broker address and security; `bootstrap: embedded` starts the in-process broker.

    `prefix` stands before the names of Tocsin's own topics and consumer groups, so that several installations can share
    a cluster.
    """

    bootstrap: str | None = None
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str = ""
    password: SecretText = Secret("")
    ca_file: str | None = None
    prefix: str = ""
    partitions: int = Field(4, ge=1)
    replication: int = Field(1, ge=1)
    session_timeout: Span = 15_000
    checkpoint_interval: Span = 5_000
