"""One HTTP request, against a real server."""

import socket
import traceback

import pytest

from schemas.config.section import Secret
from schemas.errors import DeliveryError
from schemas.reasons import DeliveryReason
from sinks.http import HttpClient, judge, retry_after_seconds
from tests.sinks.conftest import Server

TOKEN = "s3cr3t-t0k3n"
STATUSES = {
    200: (DeliveryReason.DELIVERED, False),
    201: (DeliveryReason.DELIVERED, False),
    202: (DeliveryReason.DELIVERED, False),
    204: (DeliveryReason.DELIVERED, False),
    301: (DeliveryReason.CLIENT_ERROR, False),
    302: (DeliveryReason.CLIENT_ERROR, False),
    304: (DeliveryReason.CLIENT_ERROR, False),
    400: (DeliveryReason.CLIENT_ERROR, False),
    401: (DeliveryReason.AUTH_ERROR, False),
    403: (DeliveryReason.AUTH_ERROR, False),
    404: (DeliveryReason.CLIENT_ERROR, False),
    407: (DeliveryReason.AUTH_ERROR, False),
    408: (DeliveryReason.TIMED_OUT, True),
    409: (DeliveryReason.CLIENT_ERROR, False),
    410: (DeliveryReason.CLIENT_ERROR, False),
    413: (DeliveryReason.CLIENT_ERROR, False),
    422: (DeliveryReason.CLIENT_ERROR, False),
    425: (DeliveryReason.SERVER_ERROR, True),
    429: (DeliveryReason.RATE_LIMITED, True),
    500: (DeliveryReason.SERVER_ERROR, True),
    501: (DeliveryReason.SERVER_ERROR, True),
    502: (DeliveryReason.SERVER_ERROR, True),
    503: (DeliveryReason.SERVER_ERROR, True),
    504: (DeliveryReason.SERVER_ERROR, True),
    599: (DeliveryReason.SERVER_ERROR, True),
}


async def _request(url: str, *, timeout_ms: int = 2_000, **headers: str) -> DeliveryError | None:
    client = HttpClient()
    try:
        await client.request(
            "POST",
            Secret(url),
            key="k1",
            headers={n: Secret(v) for n, v in headers.items()},
            body=b"{}",
            timeout_ms=timeout_ms,
        )
    except DeliveryError as error:
        return error
    finally:
        await client.close()
    return None


async def test_every_status_has_its_verdict(server: Server) -> None:
    """Every status ends as the table says: success, try again, or do not."""
    server.answers = [(status, {}, 0.0) for status in STATUSES]
    seen = {}
    for status in STATUSES:
        error = await _request(server.url)
        seen[status] = (
            (error.reason, error.retryable) if error else (DeliveryReason.DELIVERED, False)
        )

    assert STATUSES == seen


def test_every_number_has_a_verdict() -> None:
    """Only 2xx is a success, and only 408, 425, 429 and 5xx are tried again."""
    numbers = range(100, 1000)

    assert [*range(200, 300)] == [n for n in numbers if judge(n)[0] is DeliveryReason.DELIVERED]
    assert [408, 425, 429, *range(500, 600)] == [n for n in numbers if judge(n)[1]]


async def test_a_redirect_is_not_followed(server: Server) -> None:
    """A redirect is a client error, and nobody is asked where it points."""
    server.answers = [(307, {"Location": f"{server.url}/elsewhere"}, 0.0)]

    error = await _request(f"{server.url}/here")

    assert error is not None
    assert (DeliveryReason.CLIENT_ERROR, ["/here"]) == (
        error.reason,
        [s.path for s in server.seen],
    )


async def test_the_request_carries_key_headers_and_body(server: Server) -> None:
    """The idempotency key, the headers of the configuration and the body arrive as they are."""
    await _request(f"{server.url}/hook?x=1", Authorization="Bearer abc")

    (seen,) = server.seen
    assert ("POST", "/hook?x=1", b"{}", "k1", "Bearer abc", "application/json") == (
        seen.method,
        seen.path,
        seen.body,
        seen.headers["Idempotency-Key"],
        seen.headers["Authorization"],
        seen.headers["Content-Type"],
    )


async def test_secrets_are_read_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference in the URL is resolved at each request, and one that is gone is an error to be tried again."""
    monkeypatch.setenv("HOOK_URL", f"{server.url}/from-env")
    gone = await _request("${env:NOT_SET_ANYWHERE}")

    assert await _request("${env:HOOK_URL}") is None
    assert ["/from-env"] == [s.path for s in server.seen]
    assert gone is not None
    assert gone.retryable


async def test_no_answer_in_time(server: Server) -> None:
    """A server that does not answer in time is TIMED_OUT and tried again."""
    server.answers = [(200, {}, 30.0)]

    error = await _request(server.url, timeout_ms=50)

    assert error is not None
    assert (DeliveryReason.TIMED_OUT, True) == (error.reason, error.retryable)


async def test_a_slow_body_holds_nothing_up(server: Server) -> None:
    """The status decides: a body that never ends does not matter."""
    server.slow_body = True

    assert await _request(server.url) is None


async def test_nobody_listens() -> None:
    """A refused connection is CONNECTION_FAILED and tried again, and names the cause."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    error = await _request(f"http://127.0.0.1:{port}/")

    assert error is not None
    assert (DeliveryReason.CONNECTION_FAILED, True) == (error.reason, error.retryable)
    assert "ECONNREFUSED" in error.detail


async def test_no_such_url() -> None:
    """What is no URL at all is a client error and not tried again."""
    error = await _request("http://[half")

    assert error is not None
    assert (DeliveryReason.CLIENT_ERROR, False) == (error.reason, error.retryable)


@pytest.mark.parametrize(
    ("given", "date", "expected"),
    [
        (None, None, None),
        ("120", None, 120.0),
        ("0", None, 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:58:59 GMT", 60.0),
        ("Fri, 31 Dec 1999 23:58:59 GMT", "Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None, None),
        ("soon", "Fri, 31 Dec 1999 23:59:59 GMT", None),
        ("-5", None, None),
    ],
)
def test_retry_after_is_read(given: str | None, date: str | None, expected: float | None) -> None:
    """Seconds, or a time against the answer's own date; what cannot be read is none."""
    assert expected == retry_after_seconds(given, date)


async def test_retry_after_is_told(server: Server) -> None:
    """The wait that the server asks for comes with the error."""
    server.answers = [(429, {"Retry-After": "17"}, 0.0)]

    error = await _request(server.url)

    assert error is not None
    assert 17.0 == error.retry_after_seconds


@pytest.mark.parametrize("case", ["status", "time-out", "refused", "bad url", "bad header", "dns"])
async def test_no_secret_leaks(server: Server, case: str) -> None:
    """Neither an error, nor its detail, nor its traceback shows the token in the URL or in a header."""
    server.answers = [(500 if case == "status" else 200, {}, 30.0 if case == "time-out" else 0.0)]
    base = {
        "refused": "http://127.0.0.1:1",
        "bad url": f"http://[{TOKEN}",
        "dns": f"http://{TOKEN}.invalid",
    }.get(case, server.url)
    bad = "\r\n" if case == "bad header" else ""

    error = await _request(
        f"{base}/{TOKEN}?token={TOKEN}", timeout_ms=500, Authorization=f"Bearer {TOKEN}{bad}"
    )

    assert error is not None
    shown = [str(error), repr(error), error.detail, *traceback.format_exception(error)]
    assert [] == [text for text in shown if TOKEN in text]
