"""Stage and dispatcher together, against a real HTTP server."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import pytest

from schemas.config.notify import NotifyConfig, WebhookReceiver
from schemas.config.section import Secret
from schemas.notifications import Notification
from schemas.reasons import DeliveryReason
from sinks.notify import (
    Attempt,
    Dispatcher,
    NotifyStage,
    Settled,
    close_receivers,
    open_receivers,
)
from tests.sinks.conftest import Server
from tests.sinks.sample import ADDED, ALL, T0, make_incident


class Clock:
    """Stands still."""

    def now_ms(self) -> int:
        return T0


def _config(url: str, **fields: object) -> NotifyConfig:
    hook = WebhookReceiver(
        type="webhook",
        name="hook",
        url=Secret(url),
        **({"backoff": 20, "max_attempts": 5} | fields),
    )
    return NotifyConfig(receivers=(hook,))


@dataclass
class Shell:
    """What the worker does around the stage: effects to the dispatcher, ends back into the stage."""

    config: NotifyConfig
    records: list[Notification] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage = NotifyStage(self.config)
        self.receivers = open_receivers(self.config)
        self.dispatcher = Dispatcher(self.receivers, Clock(), self.on_settled)
        self.changed = asyncio.Event()

    def apply(self, *incidents: object) -> None:
        effects = self.stage.apply(incidents)
        self.records += effects.notifications
        self.dispatcher.submit(effects.attempts)

    def on_settled(self, settled: Settled) -> None:
        effects = self.stage.settle(settled)
        self.records += effects.notifications
        self.dispatcher.submit(effects.attempts)
        self.changed.set()

    async def until_final(self, count: int) -> None:
        async with asyncio.timeout(60):
            while sum(r.final for r in self.records) < count:
                self.changed.clear()
                await self.changed.wait()

    async def close(self, grace_seconds: float = 1.0) -> None:
        await self.dispatcher.close(grace_seconds)
        await close_receivers(self.receivers.values())


def _told(server: Server) -> list[tuple[str, str]]:
    return [
        (s.headers["Idempotency-Key"], msgspec.json.decode(s.body)["notification_reason"])
        for s in server.seen
    ]


async def test_an_announcement_arrives(server: Server) -> None:
    """An announced incident arrives at the webhook, and its delivery is recorded."""
    shell = Shell(_config(server.url))
    shell.apply(make_incident())
    await shell.until_final(1)
    await shell.close()

    assert [(shell.records[0].id, "first notification")] == _told(server)
    assert [DeliveryReason.DELIVERED] == [r.reason for r in shell.records]


async def test_the_key_stays_over_retries(server: Server) -> None:
    """A server that fails twice is asked three times with one key and one body."""
    server.answers = [(503, {}, 0.0), (429, {"Retry-After": "0"}, 0.0)]
    shell = Shell(_config(server.url))
    shell.apply(make_incident())
    await shell.until_final(1)
    await shell.close()

    assert 3 == len(server.seen)
    assert 1 == len({(s.headers["Idempotency-Key"], s.body) for s in server.seen})
    assert [
        (DeliveryReason.SERVER_ERROR, 1),
        (DeliveryReason.RATE_LIMITED, 2),
        (DeliveryReason.DELIVERED, 3),
    ] == [(r.reason, r.attempt) for r in shell.records]


async def test_order_is_kept_through_failure(server: Server) -> None:
    """Announcements of one incident arrive in order, though the first one fails at first."""
    server.answers = [(500, {}, 0.0), (200, {}, 0.05)]
    shell = Shell(_config(server.url))
    shell.apply(
        make_incident(),
        make_incident(announce=ADDED, announcement=2),
        make_incident(announce=ALL, announcement=3),
    )
    await shell.until_final(3)
    await shell.close()

    assert ["first notification"] * 2 + ["new alerts added", "all alerts resolved"] == [
        reason for _, reason in _told(server)
    ]


async def test_a_slow_incident_holds_up_no_other(server: Server) -> None:
    """While one incident's attempt hangs, others are told."""
    server.answers = [(200, {}, 30.0)]
    shell = Shell(_config(server.url))
    shell.apply(*(make_incident(name) for name in "abcdef"))
    await shell.until_final(5)
    await shell.close(grace_seconds=0.01)

    assert [DeliveryReason.DELIVERED] * 5 == [r.reason for r in shell.records]


