"""LabelColumns: the distinct label sets of an Arrow batch, found column by column.

A row's label set is a combination of codes, one for each column, where equal codes are equal texts and 0 is none. Its
key is a number of mixed radix over those codes: equal keys are equal combinations, and where two batches have the same
`identity`, their columns and dictionaries are the same, so equal keys mean the same in both.

It refuses to hash label sets: a combination is numbered exactly, so no two can ever be taken for one.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import blake2b

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
from numpy.typing import NDArray

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason

Int64s = NDArray[np.int64]
_RADIX_BELOW = 2**62
_DIGEST_BYTES = 16
DENSE = 8
"""Keys are numbered by a table of all that there may be where it is no longer than so many times the rows."""


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is text, dictionary-encoded or not."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


class Texts:
    """A column of texts as codes; `texts[code]` is the text of a code, None for code 0."""

    def __init__(self, column: pa.Array) -> None:
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        codes = column.indices
        if codes.null_count:
            codes = codes.cast(pa.int64()).fill_null(-1)
        self.codes = np.add(codes.to_numpy(), 1, dtype=np.int64)
        self.dictionary = column.dictionary
        self.count = len(self.dictionary) + 1

    @cached_property
    def texts(self) -> list[str | None]:
        """Every text by its code."""
        return [None, *self.dictionary.to_pylist()]

    def identity(self) -> Iterator[bytes]:
        """Bytes that tell this dictionary from any other."""
        dictionary = self.dictionary
        yield f"{dictionary.type} {dictionary.offset} {self.count}".encode()
        for buffer in dictionary.buffers():
            yield f"{-1 if buffer is None else buffer.size}:".encode()
            yield b"" if buffer is None else buffer


class Mapped:
    """A column of maps from text to text: the codes of names and values, end to end, and how many each row has."""

    def __init__(self, column: pa.MapArray) -> None:
        ends = column.offsets.to_numpy().astype(np.int64)
        self.starts = ends[:-1]
        self.lengths = np.diff(ends)
        if column.null_count:
            self.lengths[column.is_null().to_numpy(zero_copy_only=False)] = 0
        self.longest = int(self.lengths.max(initial=0))
        self.names, self.values = Texts(column.keys), Texts(column.items)

    def columns(self, most: int) -> Iterator[tuple[Int64s, int]]:
        """Each row's length, then codes of its first, second, ... pair, up to `most`; and how many codes there are."""
        yield self.lengths, self.longest + 1
        radix = self.values.count
        pairs = self.names.codes * radix + self.values.codes + 1
        for number in range(min(most, self.longest)):
            there = np.flatnonzero(self.lengths > number)
            codes = np.zeros(len(self.lengths), np.int64)
            codes[there] = pairs[self.starts[there] + number]
            yield codes, self.names.count * radix + 1

    def labels(self, row: int) -> Iterator[tuple[str | None, str | None]]:
        """Pairs of a row."""
        for at in range(self.starts[row], self.starts[row] + self.lengths[row]):
            yield self.names.texts[self.names.codes[at]], self.values.texts[self.values.codes[at]]


class LabelColumns:
    """Distinct label sets of a batch, numbered in the order in which they come up.

    Attributes:
        number: int64[rows], which of them each row has.
        keys: int64[sets], key of each; None where they mean nothing beyond this batch.

    """

    def __init__(
        self, metric: Texts, labels: Mapping[str, Texts], mapped: Mapped | None, most: int
    ) -> None:
        self._metric, self._labels, self._mapped, self._most = metric, labels, mapped, most
        columns = [(text.codes, text.count) for text in (metric, *labels.values())]
        if mapped is not None:
            columns += mapped.columns(most)
        self.number, self._first, self.keys = _combined(columns, len(metric.codes))

    def __len__(self) -> int:
        return len(self._first)

    @cached_property
    def identity(self) -> bytes:
        """Digest of the names and dictionaries of all columns."""
        digest = blake2b(digest_size=_DIGEST_BYTES)
        for name, text in (("", self._metric), *self._labels.items()):
            digest.update(f"{len(name)}:{name}".encode())
            for part in text.identity():
                digest.update(part)
        if (mapped := self._mapped) is not None:
            digest.update(f"map {mapped.longest}".encode())
            for part in (*mapped.names.identity(), *mapped.values.identity()):
                digest.update(part)
        return digest.digest()

    def read(self, number: int) -> tuple[str, dict[str, str]]:
        """Metric and labels of a set, without empty ones.

        Raises:
            DecodeError: it has no metric, or its map has too many labels or one without a name.

        """
        row = int(self._first[number])
        metric = self._metric.texts[self._metric.codes[row]]
        if not metric:
            raise DecodeError(DeadLetterReason.MISSING_METRIC, "metric is null or empty")
        found = {name: text.texts[text.codes[row]] for name, text in self._labels.items()}
        if (mapped := self._mapped) is not None:
            if mapped.lengths[row] > self._most:
                raise DecodeError(
                    DeadLetterReason.TOO_MANY_LABELS,
                    f"{mapped.lengths[row]} labels, the limit is {self._most}",
                )
            for name, value in mapped.labels(row):
                if name is None:
                    raise DecodeError(DeadLetterReason.BAD_LABEL, "a label's name is null")
                found[name] = value
        return metric, {name: value for name, value in found.items() if value}


def _combined(
    columns: Iterable[tuple[Int64s, int]], rows: int
) -> tuple[Int64s, Int64s, Int64s | None]:
    """Number of each row's combination, the first row of each, and its key."""
    key, size, lasting = np.zeros(rows, np.int64), 1, True
    for codes, count in columns:
        if count == 1:
            continue
        if size * count >= _RADIX_BELOW:
            key, first, _ = _numbered(key, size)
            size, lasting = len(first), False
        if size == 1:
            key = codes
        else:
            key = key * count
            key += codes
        size *= count
    number, first, keys = _numbered(key, size)
    return number, first, keys if lasting else None


def _numbered(key: Int64s, below: int) -> tuple[Int64s, Int64s, Int64s]:
    """Equal keys, from 0 to `below`, as equal numbers from 0 on, in the order in which they come up.

    With them the first row of each, and each.
    """
    if below <= DENSE * len(key):
        return _numbered_by_table(key, below)
    encoded = pa.array(key).dictionary_encode()
    number = encoded.indices.to_numpy().astype(np.int64)
    keys = encoded.dictionary.to_numpy()
    first = np.empty(len(keys), np.int64)
    # of several rows the one that is written last stays
    first[number[::-1]] = np.arange(len(key) - 1, -1, -1)
    return number, first, keys


def _numbered_by_table(key: Int64s, below: int) -> tuple[Int64s, Int64s, Int64s]:
    """The same by a place for each possible key, of which those in use are written: less work than a hash."""
    place = np.empty(below, np.int64)
    rows = np.arange(len(key))
    # of several rows the one that is written last stays
    place[key[::-1]] = rows[::-1]
    first = np.flatnonzero(place[key] == rows)
    keys = key[first]
    place[keys] = np.arange(len(keys))
    return place[key], first, keys
