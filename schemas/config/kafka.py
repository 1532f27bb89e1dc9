"""Section `kafka`: how to reach the broker."""

from typing import Literal

from schemas.config.section import Count, Secret, SecretText, Section, Span


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
    partitions: Count = 4
    replication: Count = 1
    session_timeout: Span = 6_000
    checkpoint_interval: Span = 5_000
