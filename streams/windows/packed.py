"""Packed: canonical bytes of a label set with a number in place of its first two labels, metric and tenant as a rule.

Hardly anybody looks at them, and what they begin with is the same in thousands of them. The beginnings are numbered
for the whole process, as many as `MOST_HEADS`; a label set that begins with another one is held as it is.
"""

from typing import NewType

Packed = NewType("Packed", bytes)

NOTHING = Packed(b"")
"""Of no label set, where there may be one."""
MOST_HEADS = 1 << 14
LONGEST_HEAD = 256

_BETWEEN = b'"],["'
_TAIL = b'"]]'
"""What all end with, but for one without a label."""
_AS_IS = bytes(2)

_heads = [b""]
_numbers: dict[bytes, bytes] = {}


def pack(encoded: bytes) -> Packed:
    """The same, shorter."""
    second = encoded.find(_BETWEEN, encoded.find(_BETWEEN) + 1)
    if second < 0:
        return Packed(_AS_IS + encoded)
    head = encoded[: second + len(_BETWEEN)]
    number = _numbers.get(head)
    if number is None:
        if len(_heads) == MOST_HEADS or len(head) > LONGEST_HEAD:
            return Packed(_AS_IS + encoded)
        number = _numbers[head] = len(_heads).to_bytes(2)
        _heads.append(head)
    return Packed(number + encoded[len(head) : -len(_TAIL)])


def unpack(packed: Packed) -> bytes:
    """The canonical bytes."""
    head = _heads[packed[0] << 8 | packed[1]]
    return head + packed[2:] + _TAIL if head else packed[2:]