async def test_a_worker_that_dies_leaves_it_to_the_next(server: Server) -> None:
    """What was being delivered or waiting to be tried again is delivered after a restore, with the same key."""
    server.answers = [(503, {}, 0.0), (200, {}, 30.0)]
    first = Shell(_config(server.url, backoff=60_000))
    first.apply(make_incident("a"))
    async with asyncio.timeout(60):
        await first.changed.wait()
    first.apply(make_incident("b"))
    async with asyncio.timeout(60):
        while len(server.seen) < 2:
            await asyncio.sleep(0.002)
    state = first.stage.snapshot()
    await first.close(grace_seconds=0.01)

    second = Shell(_config(server.url))
    second.stage.restore(state)
    pending = second.stage.pending()
    second.dispatcher.submit(msgspec.structs.replace(a, not_before_ms=0) for a in pending)
    await second.until_final(2)
    await second.close()

    keys = [key for key, _ in _told(server)]
    assert keys[:2] == keys[2:] == [a.key for a in pending]
    assert [0, 2] == [sum(r.final for r in s.records) for s in (first, second)]


async def test_a_clock_that_was_set_back_makes_no_wait_longer(server: Server) -> None:
    """The attempt was to wait 5 ms; by the clock of now it would be two hours."""
    shell = Shell(_config(server.url))
    (attempt,) = shell.stage.apply([make_incident()]).attempts
    late = msgspec.structs.replace(attempt, not_before_ms=T0 + 7_200_000, wait_ms=5)
    shell.dispatcher.submit([late])
    await shell.until_final(1)
    await shell.close()

    assert 1 == len(server.seen)


async def test_a_receiver_that_is_gone_is_final() -> None:
    """An attempt for a receiver that is not configured any more ends as NO_ROUTE, without a retry."""
    settled: list[Settled] = []
    dispatcher = Dispatcher({}, Clock(), settled.append)
    dispatcher.submit([Attempt(key="k", receiver="gone", body=b"")])
    await asyncio.sleep(0)
    await dispatcher.close()

    assert [("k", DeliveryReason.NO_ROUTE, False)] == [
        (s.key, s.outcome.reason, s.outcome.retryable) for s in settled
    ]


async def test_a_fault_in_a_receiver_is_an_outcome(caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that raises what it should not is tried again, and its text is not shown."""

    class Faulty:
        async def deliver(self, attempt: Attempt) -> None:
            raise RuntimeError("https://hook/s3cr3t")

        async def close(self) -> None: ...

    settled: list[Settled] = []
    dispatcher = Dispatcher({"f": Faulty()}, Clock(), settled.append)
    dispatcher.submit([Attempt(key="k", receiver="f", body=b"")])
    await asyncio.sleep(0)
    await dispatcher.close()

    assert [("RuntimeError", True)] == [(s.outcome.detail, s.outcome.retryable) for s in settled]
    assert "s3cr3t" not in caplog.text


async def test_close_ends_at_once_when_all_wait(server: Server) -> None:
    """Attempts that wait for a later time do not hold up the end, and nothing starts after it."""
    shell = Shell(_config(server.url))
    late = Attempt(key="k", receiver="hook", body=b"", not_before_ms=T0 + 3_600_000)
    shell.dispatcher.submit([late])
    await asyncio.sleep(0)
    async with asyncio.timeout(0.5):
        await shell.close(grace_seconds=60)
    shell.apply(make_incident())
    await asyncio.sleep(0)

    assert [] == server.seen
