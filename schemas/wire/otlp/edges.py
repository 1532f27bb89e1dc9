"""Edges: who calls whom, from the two spans of a call, the client's and the server's.

The half that comes first waits for the other, by trace and the client's span id. A client half that waits too long, or
goes because there is no room, still tells an edge where its attributes name the other side, as those of a database do.
Names and meaning are those of the Collector's connector servicegraph.

Bounded: so many halves wait, for so many seconds of event time, the oldest go first. It refuses edges from a service to
itself and between tenants.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.labels import Labels

MOST_WAITING = 20_000
WAIT_SECONDS = 30
_LONGEST_NAME = 256
PEERS = (
    "peer.service",
    "db.name",
    "db.namespace",
    "db.system",
    "db.system.name",
    "messaging.system",
)
"""Attributes of a client's span that name the other side, the best first."""
ADDRESSES = ("server.address", "net.peer.name")
"""The same for a side that has nothing but an address."""


class Half(msgspec.Struct, array_like=True, frozen=True):
    """One of the two spans of a call.

    Attributes:
        service: whose it is.
        tenant: the tenant as a label, where an attribute names it.
        is_client: whether it is the caller's.
        seconds: how long it took.
        failed: whether it says that it failed.
        peer: name of the other side as a client's attributes have it, empty for none.

    """

    service: str
    tenant: Labels
    is_client: bool
    seconds: float
    failed: bool
    peer: str = ""


class Edge(msgspec.Struct, array_like=True, frozen=True):
    """One call.

    Attributes:
        client: who called.
        server: who was called.
        tenant: the tenant as a label, where an attribute names it.
        failed: whether either half says that it failed.
        client_seconds: how long the caller waited, None where it is not known.
        server_seconds: how long the called one worked, None where it is not known.

    """

    client: str
    server: str
    tenant: Labels
    failed: bool
    client_seconds: float | None = None
    server_seconds: float | None = None


class _Waiting(msgspec.Struct, array_like=True):
    half: Half
    second: int


_decode = msgspec.msgpack.Decoder(list[tuple[bytes, _Waiting]]).decode


class Edges:
    """Halves that wait, of one source partition."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting: OrderedDict[bytes, _Waiting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: bytes, half: Half, second: int) -> Iterator[Edge]:
        """Take in a half of the call that this key tells, trace and the client's span; the edges that it makes."""
        other = self._waiting.get(key)
        if other is None or other.half.is_client == half.is_client:
            self._waiting[key] = _Waiting(half, second)
            if len(self._waiting) > self._most:
                yield from _alone(self._waiting.popitem(last=False)[1].half)
            return
        del self._waiting[key]
        client, server = (half, other.half) if half.is_client else (other.half, half)
        if client.service != server.service and client.tenant == server.tenant:
            yield Edge(
                client.service,
                server.service,
                client.tenant,
                client.failed or server.failed,
                client.seconds,
                server.seconds,
            )

    def expire(self, second: int) -> Iterator[Edge]:
        """Edges of halves that have waited too long now."""
        while self._waiting:
            key, first = next(iter(self._waiting.items()))
            # a clock that was wrong must not keep it for ever
            if abs(second - first.second) <= WAIT_SECONDS:
                return
            del self._waiting[key]
            yield from _alone(first.half)

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        packed = msgspec.msgpack.encode(list(self._waiting.items()))
        return {"waiting": np.frombuffer(packed, np.uint8)}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none.

        """
        try:
            self._waiting = OrderedDict(_decode(columns["waiting"].tobytes()))
        except (KeyError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"spans of a checkpoint: {error!r}") from error


def _alone(half: Half) -> Iterator[Edge]:
    """The edge of a call of which only one half came."""
    if half.is_client and half.peer and half.peer != half.service:
        yield Edge(half.service, half.peer, half.tenant, half.failed, half.seconds)


def peer_of(attributes: Mapping[str, str]) -> str:
    """Name of the other side as the attributes of a client's span have it, empty for none."""
    names = (*PEERS, *ADDRESSES)
    return next((attributes[name] for name in names if attributes.get(name)), "")[:_LONGEST_NAME]
