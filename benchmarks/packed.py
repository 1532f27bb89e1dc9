"""Packed: Kafka record batches of the telemetry as they lie on the wire, made column by column, and who sends them.

A producer that takes message after message needs a core for 150,000 a second, which a benchmark on two cores does not
have. Here all messages of a batch are equally long, so that a batch is a table of bytes in which only digits differ.

It refuses values under 100 or from 1,000 on, and more than 8,192 messages in a batch: they would be longer.
"""

import socket
import struct
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np
from aiokafka.record.util import calc_crc32c
from numpy.typing import NDArray

from benchmarks import workload
from schemas.samples import Float64s, Int64s

MOST = 8_192
"""Messages in a batch: from here on their numbers take three bytes."""
ONE_BYTE = 64
"""Up to here they take one."""
SERVICE = b"service-%06d"
DIGITS = 6
DECIMALS = 4
PLACE = struct.Struct(">qii")
"""Of a batch: offset of its first record, its length from here on, the leader's epoch."""
CHECKED = struct.Struct(">hiqqqhii")
"""Attributes, number of the last record, first and last time, producer's id, epoch and sequence, count."""
PRODUCE, VERSION, ALL, WAIT_MS = 0, 7, -1, 30_000
ANSWER = struct.Struct(">ihqqq")
"""Of a partition: its number, error, offset, time, where its log begins."""
NOT_YET = (3, 5, 6)
"""Errors of a young partition: unknown, without a leader, or led by somebody else."""
PATIENCE_SECONDS, PAUSE_SECONDS = 30.0, 0.1


def batch(time_ms: int, services: Int64s, values: Float64s) -> bytes:
    """One record batch: a sample of each of these services at a time, and its value."""
    if len(values) > MOST or not 100.0 <= float(values.min()) <= float(values.max()) < 999.9999:
        raise ValueError("not all messages would be equally long")
    records = b"".join(
        _records(time_ms, services[part], values[part], part.start)
        for part in (slice(0, ONE_BYTE), slice(ONE_BYTE, MOST))
    )
    count = len(values)
    checked = CHECKED.pack(0, count - 1, time_ms, time_ms, -1, -1, -1, count) + records
    body = struct.pack(">bI", 2, calc_crc32c(checked)) + checked
    return PLACE.pack(0, 4 + len(body), -1) + body


def _records(time_ms: int, services: Int64s, values: Float64s, first: int) -> bytes:
    """Records whose numbers in their batch, from `first` on, take equally many bytes."""
    key, number = SERVICE % 0, _varint(first)
    value = workload.encode(time_ms, 100.0, key)
    head = b"\0\0" + number + _varint(len(key)) + key + _varint(len(value))
    length = _varint(len(head) + len(value) + 1)
    head = length + head
    table = np.tile(np.frombuffer(head + value + b"\0", np.uint8), (len(values), 1))
    numbers = 2 * np.arange(first, first + len(values))
    at = len(length) + 2
    table[:, at] = numbers if len(number) == 1 else numbers % 128 + 128
    if len(number) > 1:
        table[:, at + 1] = numbers // 128
    whole, fraction = np.divmod(np.round(values * 10**DECIMALS).astype(np.int64), 10**DECIMALS)
    at = len(head) + value.index(b"100.0000")
    table[:, at : at + 3] = _digits(whole, 3)
    table[:, at + 4 : at + 4 + DECIMALS] = _digits(fraction, DECIMALS)
    for end in (head.index(key) + len(key), len(head) + value.index(key) + len(key)):
        table[:, end - DIGITS : end] = _digits(services, DIGITS)
    return table.tobytes()


def _digits(numbers: Int64s, count: int) -> NDArray[np.int64]:
    return numbers[:, None] // 10 ** np.arange(count - 1, -1, -1) % 10 + ord("0")


def _varint(number: int) -> bytes:
    """A number that is not negative, as Protocol Buffers write a `sint32`."""
    number, found = 2 * number, bytearray()
    while number >= 128:
        found.append(number % 128 + 128)
        number //= 128
    return bytes([*found, number])


class Line:
    """A connection to the one broker that leads all partitions of a topic."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        host, _, port = bootstrap.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
        self._topic = topic.encode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, batches: Mapping[int, bytes]) -> None:
        """Write a batch to each of these partitions, and wait until the broker has them.

        Raises:
            RuntimeError: the broker refuses one.

        """
        end = time.monotonic() + PATIENCE_SECONDS
        while refused := self._ask(batches):
            if time.monotonic() > end or not set(refused.values()) <= set(NOT_YET):
                raise RuntimeError(f"refused, by partition: {refused}")
            batches = {partition: batches[partition] for partition in refused}
            time.sleep(PAUSE_SECONDS)

    def _ask(self, batches: Mapping[int, bytes]) -> dict[int, int]:
        """Errors by partition."""
        name = struct.pack(">h", len(self._topic)) + self._topic
        head = struct.pack(">hhihhhii", PRODUCE, VERSION, 0, -1, -1, ALL, WAIT_MS, 1)
        parts = [head, name, struct.pack(">i", len(batches))]
        for partition, records in batches.items():
            parts += [struct.pack(">ii", partition, len(records)), records]
        body = b"".join(parts)
        self._socket.sendall(struct.pack(">i", len(body)) + body)
        (length,) = struct.unpack(">i", self._read(4))
        told = self._read(length)[8 + len(name) + 4 : -4]
        return {found[0]: found[1] for found in ANSWER.iter_unpack(told) if found[1]}

    def _read(self, length: int) -> bytes:
        found = bytearray()
        while len(found) < length:
            more = self._socket.recv(length - len(found))
            if not more:
                raise RuntimeError("the broker has hung up")
            found += more
        return bytes(found)
