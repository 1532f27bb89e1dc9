"""Section `kafka`: how to reach the broker."""

from typing import Literal

from schemas.config.section import Duration, Secret, SecretText, Section


class KafkaConfig(Section):
    """Broker address and security; `bootstrap: embedded` starts the in-process broker."""

    bootstrap: str | None = None
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str = ""
    password: SecretText = Secret("")
    ca_file: str | None = None
    partitions: int = 4
    replication: int = 1
    session_timeout: Duration = 15_000
    checkpoint_interval: Duration = 5_000
