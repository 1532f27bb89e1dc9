"""The action `http`: one HTTP call that carries the remediation's id as its idempotency key.

It refuses to show its path or its query: of the URL only scheme and host are told, and not even these when a reference
to a secret stands among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from schemas.config.section import Secret
from sinks.http import HttpClient
from sinks.text import clean


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A call with its templates filled in; references to secrets in it are still unresolved."""

    key: str
    method: str
    url: Secret
    headers: Mapping[str, Secret] = field(repr=False)
    body: bytes
    timeout_ms: int

    def __str__(self) -> str:
        body = f" with {clean(self.body.decode())}" if self.body else ""
        return f"{self.method} {host_text(self.url)}/…{body}"


def host_text(url: str) -> str:
    """Scheme and host of a URL, stars where they cannot be told apart from a secret."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0]
    if scheme not in ("http", "https") or not authority or "$" in authority:
        return "***"
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "***"
    return clean(f"{scheme}://{parts.hostname or '***'}{port}")


async def call(client: HttpClient, action: HttpCall) -> None:
    """Make the call.

    Raises:
        DeliveryError: no answer in time, or an answer that is no success.

    """
    await client.request(
        action.method,
        action.url,
        key=action.key,
        headers=action.headers,
        body=action.body,
        timeout_ms=action.timeout_ms,
    )
