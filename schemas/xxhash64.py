"""XXH64 (Y. Collet, xxHash specification 0.1.1), for what must hash as Prometheus does.

Our own hashes are BLAKE2b; this one is slow in Python and meant for label sets, not for data.
"""

_MASK = (1 << 64) - 1
_P1 = 0x9E3779B185EBCA87
_P2 = 0xC2B2AE3D27D4EB4F
_P3 = 0x165667B19E3779F9
_P4 = 0x85EBCA77C2B2AE63
_P5 = 0x27D4EB2F165667C5
_STRIPE = 32


def _rotated(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def _word(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def xxhash64(data: bytes) -> int:
    """Unsigned 64-bit hash, with the seed 0."""
    at = 0
    if len(data) >= _STRIPE:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while at + _STRIPE <= len(data):
            lanes = [_round(lane, _word(data, at + 8 * i, 8)) for i, lane in enumerate(lanes)]
            at += _STRIPE
        turns = zip(lanes, (1, 7, 12, 18), strict=True)
        result = sum(_rotated(lane, by) for lane, by in turns) & _MASK
        for lane in lanes:
            result = ((result ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        result = _P5
    result = (result + len(data)) & _MASK
    while at + 8 <= len(data):
        result = (_rotated(result ^ _round(0, _word(data, at, 8)), 27) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= len(data):
        mixed = result ^ (_word(data, at, 4) * _P1 & _MASK)
        result = (_rotated(mixed, 23) * _P2 + _P3) & _MASK
        at += 4
    for byte in data[at:]:
        result = _rotated(result ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    result = (result ^ result >> 33) * _P2 & _MASK
    result = (result ^ result >> 29) * _P3 & _MASK
    return result ^ result >> 32
