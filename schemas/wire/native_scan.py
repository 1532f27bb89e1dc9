"""Scan: what is plain in native JSON, told by compiled code from the bytes of a whole chunk.

Plain is an object on its own with the four keys, each once, in any order and with spaces between them: two numbers, a
metric of ASCII without escapes, and labels that are an object. Labels are not read but hashed with the metric, as
`Forms` does: a hash that is known there says that these very bytes were read before and were good.

It says nothing of what is not plain, which takes the ordinary path.
"""

import ctypes
import sys

import numpy as np
from numpy.typing import NDArray

from schemas.compiled import Int, compiled
from schemas.spans import Spans
from schemas.wire.forms import SPREAD
from schemas.wire.native_numbers import read_number
from schemas.wire.native_plain import Scanned

_SPREAD = np.uint64(SPREAD)

_QUOTE, _COLON, _COMMA, _OPEN, _CLOSE = b'":,{}'
_BACKSLASH, _SPACE = b"\\ "
_ASCII_END = 128
_TIME, _METRIC, _VALUE, _LABELS, _ALL = 1, 2, 4, 8, 15
_NONE = 0
_TIME_KEY = np.frombuffer(b'"ts"', np.uint8)
_METRIC_KEY = np.frombuffer(b'"metric"', np.uint8)
_VALUE_KEY = np.frombuffer(b'"value"', np.uint8)
_LABELS_KEY = np.frombuffer(b'"labels"', np.uint8)


