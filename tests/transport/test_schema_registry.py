"""The schema registry's client, against a registry of our own that answers as it is told."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from schemas.config.options import RegistryConfig
from schemas.config.section import Secret
from schemas.wire.asking import Nothing, Schema
from streams.transport import schema_registry
from streams.transport.schema_registry import SchemaRegistry


class Registry:
    """A registry; `answers` are status and body by path, `asked` how often each path was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: Counter[str] = Counter()
        self.headers: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked[request.raw_path] += 1
        self.headers.append(request.headers.get("Authorization", ""))
        status, body = self.answers.get(request.raw_path, (404, {"error_code": 40403}))
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.json_response(body, status=status)


@asynccontextmanager
async def running() -> AsyncIterator[Registry]:
    """A registry that listens."""
    made = Registry()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    try:
        yield made
    finally:
        await runner.cleanup()


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    async with running() as made:
        yield made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_registry, "LEAST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(schema_registry, "MOST_WAIT_SECONDS", 0.02)


@asynccontextmanager
async def client(registry: Registry, **parts: object) -> AsyncIterator[SchemaRegistry]:
    """A client of this registry."""
    made = SchemaRegistry(RegistryConfig.model_validate({"url": registry.url} | parts))
    try:
        yield made
    finally:
        await made.close()


async def test_a_schema_is_asked_for_once(registry: Registry) -> None:
    """However many partitions wait for it, and however often: what is known is not asked for again."""
    registry.answers["/schemas/ids/7"] = 200, {"schema": '"string"'}
    registry.answers["/schemas/ids/8"] = 200, {"schema": "{}", "schemaType": "JSON", "x": 1}
    async with client(registry) as asking:
        found = await asyncio.gather(*(asking.ask({7, 8}) for _ in range(5)))
        again = await asking.ask([7])

    assert [{7: Schema("AVRO", '"string"'), 8: Schema("JSON", "{}")}] * 5 == found
    assert {7: Schema("AVRO", '"string"')} == again
    assert {"/schemas/ids/7": 1, "/schemas/ids/8": 1} == registry.asked


async def test_what_is_not_there_is_an_answer_for_a_while(registry: Registry) -> None:
    """404 is remembered for `forget_after`, and asked for again afterwards."""
    async with (
        client(registry, forget_after="1h") as patient,
        client(registry, forget_after=1) as forgetful,
    ):
        nothing = {7: Nothing("the registry has no such schema")}
        assert [nothing] * 2 == [await patient.ask([7]) for _ in range(2)]
        assert 1 == registry.asked["/schemas/ids/7"]
        await forgetful.ask([7])
        await asyncio.sleep(0.01)
        registry.answers["/schemas/ids/7"] = 200, {"schema": "1"}
        assert {7: Schema("AVRO", "1")} == await forgetful.ask([7])


@pytest.mark.parametrize(
    "away",
    [
        (500, {}),
        (503, "sorry"),
        (401, {}),
        (429, {}),
        (302, {}),
        (200, "<html>log in</html>"),
        (200, {"no": "schema"}),
    ],
)
async def test_it_waits_for_as_long_as_the_registry_is_away(
    registry: Registry, away: tuple[int, object], caplog: pytest.LogCaptureFixture
) -> None:
    """No fault of the registry, nor of a proxy before it, is an answer: it is asked until there is one."""
    registry.answers["/schemas/ids/7"] = away
    async with client(registry) as asking:
        waiting = asyncio.ensure_future(asking.ask([7]))
        while registry.asked["/schemas/ids/7"] < 3:
            await asyncio.sleep(0.005)
        assert not waiting.done()
        registry.answers["/schemas/ids/7"] = 200, {"schema": "1"}
        assert {7: Schema("AVRO", "1")} == await waiting
    assert "no schema 7 yet" in caplog.text


async def test_it_waits_for_a_registry_that_does_not_run() -> None:
    """A connection that is refused is tried again, and the answer comes when the registry does."""
    async with running() as short:
        pass
    asking = SchemaRegistry(RegistryConfig(url=short.url))
    waiting = asyncio.ensure_future(asking.ask([7]))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    waiting.cancel()
    await asking.close()


async def test_who_stops_waiting_takes_the_answer_from_nobody(registry: Registry) -> None:
    """Of several that wait for one schema one may give up."""
    registry.answers["/schemas/ids/7"] = 500, {}
    async with client(registry) as asking:
        first, second = (asyncio.ensure_future(asking.ask([7])) for _ in range(2))
        while not registry.asked["/schemas/ids/7"]:
            await asyncio.sleep(0.005)
        first.cancel()
        registry.answers["/schemas/ids/7"] = 200, {"schema": "1"}
        assert {7: Schema("AVRO", "1")} == await second


async def test_references_are_followed(registry: Registry) -> None:
    """What a schema names comes with it, each before what names it, and each once."""
    one = {"name": "One", "subject": "a/b", "version": 1}
    two = {"name": "Two", "subject": "two", "version": 3}
    registry.answers["/schemas/ids/7"] = 200, {"schema": "main", "references": [two, one]}
    registry.answers["/subjects/two/versions/3"] = 200, {"schema": "two", "references": [one]}
    registry.answers["/subjects/a%2Fb/versions/1"] = 200, {"schema": "one", "references": [one]}
    registry.answers["/schemas/ids/8"] = (
        200,
        {"schema": "x", "references": [{"name": "No", "subject": "no", "version": 1}]},
    )
    async with client(registry) as asking:
        found = await asking.ask([7, 8])

    assert Schema("AVRO", "main", ("one", "two")) == found[7]
    assert Nothing("the registry has no such schema") == found[8]


async def test_it_says_who_asks_and_tells_no_secret(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Name and password go as HTTP's basic authentication, are read late, and stand in no log."""
    registry.answers["/schemas/ids/7"] = 200, {"schema": "1"}
    secret = Secret("${env:REGISTRY_PASSWORD}")
    async with client(registry, username="me", password=secret, forget_after=1) as asking:
        waiting = asyncio.ensure_future(asking.ask([7]))
        while "REGISTRY_PASSWORD is not set" not in caplog.text:
            await asyncio.sleep(0.005)
        monkeypatch.setenv("REGISTRY_PASSWORD", "hunter2")
        await waiting

    assert ["Basic " + base64.b64encode(b"me:hunter2").decode()] == registry.headers
    assert "REGISTRY_PASSWORD is not set" in caplog.text
    assert "hunter2" not in caplog.text


async def test_an_answer_has_a_bound(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is larger than a schema can be is none."""
    monkeypatch.setattr(schema_registry, "MOST_BYTES", 100)
    registry.answers["/schemas/ids/7"] = 200, {"schema": "x" * 200}
    async with client(registry) as asking:
        assert {7: Nothing("the registry's answer has more than 100 bytes")} == await asking.ask(
            [7]
        )


async def test_what_is_remembered_is_bounded(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more schemas than are remembered those not asked for longest are asked for again."""
    monkeypatch.setattr(schema_registry, "REMEMBERED", 2)
    for number in (1, 2, 3):
        registry.answers[f"/schemas/ids/{number}"] = 200, {"schema": str(number)}
    async with client(registry) as asking:
        for number in (1, 2, 1, 3, 1, 2):
            await asking.ask([number])

    assert {"/schemas/ids/1": 1, "/schemas/ids/2": 2, "/schemas/ids/3": 1} == registry.asked
