"""HTTP towards receivers and actions: one request, and what its status means.

One request is made for one call; a second one is the caller's decision. Neither an error nor its chain holds the URL, a
header or a body, since any of them may hold a token.

It refuses to follow redirects: a redirect would carry the token to wherever the answer points.
"""

import errno
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import aiohttp

from schemas.config.section import Secret
from schemas.errors import ConfigError, DeliveryError
from schemas.reasons import DeliveryReason

IDEMPOTENCY_KEY = "Idempotency-Key"
CONCURRENCY = 16
# Node's servers close an idle connection after 5 s; a POST on a connection that is just being closed fails.
KEEPALIVE_SECONDS = 4.0

_STATUS: dict[int, tuple[DeliveryReason, bool]] = {
    401: (DeliveryReason.AUTH_ERROR, False),
    403: (DeliveryReason.AUTH_ERROR, False),
    407: (DeliveryReason.AUTH_ERROR, False),
    408: (DeliveryReason.TIMED_OUT, True),
    425: (DeliveryReason.SERVER_ERROR, True),
    429: (DeliveryReason.RATE_LIMITED, True),
}


def judge(status: int) -> tuple[DeliveryReason, bool]:
    """What an HTTP status means (RFC 9110, section 15), and whether to try again."""
    if status in _STATUS:
        return _STATUS[status]
    if 200 <= status < 300:
        return DeliveryReason.DELIVERED, False
    if 500 <= status < 600:
        return DeliveryReason.SERVER_ERROR, True
    return DeliveryReason.CLIENT_ERROR, False


def retry_after_seconds(given: str | None, date: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for (RFC 9110, section 10.2.3), None where it cannot be read.

    A time in it is taken against the answer's own `Date`, so that the two clocks need not agree.
    """
    if given is None:
        return None
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        until, now = parsedate_to_datetime(given), parsedate_to_datetime(date or "")
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


class HttpClient:
    """Makes requests over a bounded pool of connections, opened at the first request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: Secret,
        *,
        key: str,
        headers: Mapping[str, Secret],
        body: bytes,
        timeout_ms: int,
    ) -> None:
        """Make one request with this idempotency key; secrets are read anew each time, so they may be rotated.

        Raises:
            DeliveryError: no answer, or an answer that is no success.

        """
        given = {"Content-Type": "application/json"} if body else {}
        try:
            target = url.reveal()
            given |= {name: value.reveal() for name, value in headers.items()}
        except ConfigError as error:
            raise DeliveryError(
                DeliveryReason.CLIENT_ERROR, error.problems[0], retryable=True
            ) from None
        given[IDEMPOTENCY_KEY] = key
        try:
            async with self._open().request(
                method,
                target,
                data=body or None,
                headers=given,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_ms / 1000),
            ) as answer:
                # the body is not read: the status says it all, and a slow body must not hold up the lane
                status, told = answer.status, answer.headers
        except TimeoutError:
            raise DeliveryError(
                DeliveryReason.TIMED_OUT, f"no answer within {timeout_ms} ms", retryable=True
            ) from None
        except ValueError as error:
            raise DeliveryError(
                DeliveryReason.CLIENT_ERROR,
                f"no such request can be made: {type(error).__name__}",
                retryable=False,
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise DeliveryError(
                DeliveryReason.CONNECTION_FAILED, _name(error), retryable=True
            ) from None
        reason, retryable = judge(status)
        if reason is not DeliveryReason.DELIVERED:
            wait = retry_after_seconds(told.get("Retry-After"), told.get("Date"))
            raise DeliveryError(
                reason, f"HTTP {status}", retryable=retryable, retry_after_seconds=wait
            )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=CONCURRENCY, keepalive_timeout=KEEPALIVE_SECONDS
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "tocsin"},
            )
        return self._session

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _name(error: BaseException) -> str:
    """Name of a failure without its text, which would hold the address."""
    code = errno.errorcode.get(getattr(error, "errno", None) or 0)
    return f"{type(error).__name__}{f' ({code})' if code else ''}"
