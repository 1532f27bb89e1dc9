"""The schema registry's client: schemas by id, asked for until there is an answer.

The protocol is Confluent's: GET `/schemas/ids/{id}`, and `/subjects/{subject}/versions/{version}` for what one names.
A schema never changes, so what was answered once is remembered, up to a bound. A registry that is away, that is
overloaded or that lets us not in is asked again, ever more slowly, and whoever waits goes on waiting: nothing is given
up. That there is no such schema is an answer, which holds for a while.

It refuses answers of more than some megabytes.
"""

import asyncio
import logging
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Collection
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from schemas.config.options import RegistryConfig
from schemas.errors import ConfigError
from schemas.wire.asking import Answers, Nothing, Schema

log = logging.getLogger(__name__)

T = TypeVar("T")

LEAST_WAIT_SECONDS = 0.2
MOST_WAIT_SECONDS = 15.0
MOST_BYTES = 4_194_304
REMEMBERED = 1_000
MOST_REFERENCES = 100
_NOT_FOUND = frozenset({404, 410})


class _Reference(msgspec.Struct):
    subject: str
    version: int


class _Body(msgspec.Struct, rename={"kind": "schemaType", "text": "schema"}):
    text: str
    kind: str = "AVRO"
    references: list[_Reference] = []


class _AwayError(Exception):
    """No answer that says anything; why."""


class SchemaRegistry:
    """Schemas of one registry; use it inside one event loop, and close it."""

    def __init__(self, config: RegistryConfig) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None
        self._known: OrderedDict[int, Schema] = OrderedDict()
        self._missing: OrderedDict[int, tuple[float, Nothing]] = OrderedDict()
        self._asking: dict[int, asyncio.Task[Schema | Nothing]] = {}

    async def ask(self, ids: Collection[int]) -> Answers:
        """The schemas with these ids, or that there are none; waits for as long as the registry is away."""
        found = await asyncio.gather(*map(self._one, ids))
        return dict(zip(ids, found, strict=True))

    async def close(self) -> None:
        """Ask no longer."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _one(self, number: int) -> Schema | Nothing:
        known = self._known.get(number)
        if known is not None:
            self._known.move_to_end(number)
            return known
        until, nothing = self._missing.get(number, (0.0, Nothing("")))
        if until > asyncio.get_running_loop().time():
            return nothing
        # several partitions wait for the same answer; none of them may take it from the others
        if number not in self._asking:
            self._asking[number] = asyncio.create_task(self._until_answered(number))
            self._asking[number].add_done_callback(lambda _: self._asking.pop(number, None))
        return await asyncio.shield(self._asking[number])

    async def _until_answered(self, number: int) -> Schema | Nothing:
        wait_seconds = LEAST_WAIT_SECONDS
        while True:
            try:
                found = await self._get_schema(number)
            except _AwayError as error:
                log.warning("schema registry: no schema %d yet: %s", number, error)
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(2 * wait_seconds, MOST_WAIT_SECONDS)
                continue
            if isinstance(found, Schema):
                _remember(self._known, number, found)
            else:
                until = asyncio.get_running_loop().time() + self._config.forget_after / 1000
                _remember(self._missing, number, (until, found))
            return found

    async def _get_schema(self, number: int) -> Schema | Nothing:
        found = await self._get(f"schemas/ids/{number}")
        if isinstance(found, Nothing):
            return found
        texts: list[str] = []
        seen: set[tuple[str, int]] = set()
        nothing = await self._follow(found.references, texts, seen)
        return nothing or Schema(found.kind, found.text, tuple(texts))

    async def _follow(
        self, references: Collection[_Reference], texts: list[str], seen: set[tuple[str, int]]
    ) -> Nothing | None:
        """Texts of the schemas that a schema names, each behind those that it names itself."""
        for name in references:
            if (name.subject, name.version) in seen:
                continue
            seen.add((name.subject, name.version))
            if len(seen) > MOST_REFERENCES:
                return Nothing(f"more than {MOST_REFERENCES} references")
            subject = quote(name.subject, safe="")
            found = await self._get(f"subjects/{subject}/versions/{name.version}")
            if isinstance(found, Nothing):
                return found
            nothing = await self._follow(found.references, texts, seen)
            if nothing is not None:
                return nothing
            texts.append(found.text)
        return None

    async def _get(self, path: str) -> _Body | Nothing:
        """The answer to one question; raises _AwayError where there is none."""
        config = self._config
        try:
            password = config.password.reveal()
        except ConfigError as error:
            raise _AwayError(error.problems[0]) from None
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if config.username:
            login = b64encode(f"{config.username}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        try:
            async with self._session.get(
                f"{config.url.rstrip('/')}/{path}",
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=config.timeout / 1000),
                # it would carry the password to wherever it points
                allow_redirects=False,
            ) as answer:
                status = answer.status
                body = await answer.content.read(MOST_BYTES + 1)
                while len(body) <= MOST_BYTES and (more := await answer.content.read(MOST_BYTES)):
                    body += more
        # a URL may hold a password: no text of an error that has one is passed on
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _AwayError(type(error).__name__) from None
        if status in _NOT_FOUND:
            return Nothing("the registry has no such schema")
        if not 200 <= status < 300:
            raise _AwayError(f"status {status}")
        if len(body) > MOST_BYTES:
            return Nothing(f"the registry's answer has more than {MOST_BYTES} bytes")
        try:
            return msgspec.json.decode(body, type=_Body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # a proxy in between has pages of its own
            raise _AwayError("the answer is none of a schema registry") from None


def _remember(known: OrderedDict[int, T], number: int, found: T) -> None:
    known[number] = found
    known.move_to_end(number)
    if len(known) > REMEMBERED:
        known.popitem(last=False)
