"""Whether a Kafka broker answers on a port of this machine.

Asks in Kafka's own protocol (a Metadata request, version 1, for no topics), because the port opens before the broker
is registered with its controller, and only a registered one names itself in the answer.
Refuses to wait: the caller decides how often and how long.
"""

import socket
import struct

METADATA, VERSION, CORRELATION = 3, 1, 1
HOST = "127.0.0.1"


def is_open(port: int) -> bool:
    """Whether anything at all accepts connections there."""
    with socket.socket() as caller:
        caller.settimeout(1.0)
        return caller.connect_ex((HOST, port)) == 0


def answers(port: int, timeout_seconds: float = 2.0) -> bool:
    """Whether a broker there knows of itself, and so can take topics and records."""
    return brokers(port, timeout_seconds) >= 1


def brokers(port: int, timeout_seconds: float = 2.0) -> int:
    """How many brokers the one there knows of, itself among them; 0 where none answers."""
    # size | api key, api version, correlation id, no client id | an array of no topics
    request = struct.pack(">ihhihi", 14, METADATA, VERSION, CORRELATION, -1, 0)
    try:
        with socket.create_connection((HOST, port), timeout=timeout_seconds) as caller:
            caller.sendall(request)
            reply = caller.recv(12, socket.MSG_WAITALL)
    except OSError:
        return 0
    if len(reply) < 12:
        return 0
    _size, correlation, known = struct.unpack(">iii", reply)
    return int(known) if correlation == CORRELATION else 0
