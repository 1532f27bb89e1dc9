"""The broker: how to reach Kafka, in the words of aiokafka and of Faust.

It refuses to hold the password in the open: the secret is revealed when a client is made, and never
printed.
"""

import ssl
from dataclasses import dataclass, field
from typing import Any, Literal

import faust
from yarl import URL

from schemas.config.kafka import KafkaConfig
from schemas.config.section import Secret
from schemas.errors import BrokerError
from schemas.topics import inner_name, outer_name

Protocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]


@dataclass(frozen=True)
class Broker:
    """Address (`host:port`, several with commas between) and security of a Kafka cluster."""

    bootstrap: str
    security: Protocol = "plaintext"
    sasl_mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: Secret = field(default=Secret(), repr=False)
    ca_file: str | None = None
    prefix: str = ""

    def outer(self, topic: str) -> str:
        """Name of a topic on this broker."""
        return outer_name(topic, self.prefix)

    def inner(self, topic: str) -> str:
        """Name of a topic of this broker in the program."""
        return inner_name(topic, self.prefix)

    @classmethod
    def from_config(cls, config: KafkaConfig, bootstrap: str | None = None) -> "Broker":
        """The broker of a configuration; `bootstrap` goes before the address written there.

        Raises:
            BrokerError: neither names an address.

        """
        address = bootstrap or config.bootstrap
        if not address or address == "embedded":
            raise BrokerError("no broker: set kafka.bootstrap, or start the embedded broker first")
        return cls(
            address,
            config.security,
            config.sasl_mechanism,
            config.username,
            Secret(config.password),
            config.ca_file,
            config.prefix,
        )

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for any client of aiokafka."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap.split(","),
            "security_protocol": self.security.upper(),
        }
        if self.security.endswith("ssl"):
            options["ssl_context"] = self._ssl_context()
        if self.security.startswith("sasl"):
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password.reveal()
        return options

    def faust_urls(self) -> list[URL]:
        """Addresses as Faust takes them."""
        return [URL(f"kafka://{address.strip()}") for address in self.bootstrap.split(",")]

    def faust_credentials(self) -> Any:
        """Credentials as Faust takes them; None for a plaintext broker."""
        context = self._ssl_context() if self.security.endswith("ssl") else None
        if self.security.startswith("sasl"):
            return faust.SASLCredentials(
                mechanism=self.sasl_mechanism,
                username=self.username,
                password=self.password.reveal(),
                ssl_context=context,
            )
        return None if context is None else faust.SSLCredentials(context)

    def _ssl_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)
