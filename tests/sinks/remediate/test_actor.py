"""The actor, against a real HTTP server."""

import asyncio

import pytest

from schemas.config.section import Secret
from sinks.remediate import Action, Actor, Ended, HttpCall, KafkaSend
from tests.sinks.conftest import Server
from tests.sinks.sample import T0

TOKEN = "s3cr3t-t0k3n"


class Clock:
    def now_ms(self) -> int:
        return T0


def _call(url: str, *, timeout_ms: int = 1_000) -> HttpCall:
    return HttpCall(
        key="k1",
        method="PUT",
        url=Secret(f"{url}/{TOKEN}"),
        headers={"X-Token": Secret(TOKEN)},
        body=b"{}",
        timeout_ms=timeout_ms,
    )


async def _act(action: Action, sent: list[KafkaSend] | None = None) -> list[Ended]:
    ended: list[Ended] = []

    async def send(given: KafkaSend) -> None:
        if sent is None:
            raise RuntimeError(f"no broker for {given.value!r}")
        sent.append(given)

    actor = Actor(send, Clock(), ended.append)
    actor.submit([action])
    await actor.close()
    return ended


async def test_a_call_is_made_with_its_key(server: Server) -> None:
    """An HTTP call arrives with method, body and idempotency key, and its success is told."""
    ended = await _act(_call(server.url))
    (seen,) = server.seen

    assert [Ended(key="k1", at_ms=T0)] == ended
    assert ("PUT", b"{}", "k1", TOKEN) == (
        seen.method,
        seen.body,
        seen.headers["Idempotency-Key"],
        seen.headers["X-Token"],
    )


async def test_a_call_is_not_repeated(server: Server) -> None:
    """A call that fails is made once, and the failure says why without the token."""
    server.answers = [(503, {}, 0.0)]
    ended = await _act(_call(server.url))

    assert [Ended(key="k1", at_ms=T0, failure="server_error: HTTP 503")] == ended
    assert 1 == len(server.seen)


async def test_a_command_is_handed_to_the_producer() -> None:
    """A record for Kafka is sent by the function that was given."""
    action = KafkaSend("k1", "ops", None, b"x")
    sent: list[KafkaSend] = []

    assert [Ended(key="k1", at_ms=T0)] == await _act(action, sent)
    assert [action] == sent


async def test_a_fault_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the producer raises ends the action, not the worker, and its text is not shown."""
    ended = await _act(KafkaSend("k1", "ops", None, TOKEN.encode()))

    assert [Ended(key="k1", at_ms=T0, failure="RuntimeError")] == ended
    assert TOKEN not in caplog.text


async def test_what_takes_longer_than_the_grace_has_no_result(server: Server) -> None:
    """An action that does not end within the grace is left without a result."""
    server.answers = [(200, {}, 30.0)]
    ended: list[Ended] = []

    async def send(_: KafkaSend) -> None: ...

    actor = Actor(send, Clock(), ended.append)
    actor.submit([_call(server.url)])
    await asyncio.sleep(0)
    await actor.close(grace_seconds=0.02)

    assert [] == ended
