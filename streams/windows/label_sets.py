"""LabelSets: label sets numbered from 0, each held once as its canonical bytes and read when somebody asks.

As tuples of texts they would take a kilobyte each, and hardly anybody looks at them: a number stands for them.
"""

from collections.abc import Iterator, Sequence
from typing import overload

from schemas.fingerprints import FingerprintIndex
from schemas.labels import Labels, decode_labels, encode_labels, fingerprint_bytes


class LabelSets(Sequence[Labels]):
    """A list of different label sets that knows where each one is.

    Attributes:
        encoded: their canonical bytes, by number.

    """

    def __init__(self) -> None:
        self.encoded: list[bytes] = []
        self._index = FingerprintIndex()

    def __len__(self) -> int:
        return len(self.encoded)

    @overload
    def __getitem__(self, index: int) -> Labels: ...

    @overload
    def __getitem__(self, index: slice) -> list[Labels]: ...

    def __getitem__(self, index: int | slice) -> Labels | list[Labels]:
        found = self.encoded[index]
        return decode_labels(found) if isinstance(found, bytes) else list(map(decode_labels, found))

    def __iter__(self) -> Iterator[Labels]:
        return map(decode_labels, self.encoded)

    def number(self, labels: Labels) -> int:
        """Number of a label set, the next one if it is new."""
        encoded = encode_labels(labels)
        return self.number_of(encoded, fingerprint_bytes(encoded))

    def number_of(self, encoded: bytes, fingerprint: int) -> int:
        """The same of canonical bytes and their fingerprint."""
        number = self._index.get(fingerprint)
        if number < 0:
            number = len(self.encoded)
            self.encoded.append(encoded)
            self._index.add_one(fingerprint, number)
        return number
