"""Pieces: a stream reader that keeps what the socket brings as it came, and joins it once, when it is asked for.

asyncio's own copies each piece into a buffer that grows, cuts the answer out of it, and stops and starts the socket for
each 128 KiB of an answer of megabytes: a sixth of all that the interpreter does while a backlog is read. `install` has
aiokafka 0.14.0, which is pinned and has no public way to that, read so from then on.

Bounded as before: behind what is asked for it holds two times its limit and a piece, then the socket waits. It knows no
other way to read than `readexactly`.
"""

import asyncio
from collections import deque
from typing import Any

from aiokafka import conn

Piece = bytes | memoryview


class PieceReader(asyncio.StreamReader):
    """The reader of one connection."""

    _transport: Any
    _exception: Exception | None
    _wait_for_data: Any
    _wakeup_waiter: Any
    _limit: int
    _paused: bool
    _eof: bool

    def begin(self) -> None:
        """Start with nothing."""
        self._pieces: deque[Piece] = deque()
        self._held = 0
        self._wanted = 0

    def at_eof(self) -> bool:
        """Whether there is nothing left, and nothing will come."""
        return self._eof and not self._held

    def feed_data(self, data: Any) -> None:
        """Take in what the socket has brought."""
        if not data:
            return
        self._pieces.append(data)
        self._held += len(data)
        if self._held >= self._wanted:
            self._wakeup_waiter()
        full = self._held > self._wanted + 2 * self._limit
        if full and not self._paused and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True

    async def readexactly(self, n: int) -> bytes:
        """So many bytes.

        Raises:
            IncompleteReadError: the connection ended before; it holds what there was.
            Exception: what the connection met with.

        """
        if self._exception is not None:
            raise self._exception
        self._wanted = n
        try:
            while self._held < n:
                if self._eof:
                    raise asyncio.IncompleteReadError(self._cut(self._held), n)
                await self._wait_for_data("readexactly")
        finally:
            self._wanted = 0
        data = self._cut(n)
        if self._paused and self._held <= self._limit:
            self._paused = False
            self._transport.resume_reading()
        return data

    def _cut(self, size: int) -> bytes:
        """The first so many bytes, which are there."""
        self._held -= size
        taken: list[Piece] = []
        while size:
            piece = self._pieces.popleft()
            if len(piece) > size:
                view = memoryview(piece)
                self._pieces.appendleft(view[size:])
                piece = view[:size]
            taken.append(piece)
            size -= len(piece)
        return b"".join(taken)


class _Protocol(conn.AIOKafkaProtocol):  # type: ignore[misc]  # aiokafka is untyped to mypy
    def __init__(self, closed: Any, reader: asyncio.StreamReader, **more: Any) -> None:
        super().__init__(closed, reader, **more)
        # aiokafka makes its reader itself, a moment before
        reader.__class__ = PieceReader
        assert isinstance(reader, PieceReader)
        reader.begin()


def install() -> None:
    """Have aiokafka's connections of this process read so."""
    conn.AIOKafkaProtocol = _Protocol
