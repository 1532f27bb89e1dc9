"""Recognition: which format a record is of, by its content type, its first bytes, its keys and its looks.

Asked in this order: the content type, where it means one format alone; first bytes that only one format has; of a JSON
object the keys, for which every format says what it must have; and last what the formats themselves say of the bytes.
Of two sets of keys that a record has, one within the other, the larger counts.

It refuses what no format claims, and what two of them do: nothing is guessed.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.format import Format
from schemas.wire.objects import UNREADABLE, read_at_once

NATIVE = "native"
JSON = "application/json"
"""The type of many formats."""
_SPACE = b" \n\r\t"
_OPEN = b"{"
_JSON_STARTS = (_OPEN, b"[")
_SHOWN_KEYS = 8
_KEY_SETS = 4096
_STRUCTS = 64
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Recognition:
    """Tells records of these formats apart."""

    def __init__(self, formats: Mapping[str, Format]) -> None:
        self._by_type: dict[str, list[str]] = {}
        self._by_start: dict[bytes, str] = {}
        self._shapes: list[tuple[frozenset[str], str]] = []
        self._claims = {name: f.claims for name, f in formats.items() if f.claims is not None}
        for name, each in formats.items():
            for kind in each.content_types:
                self._by_type.setdefault(kind, []).append(name)
            self._by_start |= dict.fromkeys(each.starts, name)
            self._shapes += ((shape, name) for shape in each.shapes)
        # longer ones first: what they tell is more
        self._lengths = sorted({len(start) for start in self._by_start}, reverse=True)
        self._by_keys = lru_cache(_KEY_SETS)(self._find_by_keys)

    def name(self, value: bytes, content_type: str) -> str:
        """Name of a record's format; raises DecodeError where there is none, or more than one."""
        if content_type == JSON:
            return self._of_json(value)
        if content_type:
            named = self._by_type.get(content_type, ())
            if len(named) == 1:
                return named[0]
        for length in self._lengths:
            name = self._by_start.get(value[:length])
            if name is not None:
                return name
        if value.lstrip(_SPACE)[:1] in _JSON_STARTS:
            return self._of_json(value)
        found = [name for name, claims in self._claims.items() if claims(value)]
        if len(found) == 1:
            return found[0]
        if found:
            raise _refuse(f"it could be {' or '.join(sorted(found))}")
        raise _refuse("neither its content type nor its bytes tell a format")

    def _of_json(self, value: bytes) -> str:
        """By the keys of an object; what is none is the native format's, which says what is wrong with it."""
        try:
            keys = tuple(_decode_object(value))
        except UNREADABLE:
            return NATIVE
        return self._by_keys(keys)

    def same(self, values: Sequence[bytes | None], limits: LimitsConfig) -> str:
        """Name of the format of a whole chunk of JSON objects that have the same keys; empty for any other."""
        first = values[0] if values else None
        if not first or first[:1] != _OPEN:
            return ""
        try:
            keys = tuple(_decode_object(first))
            name = self._by_keys(keys)
            read = _exactly(frozenset(keys))
        except (*UNREADABLE, DecodeError, ValueError):  # a key may be no name that msgspec takes
            return ""
        found = read_at_once(values, limits.message_bytes, read)
        return name if found is not None else ""

    def _find_by_keys(self, keys: tuple[str, ...]) -> str:
        here = frozenset(keys)
        fitting = [(shape, name) for shape, name in self._shapes if shape <= here]
        found = {name for shape, name in fitting if not any(shape < other for other, _ in fitting)}
        if len(found) == 1:
            return found.pop()
        if found:
            raise _refuse(f"by its keys it could be {' or '.join(sorted(found))}")
        shown = ", ".join(repr(key[:50]) for key in sorted(here)[:_SHOWN_KEYS])
        raise _refuse(f"no format has an object with the keys {shown or '(none)'}")


@lru_cache(_STRUCTS)
def _exactly(keys: frozenset[str]) -> Callable[[bytes], list[Any]]:
    """Reads lines of JSON objects that have these keys and no other."""
    names = {f"key_{at}": key for at, key in enumerate(sorted(keys))}
    fields = [(name, msgspec.Raw) for name in names]
    form = msgspec.defstruct("Keys", fields, rename=names, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(form).decode_lines


def _refuse(detail: str) -> DecodeError:
    return DecodeError(DeadLetterReason.UNKNOWN_FORMAT, detail)
