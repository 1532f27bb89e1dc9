"""LabelSets: label sets numbered from 0, each held once and read when somebody asks.

As tuples of texts they would take a kilobyte each, and hardly anybody looks at them: a number stands for them. Held are
their packed bytes or, of what an operation made of another list's label sets, where it came from alone: a tenth of
that, and it can be made again.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np

from schemas.fingerprints import FingerprintIndex, fingerprints_of
from schemas.labels import Labels, decode_labels, encode_labels, fingerprint_bytes
from schemas.samples import Int64s, UInt64s
from streams.windows.packed import Packed, pack, unpack


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
        # the first ones are held, the others made
        self._held: list[Packed] = []
        self._origin: Origin | None = None
        self._made_of = np.zeros(0, np.int32)
        self._index = FingerprintIndex()

    def __len__(self) -> int:
        return len(self._held) + len(self._made_of)

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
        if number < len(self._held):
            return decode_labels(unpack(self._held[number]))
        assert self._origin is not None
        return self._origin.make(self._made_of.item(number - len(self._held)))

    def encoded(self, number: int) -> bytes:
        """Canonical bytes of a label set."""
        if number < len(self._held):
            return unpack(self._held[number])
        return encode_labels(self._read(number))

    def packed(self, number: int) -> Packed:
        """The same, as it is held."""
        if number < len(self._held):
            return self._held[number]
        return pack(self.encoded(number))

    def fingerprints(self, numbers: Int64s) -> UInt64s:
        """Fingerprint of each of these."""
        return self._index.fingerprints(numbers)

    def number(self, labels: Labels) -> int:
        """Number of a label set, the next one if it is new."""
        encoded = encode_labels(labels)
        print_ = fingerprint_bytes(encoded)
        number = self._index.get(print_)
        if number < 0:
            self._hold_all()
            number = len(self)
            self._index.add_one(print_, number)
            self._held.append(pack(encoded))
        return number

    def numbers_of(self, packed: Sequence[Packed], fingerprints: UInt64s) -> Int64s:
        """The same of several different ones, and their fingerprints."""
        numbers = self._index.find(fingerprints)
        new = np.flatnonzero(numbers < 0)
        if len(new):
            self._hold_all()
            numbers[new] = self._enter(fingerprints[new])
            self._held += [packed[at] for at in new.tolist()]
        return numbers

    def numbers_made(self, origin: Origin, sources: Int64s) -> Int64s:
        """The same of what an operation makes of label sets."""
        prints = fingerprints_of(encode_labels(origin.make(at)) for at in sources.tolist())
        numbers = self._index.find(prints)
        if len(numbers) and numbers.min() < 0:
            if self._origin is not origin:
                self._hold_all()
                self._origin = origin
            new = np.flatnonzero(numbers < 0)
            # several may have become one
            first = np.sort(np.unique(prints[new], return_index=True)[1])
            self._enter(prints[new[first]])
            self._made_of = np.append(self._made_of, sources[new[first]].astype(np.int32))
            numbers[new] = self._index.find(prints[new])
        return numbers

    def _hold_all(self) -> None:
        """Hold the bytes of all: they can be made again by one operation alone."""
        if len(self._made_of):
            made = range(len(self._held), len(self))
            self._held += [self.packed(number) for number in made]
            self._made_of = np.zeros(0, np.int32)

    def _enter(self, fingerprints: UInt64s) -> Int64s:
        """The next numbers, for new label sets, all different."""
        numbers = np.arange(len(self), len(self) + len(fingerprints))
        self._index.add(fingerprints, numbers)
        return numbers
