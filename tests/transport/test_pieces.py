"""A connection's bytes, read as they come."""

import asyncio
import struct
from typing import Any

import pytest
from aiokafka import conn
from hypothesis import given
from hypothesis import strategies as st

from streams.transport.pieces import PieceReader, install

LIMIT = 64


class Socket:
    """A transport that notes whether it is to wait."""

    def __init__(self) -> None:
        self.waits = False
        self.pauses = 0

    def pause_reading(self) -> None:
        """Wait."""
        assert not self.waits
        self.waits = True
        self.pauses += 1

    def resume_reading(self) -> None:
        """Go on."""
        assert self.waits
        self.waits = False


def make() -> tuple[PieceReader, Socket]:
    """A reader and what feeds it."""
    reader, socket = PieceReader(limit=LIMIT), Socket()
    reader.begin()
    reader.set_transport(socket)  # type: ignore[arg-type]  # as much of it as a reader needs
    return reader, socket


async def fed(reader: PieceReader, socket: Socket, data: bytes, size: int) -> None:
    """Bring bytes in pieces of a size, as long as they are wanted."""
    for at in range(0, len(data), size):
        while socket.waits:
            await asyncio.sleep(0)
        reader.feed_data(data[at : at + size])
        if at % 3 == 0:
            await asyncio.sleep(0)
    reader.feed_eof()


@given(st.lists(st.binary(max_size=400), max_size=12), st.integers(1, 300))
def test_answers_come_out_however_they_are_cut(answers: list[bytes], size: int) -> None:
    """Each is its length and itself, in pieces of any size; then the stream is at its end."""
    data = b"".join(struct.pack(">i", len(each)) + each for each in answers)

    async def read() -> list[bytes]:
        reader, socket = make()
        feeding = asyncio.create_task(fed(reader, socket, data, size))
        found = []
        for _ in answers:
            (length,) = struct.unpack(">i", await reader.readexactly(4))
            found.append(await reader.readexactly(length))
        await feeding
        assert reader.at_eof()
        return found

    assert answers == asyncio.run(read())


async def test_a_long_answer_does_not_stop_the_socket() -> None:
    """What is asked for may be as long as it is; what comes behind it is bounded."""
    reader, socket = make()
    reading = asyncio.create_task(reader.readexactly(100 * LIMIT))
    await asyncio.sleep(0)
    for _ in range(100):
        reader.feed_data(bytes(LIMIT))
    assert 0 == socket.pauses
    assert 100 * LIMIT == len(await reading)
    for _ in range(3):
        reader.feed_data(bytes(LIMIT))
    assert socket.waits
    await reader.readexactly(2 * LIMIT)
    assert not socket.waits


async def test_an_end_in_the_middle_is_told_with_what_there_was() -> None:
    """And so is what the connection met with."""
    reader, _ = make()
    reader.feed_data(b"abc")
    reader.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError) as caught:
        await reader.readexactly(4)
    assert (b"abc", 4) == (caught.value.partial, caught.value.expected)
    reader.set_exception(ConnectionResetError())
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)


async def test_aiokafka_reads_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader that aiokafka makes for a connection becomes one of pieces."""
    monkeypatch.setattr(conn, "AIOKafkaProtocol", conn.AIOKafkaProtocol)
    install()
    loop: Any = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=conn.READER_LIMIT, loop=loop)
    protocol = conn.AIOKafkaProtocol(loop.create_future(), reader, loop=loop)
    protocol.data_received(b"abcdef")
    assert isinstance(reader, PieceReader)
    assert b"abcd" == await reader.readexactly(4)
