"""What every receiver must do, whatever its kind."""

import asyncio
import sys
from importlib.metadata import EntryPoint

import pytest

from schemas.config.notify import NotifyConfig, Receiver, StdoutReceiver, WebhookReceiver
from schemas.config.section import Secret
from schemas.errors import ConfigError, DeliveryError
from sinks.notify import Attempt, open_receivers
from sinks.notify.receivers import close_receivers, find_kind, kinds, registry
from tests.sinks.conftest import Server
from tests.sinks.sample import ALL, make_incident

TOKEN = "s3cr3t-t0k3n"


def _section(kind: str, url: str = "http://127.0.0.1:1") -> Receiver:
    sections: dict[str, Receiver] = {
        "stdout": StdoutReceiver(type="stdout", name="one"),
        "webhook": WebhookReceiver(
            type="webhook",
            name="one",
            url=Secret(f"{url}/{TOKEN}"),
            headers={"Authorization": Secret(f"Bearer {TOKEN}")},
        ),
    }
    return sections[kind]


@pytest.fixture(params=sorted(kinds()))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_render_repeats_itself(kind: str) -> None:
    """The same incident gives the same body, twice."""
    render, section = find_kind(kind).render, _section(kind)
    incident = make_incident()

    assert render(section, incident, "https://x") == render(section, make_incident(), "https://x")


def test_the_body_tells_what_and_whether_it_is_over(kind: str) -> None:
    """The body names the incident and its title, and differs when it is resolved."""
    render, section = find_kind(kind).render, _section(kind)
    incident = make_incident()
    body = render(section, incident, "").decode()

    assert [] == [text for text in (incident.id, incident.title, "shop") if text not in body]
    assert "resolved" in render(section, make_incident(announce=ALL), "").decode().lower()
    assert "resolved" not in body.lower().replace("resolvedat", "")


def test_the_body_holds_no_secret(kind: str) -> None:
    """Nothing of the URL or of the headers is in the body."""
    body = find_kind(kind).render(_section(kind), make_incident(), "")

    assert TOKEN.encode() not in body


def test_an_incident_with_nothing_in_it_can_be_told(kind: str) -> None:
    """An incident without alerts and causes gives a body."""
    body = find_kind(kind).render(_section(kind), make_incident(alerts=(), cause=""), "")

    assert b"something: Slow" in body


async def test_it_delivers_and_closes_twice(kind: str, server: Server) -> None:
    """A delivery that is taken raises nothing, many at a time too, and closing is harmless."""
    config = NotifyConfig(receivers=(_section(kind, server.url),))
    receiver = open_receivers(config)["one"]
    attempts = [Attempt(key=f"k{n}", receiver="one", body=b"hello\n") for n in range(20)]

    assert [None] * 20 == await asyncio.gather(*(receiver.deliver(a) for a in attempts))
    await close_receivers([receiver, receiver])


async def test_it_fails_with_a_reason_and_without_secrets(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody is there it raises a DeliveryError with a reason, and shows no token."""

    class Broken:
        encoding = "utf-8"

        def write(self, text: str) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    receiver = open_receivers(NotifyConfig(receivers=(_section(kind),)))["one"]
    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(DeliveryError) as caught:
        await receiver.deliver(Attempt(key="k", receiver="one", body=b"{}"))
    monkeypatch.undo()
    await receiver.close()

    assert caught.value.detail
    assert TOKEN not in f"{caught.value!r} {caught.value}"


def test_an_installed_package_may_offer_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package adds a kind under the entry-point group, and cannot replace a built-in one."""
    offered = [
        EntryPoint(name, "sinks.notify.receivers.webhook:KIND", registry.GROUP)
        for name in ("pigeon", "stdout")
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: offered)

    assert {
        "pigeon": find_kind("webhook"),
        "stdout": find_kind("stdout"),
        "webhook": find_kind("webhook"),
    } == kinds.__wrapped__()


def test_an_unknown_kind_names_the_known_ones() -> None:
    """A type that nobody offers is a configuration error with the known types."""
    with pytest.raises(ConfigError, match="known are stdout, webhook"):
        find_kind("pigeon")


def test_every_receiver_that_cannot_work_is_named() -> None:
    """All receivers that cannot be opened are reported at once, without their URL."""
    bad = [
        WebhookReceiver(type="webhook", name=name, url=Secret(f"ftp://{TOKEN}"))
        for name in ("one", "two")
    ]
    with pytest.raises(ConfigError) as caught:
        open_receivers(NotifyConfig(receivers=tuple(bad)))

    assert [
        "receiver 'one': url must begin with http:// or https:// and name a host",
        "receiver 'two': url must begin with http:// or https:// and name a host",
    ] == caught.value.problems
