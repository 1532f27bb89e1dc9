"""Label sets: the identity of a series or an alert, its canonical order, its fingerprint, and matchers.

A label set is a tuple of (name, value) pairs, sorted by name, without empty values: Prometheus treats a missing
label and an empty one alike. The tenant travels in every label set as the reserved label `__tenant__`; nothing
that groups, matches or joins may ever drop it, so no tenant can see another's series.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import TypeAlias

import msgspec

from schemas.regex import Regex, RegexError, compile_regex

Labels: TypeAlias = tuple[tuple[str, str], ...]

METRIC = "__name__"
TENANT = "__tenant__"
ALERTNAME = "alertname"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Labels)

LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
METRIC_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


def make_labels(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """Canonical label set of a mapping or of pairs; the last of equal names wins."""
    items = dict(pairs)
    if "" in items.values():
        items = {name: value for name, value in items.items() if value}
    return tuple(sorted(items.items()))


def get_label(labels: Labels, name: str) -> str:
    """Value of a label, the empty string where it is missing."""
    for n, v in labels:
        if n == name:
            return v
    return ""


def without(labels: Labels, *names: str) -> Labels:
    """The label set without these names."""
    return tuple(p for p in labels if p[0] not in names)


def encode_labels(labels: Labels) -> bytes:
    """Canonical bytes: JSON array of pairs. Equal label sets have equal bytes and the other way round."""
    # a copy, because the encoder's own bytes keep the room that it had to spare: these are kept for every series
    return bytes(memoryview(_encoder.encode(labels)))


def decode_labels(data: bytes) -> Labels:
    """Inverse of `encode_labels`.

    Raises:
        msgspec.DecodeError: the bytes are not such an array.

    """
    return _decoder.decode(data)


def order_key(encoded: bytes) -> bytes:
    """Of canonical bytes, bytes whose order is that of the label sets as tuples."""
    if b"\\" in encoded:  # an escape does not stand where its character would
        return "\0".join(part for pair in decode_labels(encoded) for part in pair).encode()
    return encoded[3:-3].replace(b'"],["', b"\0").replace(b'","', b"\0")


def fingerprint_bytes(data: bytes) -> int:
    """Unsigned 64-bit BLAKE2b (RFC 7693) of canonical label bytes."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def fingerprint(labels: Labels) -> int:
    """Stable unsigned 64-bit hash of a label set."""
    return fingerprint_bytes(encode_labels(labels))


def metric_hash(name: str) -> int:
    """32 bits by which the metric of a label set is told without looking at it; collisions do exist."""
    return fingerprint_bytes(name.encode()) >> 32


def home(tenant: str, labels: Mapping[str, str], locality: Iterable[str], partitions: int) -> int:
    """Detect partition of a series: all with one tenant and equal values of the locality labels meet in one."""
    place = ((TENANT, tenant), *((name, labels.get(name, "")) for name in locality))
    return fingerprint_bytes(encode_labels(place)) % partitions


def content_id(*parts: str | int) -> str:
    """Identity of a record from its content: 16 hex digits of BLAKE2b over the parts, order kept."""
    return blake2b(_encoder.encode(parts), digest_size=8).hexdigest()


class MatchOp(StrEnum):
    """The four operators of a matcher."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True)
class Matcher:
    """One condition on one label; a missing label is an empty one; regular expressions are anchored."""

    name: str
    op: MatchOp
    value: str

    @cached_property
    def pattern(self) -> Regex:
        """The compiled expression of a regex matcher."""
        return compile_regex(self.value)

    def matches_value(self, value: str) -> bool:
        """Whether a value of the label (empty when missing) satisfies the condition."""
        match self.op:
            case MatchOp.EQUAL:
                return value == self.value
            case MatchOp.NOT_EQUAL:
                return value != self.value
            case MatchOp.REGEX:
                return self.pattern.matches(value)
            case MatchOp.NOT_REGEX:
                return not self.pattern.matches(value)

    def matches(self, labels: Labels) -> bool:
        """Whether a label set satisfies the condition."""
        return self.matches_value(get_label(labels, self.name))

    def __str__(self) -> str:
        return f"{self.name}{self.op.value}{msgspec.json.encode(self.value).decode()}"


_MATCHER = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^"]*?)\s*')


def parse_matcher(text: str) -> Matcher:
    """Read `name="value"`, `name=~"regex"`; quotes may be left out as in Alertmanager's matchers.

    Raises:
        ValueError: it is not a matcher, or its regular expression does not compile.

    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f'not a matcher: {text!r}; write name="value" with one of = != =~ !~')
    name, op, value = found.groups()
    if value.startswith('"'):
        value = msgspec.json.decode(value.encode(), type=str)
    matcher = Matcher(name, MatchOp(op), value)
    if matcher.op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
        try:
            matcher.pattern  # noqa: B018  compiled here so that a bad one fails at start
        except RegexError as error:
            raise ValueError(f"bad regular expression in {text!r}: {error}") from error
    return matcher
