"""The line between workers and one broker: a TCP proxy that can be cut, slowed down, or made to swallow everything."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
PIECE_BYTES = 16_384
RETRY_SECONDS = 0.05


class Proxy:
    """Listens on a port of its own and passes bytes to `target`; its ways to fail are attributes.

    Attributes:
        is_cut: connections are closed, and new ones too.
        is_silent: nothing is passed on, and nobody is told.
        delay_seconds: each piece of at most 16 KiB is held for so long.

    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self.is_cut = False
        self.is_silent = False
        self.delay_seconds = 0.0
        self._server: asyncio.Server | None = None
        self._pairs: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """What clients are told."""
        return f"{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._drop()

    async def cut(self) -> None:
        """Close every connection; new ones are closed until `heal`."""
        self.is_cut = True
        await self._drop()

    def heal(self) -> None:
        """Pass everything on at once, from now on."""
        self.is_cut = self.is_silent = False
        self.delay_seconds = 0.0

    async def _drop(self) -> None:
        pairs = list(self._pairs)
        for pair in pairs:
            pair.cancel()
        await asyncio.gather(*pairs, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        pair = asyncio.ensure_future(self._pass(reader, writer))
        self._pairs.add(pair)
        pair.add_done_callback(self._pairs.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        try:
            with suppress(OSError):
                answers, upstream = await asyncio.open_connection(HOST, self.target_port)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pump(reader, upstream))
                    both.create_task(self._pump(answers, writer))
        except* OSError:
            pass  # either end broke off, as a line does
        finally:
            for end in (writer, upstream):
                if end is not None:
                    end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(PIECE_BYTES):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            while self.is_silent:
                await asyncio.sleep(RETRY_SECONDS)
            sink.write(piece)
            await sink.drain()
        raise ConnectionResetError
