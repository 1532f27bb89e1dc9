"""Fields: the fields of many protobuf messages in one buffer, read round by round, the first of each, then the second.

A round costs some array operations, however many messages take part: so there is no loop over messages. The few that
have more fields than all others are read one by one. What is read is what protobuf reads: any order of fields, unknown
ones too, of a field that occurs twice the last (protobuf.dev, Encoding).

It refuses what is no message, message by message; groups, which are no longer in use, are none.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.errors import DecodeError
from schemas.samples import Float64s, Int64s
from schemas.wire.remote_write.message import FIRST_TAG, LAST_TAG, LENGTH, VARINT, walk

PADDING = 16
"""So many bytes must stand behind the last message: what is looked at before it is known to be within."""
_FAR = 1 << 60
_FIXED_BYTES = np.array([0, 8, 0, _FAR, _FAR, 4, _FAR, _FAR])
"""Length of a value by its wire type; `_FAR` where there is no such type."""
_FEW = 32
"""So many messages are faster read one by one; a long one that is left over, too."""
_MOST_VARINT_BYTES = 10
_CONTINUES = 0x80
_FIELD_BITS = 0x80FF
"""Those of a tag, and that of the byte behind it that tells whether it goes on."""
_HEAD_BITS = 0x8087
"""Those of a tag and the byte behind it that tell its wire type, and whether one of them goes on."""

Bytes = NDArray[np.uint8]


class Fields(NamedTuple):
    """Fields of some messages: those of one message in their order.

    Attributes:
        owner: intp[m], number of the message.
        tag: int64[m], number of the field times 8, plus the wire type.
        at: int64[m], where it begins.
        start: int64[m], where its value begins.
        end: int64[m], where its value ends.

    """

    owner: NDArray[np.intp]
    tag: Int64s
    at: Int64s
    start: Int64s
    end: Int64s

    def of(self, tag: int) -> "Fields":
        """Those with this tag."""
        return self.take((self.tag == tag).nonzero()[0])

    def take(self, chosen: NDArray[np.intp]) -> "Fields":
        """Those at these places."""
        return Fields(*(column[chosen] for column in self))


def read_varints(data: Bytes, at: Int64s) -> tuple[Int64s, Int64s]:
    """Numbers that begin there, and where they end; far behind all data for what is none."""
    first = data[at]
    value, after = first.astype(np.int64), at + 1
    if not len(first) or first.max() < _CONTINUES:
        return value, after
    going = (first >= _CONTINUES).nonzero()[0]
    value[going] -= _CONTINUES
    for count in range(1, _MOST_VARINT_BYTES):
        byte = data[after[going]]
        value[going] |= (byte & 0x7F).astype(np.int64) << 7 * count
        after[going] += 1
        going = going[byte >= _CONTINUES]
        if not len(going):
            return value, after
    after[going] = _FAR
    return value, after


def anywhere(data: Bytes, kind: str) -> NDArray[Any]:
    """The numbers of this type that begin at each byte of the data."""
    size = np.dtype(kind).itemsize
    return np.ndarray((len(data) - size + 1,), kind, data, strides=(1,))


def read_doubles(data: Bytes, at: Int64s) -> Float64s:
    """Numbers of eight bytes that begin there."""
    found: Float64s = anywhere(data, "<f8")[at].astype(np.float64, copy=False)
    return found


def behind(data: Bytes, starts: Int64s, ends: Int64s, tag: int) -> Int64s:
    """Where in each message the fields with this tag end with which it begins; they have a length.

    Some of them may be left out: what a message with more of them than all others has, and all of a few messages.
    """
    found = starts.copy()
    heads = anywhere(data, "<u2")
    owner = (starts < ends).nonzero()[0]
    at, limit = starts[owner], ends[owner]
    while len(owner) > _FEW:
        head = heads[at]
        if ((head & _FIELD_BITS) == tag).all():
            after = at + 2 + (head >> 8)
            if (after < limit).all():
                at = after
                continue
        length, after = read_varints(data, at + 1)
        after = np.where(length < 0, _FAR, after + np.minimum(length, len(data)))
        good = ((head & 0xFF) == tag) & (after <= limit)
        at = np.where(good, after, at)
        found[owner] = at
        going = (good & (at < limit)).nonzero()[0]
        owner, at, limit = owner[going], at[going], limit[going]
    found[owner] = at
    return found


def split(data: Bytes, starts: Int64s, ends: Int64s) -> tuple[Fields, NDArray[np.bool_]]:
    """Fields of the messages that stand there, and which of them are none."""
    bad = np.zeros(len(starts), np.bool_)
    heads = anywhere(data, "<u2")
    owner = (starts < ends).nonzero()[0]
    at, limit = starts[owner], ends[owner]
    rounds: list[Fields] = []
    while len(owner) > _FEW:
        # a tag of one byte and a length of one: nearly all
        head = heads[at]
        if ((head & _HEAD_BITS) == LENGTH).all():
            tag, start = (head & 0xFF).astype(np.int64), at + 2
            end = start + (head >> 8)
        else:
            tag, start = read_varints(data, at)
            start, end = _bounds(data, np.minimum(start, limit), tag & 7)
        rounds.append(Fields(owner, tag, at, start, end))
        going = (end < limit).nonzero()[0]
        if len(going) == len(owner):
            at = end
        else:
            owner, at, limit = owner[going], end[going], limit[going]
    rounds.append(_walked(data, owner, at, limit, bad))
    fields = Fields(*map(np.concatenate, zip(*rounds, strict=True)))
    wrong = (fields.end > ends[fields.owner]) | (fields.tag < FIRST_TAG) | (fields.tag > LAST_TAG)
    if wrong.any():
        bad[fields.owner[wrong]] = True
    if bad.any():
        fields = fields.take((~bad[fields.owner]).nonzero()[0])
    return fields, bad


def _walked(
    data: Bytes, owner: NDArray[np.intp], at: Int64s, limit: Int64s, bad: NDArray[np.bool_]
) -> Fields:
    """The rest of the fields of these messages, one message after the other."""
    if not len(owner):
        return Fields(owner, at, at, at, limit)
    rows: list[tuple[int, int, int, int, int]] = []
    for number, begin, last in zip(owner.tolist(), at.tolist(), limit.tolist(), strict=True):
        try:
            rows += [(number, *each) for each in walk(data.data, begin, last)]
        except DecodeError:
            bad[number] = True
    return Fields(*np.array(rows, np.int64).reshape(-1, len(Fields._fields)).T)


def _bounds(data: Bytes, start: Int64s, kind: Int64s) -> tuple[Int64s, Int64s]:
    """Where values begin and end by their wire type; far behind all data where that is none."""
    end = start + _FIXED_BYTES[kind]
    varints = (kind == VARINT).nonzero()[0]
    end[varints] = read_varints(data, start[varints])[1]
    held = (kind == LENGTH).nonzero()[0]
    length, begin = read_varints(data, start[held])
    # what is longer than all data must not overflow
    end[held] = begin + np.where((length < 0) | (length > len(data)), _FAR, length)
    start[held] = begin
    return start, end


def read_packed(
    data: Bytes, starts: Int64s, ends: Int64s
) -> tuple[Int64s, Int64s, NDArray[np.bool_]]:
    """Packed varints that stand there, end to end; how many each stretch has, and which stretches are none."""
    lengths = ends - starts
    behind_each = lengths.cumsum()
    offsets = behind_each - lengths
    packed = data.take(np.arange(int(lengths.sum())) + (starts - offsets).repeat(lengths))
    last = packed < _CONTINUES
    bad = np.zeros(len(starts), np.bool_)
    if last.all():
        return packed.astype(np.int64), lengths, bad
    more = (~last).nonzero()[0]
    counts = lengths - np.bincount(behind_each.searchsorted(more, "right"), minlength=len(starts))
    filled = lengths.nonzero()[0]
    bad[filled] = ~last[behind_each[filled] - 1]
    if not bad.any() and last[more + 1].all():
        # of two bytes at most: nearly all
        values = packed.astype(np.int64)
        values[more + 1] <<= 7
        values[more + 1] |= packed[more] & 0x7F
        return values[last], counts, bad
    finish = last.nonzero()[0]
    begin = np.concatenate(([0], finish[:-1] + 1))[: len(finish)]
    # one that is cut off does not run on into the next stretch
    some = counts > 0
    begin[(counts.cumsum() - counts)[some]] = offsets[some]
    endless = finish - begin >= _MOST_VARINT_BYTES
    if endless.any():
        bad[np.arange(len(starts)).repeat(counts)[endless]] = True
    padded = np.concatenate((packed, np.zeros(PADDING, np.uint8)))
    return read_varints(padded, begin)[0], counts, bad
