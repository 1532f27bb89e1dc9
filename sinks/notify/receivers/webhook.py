"""The receiver `webhook`: POSTs Alertmanager's webhook body with one idempotency key an announcement.

It refuses to name its URL or its headers in any error: they may hold tokens.
"""

from urllib.parse import urlsplit

from schemas.config.notify import WebhookReceiver
from schemas.errors import ConfigError
from schemas.incidents import Incident
from sinks.http import HttpClient
from sinks.notify.attempt import Attempt
from sinks.notify.body import webhook_body
from sinks.notify.receivers.base import Kind


def render(config: WebhookReceiver, incident: Incident, external_url: str) -> bytes:
    """The body, see `sinks.notify.body`."""
    return webhook_body(
        incident,
        receiver=config.name,
        external_url=external_url,
        send_resolved=config.send_resolved,
    )


class WebhookSink:
    """Sends to one URL over a bounded pool of connections."""

    def __init__(self, config: WebhookReceiver) -> None:
        try:
            parts = urlsplit(config.url.reveal())
            sound = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            sound = False
        if not sound:
            raise ConfigError(["url must begin with http:// or https:// and name a host"])
        for value in config.headers.values():
            value.reveal()
        self._config = config
        self._client = HttpClient()

    async def deliver(self, attempt: Attempt) -> None:
        """POST the body.

        Raises:
            DeliveryError: no answer in time, or an answer that is no success.

        """
        await self._client.request(
            "POST",
            self._config.url,
            key=attempt.key,
            headers=self._config.headers,
            body=attempt.body,
            timeout_ms=self._config.timeout,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


KIND = Kind(render, WebhookSink)
