"""LabelSets: label sets numbered from 0, each held once and read when somebody asks.

As tuples of texts they would take a kilobyte each, and hardly anybody looks at them: a number stands for them. Held are
their canonical bytes or, of what an operation made of another list's label sets, where it came from alone: a tenth of
that, and it can be made again.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np

from schemas.fingerprints import FingerprintIndex
from schemas.labels import Labels, decode_labels, encode_labels, fingerprint_bytes


class Origin(NamedTuple):
    """An operation and the label sets that it works on."""

    source: "LabelSets"
    transform: Callable[[Labels], Labels]

    def make(self, at: int) -> Labels:
        """What it makes of a label set."""
        return self.transform(self.source[at])


class LabelSets(Sequence[Labels]):
    """A list of different label sets that knows where each one is."""

    def __init__(self) -> None:
        self._encoded: list[bytes | None] = []
        self._origin: Origin | None = None
        self._made_of = np.zeros(0, np.int32)
        self._index = FingerprintIndex()

    def __len__(self) -> int:
        return len(self._encoded)

    @overload
    def __getitem__(self, index: int) -> Labels: ...

    @overload
    def __getitem__(self, index: slice) -> list[Labels]: ...

    def __getitem__(self, index: int | slice) -> Labels | list[Labels]:
        if isinstance(index, slice):
            return [self._read(number) for number in range(*index.indices(len(self)))]
        return self._read(range(len(self))[index])

    def __iter__(self) -> Iterator[Labels]:
        return map(self._read, range(len(self)))

    def _read(self, number: int) -> Labels:
        encoded = self._encoded[number]
        return self._make(number) if encoded is None else decode_labels(encoded)

    def _make(self, number: int) -> Labels:
        assert self._origin is not None
        return self._origin.make(self._made_of.item(number))

    def encoded(self, number: int) -> bytes:
        """Canonical bytes of a label set."""
        found = self._encoded[number]
        return encode_labels(self._make(number)) if found is None else found

    def number(self, labels: Labels) -> int:
        """Number of a label set, the next one if it is new."""
        encoded = encode_labels(labels)
        return self.number_of(encoded, fingerprint_bytes(encoded))

    def number_of(self, encoded: bytes, fingerprint: int) -> int:
        """The same of canonical bytes and their fingerprint."""
        number = self._index.get(fingerprint)
        return self._add(encoded, fingerprint) if number < 0 else number

    def number_made(self, origin: Origin, at: int) -> int:
        """The same of what an operation makes of a label set."""
        encoded = encode_labels(origin.make(at))
        print_ = fingerprint_bytes(encoded)
        number = self._index.get(print_)
        if number >= 0:
            return number
        if self._origin is not origin:
            self._spell_out()
            self._origin = origin
        number = self._add(None, print_)
        if number >= len(self._made_of):
            self._made_of = np.append(self._made_of, np.zeros(number // 4 + 64, np.int32))
        self._made_of[number] = at
        return number

    def _spell_out(self) -> None:
        """Hold the bytes of all: they can be made again by one operation alone."""
        for number, encoded in enumerate(self._encoded):
            if encoded is None:
                self._encoded[number] = encode_labels(self._make(number))

    def _add(self, encoded: bytes | None, fingerprint: int) -> int:
        number = len(self._encoded)
        self._encoded.append(encoded)
        self._index.add_one(fingerprint, number)
        return number