@compiled
def _turn(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """One round of SipHash."""
    v0 += v1
    v2 += v3
    v1 = ((v1 << np.uint64(13)) | (v1 >> np.uint64(51))) ^ v0
    v3 = ((v3 << np.uint64(16)) | (v3 >> np.uint64(48))) ^ v2
    v0 = (v0 << np.uint64(32)) | (v0 >> np.uint64(32))
    v2 += v1
    v0 += v3
    v1 = ((v1 << np.uint64(17)) | (v1 >> np.uint64(47))) ^ v2
    v3 = ((v3 << np.uint64(21)) | (v3 >> np.uint64(43))) ^ v0
    v2 = (v2 << np.uint64(32)) | (v2 >> np.uint64(32))
    return v0, v1, v2, v3


@compiled
def _word(text: NDArray[np.uint8], at: Int) -> np.uint64:
    """Eight bytes, the least first; one load, when compiled."""
    return (
        np.uint64(text[at])
        | np.uint64(text[at + 1]) << np.uint64(8)
        | np.uint64(text[at + 2]) << np.uint64(16)
        | np.uint64(text[at + 3]) << np.uint64(24)
        | np.uint64(text[at + 4]) << np.uint64(32)
        | np.uint64(text[at + 5]) << np.uint64(40)
        | np.uint64(text[at + 6]) << np.uint64(48)
        | np.uint64(text[at + 7]) << np.uint64(56)
    )


@compiled
def hash_of(text: NDArray[np.uint8], at: Int, end: Int, key: NDArray[np.uint64]) -> np.uint64:
    """Python's hash of these bytes: SipHash-1-3 (Aumasson and Bernstein, 2012, with fewer rounds)."""
    if at == end:
        return np.uint64(0)
    v0 = key[0] ^ np.uint64(0x736F6D6570736575)
    v1 = key[1] ^ np.uint64(0x646F72616E646F6D)
    v2 = key[0] ^ np.uint64(0x6C7967656E657261)
    v3 = key[1] ^ np.uint64(0x7465646279746573)
    last = np.uint64(end - at) << np.uint64(56)
    while end - at >= 8:
        word = _word(text, at)
        v3 ^= word
        v0, v1, v2, v3 = _turn(v0, v1, v2, v3)
        v0 ^= word
        at += 8
    shift = np.uint64(0)
    while at < end:
        last |= np.uint64(text[at]) << shift
        shift += np.uint64(8)
        at += 1
    v3 ^= last
    v0, v1, v2, v3 = _turn(v0, v1, v2, v3)
    v0 ^= last
    v2 ^= np.uint64(0xFF)
    for _ in range(3):
        v0, v1, v2, v3 = _turn(v0, v1, v2, v3)
    found = v0 ^ v1 ^ v2 ^ v3
    # -1 is an error to Python
    return np.uint64(2**64 - 2) if found == np.uint64(2**64 - 1) else found


@compiled
def _begins(text: NDArray[np.uint8], at: Int, end: Int, word: NDArray[np.uint8]) -> bool:
    """Whether a word stands here."""
    if end - at < len(word):
        return False
    for offset in range(len(word)):  # noqa: SIM110 - numba compiles no generator within `all`
        if text[at + offset] != word[offset]:
            return False
    return True


@compiled
def _same(text: NDArray[np.uint8], at: Int, other: Int, length: Int) -> bool:
    """Whether the same bytes stand at two places."""
    for offset in range(length):  # noqa: SIM110 - as above
        if text[at + offset] != text[other + offset]:
            return False
    return True


@compiled
def _next(text: NDArray[np.uint8], at: Int, end: Int) -> tuple[Int, Int]:
    """The next byte that is no space, and where it stands; 0 where there is none."""
    while 0 <= at < end and text[at] == _SPACE:
        at += 1
    return (text[at] if 0 <= at < end else np.uint8(0)), at


@compiled
def _key(text: NDArray[np.uint8], at: Int, end: Int) -> tuple[int, Int]:
    """Which key begins here, and where its value does; `_NONE` where there is no value."""
    if _begins(text, at, end, _TIME_KEY):
        which, at = _TIME, at + len(_TIME_KEY)
    elif _begins(text, at, end, _METRIC_KEY):
        which, at = _METRIC, at + len(_METRIC_KEY)
    elif _begins(text, at, end, _VALUE_KEY):
        which, at = _VALUE, at + len(_VALUE_KEY)
    elif _begins(text, at, end, _LABELS_KEY):
        which, at = _LABELS, at + len(_LABELS_KEY)
    else:
        return _NONE, at
    letter, at = _next(text, at, end)
    if letter != _COLON:
        return _NONE, at
    letter, at = _next(text, at + 1, end)
    return (which if letter else _NONE), at


@compiled
def _metric(
    text: NDArray[np.uint8], at: Int, end: Int, key: NDArray[np.uint64], last: NDArray[np.uint64]
) -> Int:
    """Behind the metric that begins here, -1 where it is not plain; the last one is where it is, and hashed."""
    if text[at] != _QUOTE:
        return -1
    at += 1
    # nearly all records of a chunk are of one metric
    start, stop = np.int64(last[0]), np.int64(last[1])
    here = at + stop - start
    if here < end and text[here] == _QUOTE and _same(text, at, start, stop - start):
        return here + 1
    first = at
    while at < end and text[at] != _QUOTE:
        if text[at] < _SPACE or text[at] == _BACKSLASH or text[at] >= _ASCII_END:
            return -1
        at += 1
    last[0], last[1] = first, at
    last[2] = hash_of(text, first, at, key) * _SPREAD
    return at + 1


@compiled
def _labels_end(text: NDArray[np.uint8], at: Int, end: Int) -> Int:
    """Behind the object that begins here, -1 where there is none; what is no object is known to nobody."""
    if text[at] != _OPEN:
        return -1
    # most often they stand last
    if end - at >= 3 and text[end - 2] == _CLOSE and text[end - 1] == _CLOSE:
        return end - 1
    within = False
    while at < end and text[at] != _BACKSLASH:
        if text[at] == _QUOTE:
            within = not within
        elif text[at] == _CLOSE and not within:
            return at + 1
        at += 1
    return -1


@compiled
def _read(
    text: NDArray[np.uint8],
    at: Int,
    end: Int,
    key: NDArray[np.uint64],
    last: NDArray[np.uint64],
    row: int,
    times: NDArray[np.float64],
    values: NDArray[np.float64],
    hashes: NDArray[np.uint64],
    labels: NDArray[np.int64],
) -> bool:
    """Read the record that begins here; whether it is plain."""
    seen = 0
    letter: Int = np.uint8(_COMMA)
    while letter == _COMMA:
        _, at = _next(text, at + 1, end)
        which, at = _key(text, at, end)
        if which == _NONE or seen & which:
            return False
        seen |= which
        if which == _TIME:
            times[row], at = read_number(text, at, end)
        elif which == _VALUE:
            values[row], at = read_number(text, at, end)
        elif which == _METRIC:
            at = _metric(text, at, end, key, last)
        else:
            labels[row, 0] = at
            at = _labels_end(text, at, end)
            labels[row, 1] = at
        letter, at = _next(text, at, end)
    if letter != _CLOSE or at != end - 1 or seen != _ALL:
        return False
    hashes[row] = hash_of(text, labels[row, 0], labels[row, 1], key) ^ last[2]
    return True


@compiled
def _scan(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    most_bytes: int,
    key: NDArray[np.uint64],
    plain: NDArray[np.bool_],
    times: NDArray[np.float64],
    values: NDArray[np.float64],
    hashes: NDArray[np.uint64],
    labels: NDArray[np.int64],
) -> None:
    """Fill the columns of `Scanned`."""
    last = np.zeros(3, np.uint64)
    for row in range(len(starts)):
        at, end = starts[row], ends[row]
        fits = 0 < end - at <= most_bytes and text[at] == _OPEN
        plain[row] = fits and _read(text, at, end, key, last, row, times, values, hashes, labels)


def scan(spans: Spans, most_bytes: int) -> Scanned:
    """Read what is plain among these records, each of so many bytes at most."""
    rows = len(spans)
    found = Scanned(
        np.empty(rows, np.bool_),
        np.empty(rows),
        np.empty(rows),
        np.empty(rows, np.uint64),
        np.empty((rows, 2), np.int64),
    )
    _scan(spans.text, spans.starts, spans.ends, most_bytes, _KEY, *found)
    return found


def _find_key() -> NDArray[np.uint64]:
    """The key with which this process hashes.

    Raises:
        RuntimeError: it is not to be found, or it hashes otherwise.

    """
    try:
        secret = (ctypes.c_uint64 * 2).in_dll(ctypes.pythonapi, "_Py_HashSecret")
    except (AttributeError, ValueError) as error:
        raise RuntimeError("the key of Python's hash is not to be found") from error
    key = np.array(secret[:], np.uint64)
    probe = bytes(range(32))
    text = np.frombuffer(probe, np.uint8)
    for length in range(len(probe)):
        here = hash(probe[:length]), hash(probe[:length].decode())
        if {each % 2**64 for each in here} != {int(hash_of(text, 0, length, key))}:
            raise RuntimeError(f"Python hashes by {sys.hash_info.algorithm}, not by siphash13")
    return key


_KEY = _find_key()
scan(Spans.of([b"{}"]), 0)  # compiles it
