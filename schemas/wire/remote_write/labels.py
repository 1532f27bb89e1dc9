"""Labels: the label sets of the series of some requests, each with a key by which it is known again.

The key of a label set of 1.0 is its bytes as they stand there. In 2.0 labels are numbers of symbols, which mean
something in their own request only: the key is the numbers under which the same texts are remembered here.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import DecodeError
from schemas.labels import METRIC
from schemas.reasons import DeadLetterReason
from schemas.samples import Int64s
from schemas.wire.remote_write.body import Body, Buffer
from schemas.wire.remote_write.fields import Fields, read_packed
from schemas.wire.remote_write.message import Value, read_message

LABEL_1 = 0x0A
REFS_2, REF_2 = 0x0A, 0x08
_NAME, _TEXT = 0x0A, 0x12
_NUMBER_BYTES = 4
_SYMBOL_COSTS = 100
"""About what a text costs besides its bytes."""

Pairs = list[tuple[bytes, bytes]]


class LabelSets(Protocol):
    """Label sets of some series.

    Attributes:
        bad: which series have none that can be read.

    """

    bad: NDArray[np.bool_]

    def keys(self) -> list[bytes]:
        """The key of each."""
        ...

    def pairs(self, series: int) -> Pairs:
        """Names and values of one, in their order; raises DecodeError where a label is none."""
        ...


class WrittenLabels:
    """Label sets of 1.0, which are written out in each series."""

    def __init__(self, buffer: Buffer, ends: Int64s, fields: Fields) -> None:
        """`ends` says where labels end with which each series begins, `fields` what stands behind them."""
        self._text = buffer.text
        self.bad = np.zeros(len(buffer.starts), np.bool_)
        self._starts, self._ends = buffer.starts.tolist(), ends.tolist()
        self._astray: dict[int, bytes] = {}
        if (fields.tag == LABEL_1).any():
            self._gather(fields.of(LABEL_1))

    def _gather(self, labels: Fields) -> None:
        """Put the labels of those series together that have some behind other fields."""
        pieces: dict[int, list[bytes]] = {}
        rows = zip(labels.owner.tolist(), labels.at.tolist(), labels.end.tolist(), strict=True)
        for owner, at, end in rows:
            pieces.setdefault(owner, []).append(self._text[at:end])
        for number, parts in pieces.items():
            first = self._text[self._starts[number] : self._ends[number]]
            self._astray[number] = first + b"".join(parts)

    def keys(self) -> list[bytes]:
        """The bytes of each."""
        text = self._text
        found = [text[a:b] for a, b in zip(self._starts, self._ends, strict=True)]
        for number, raw in self._astray.items():
            found[number] = raw
        return found

    def pairs(self, series: int) -> Pairs:
        """Names and values of one, in their order."""
        raw = self._astray.get(series, self._text[self._starts[series] : self._ends[series]])
        return [_pair(label) for _, label in read_message(raw)]


def _pair(label: Value) -> tuple[bytes, bytes]:
    name = text = b""
    for tag, value in read_message(label if isinstance(label, bytes) else b""):
        if tag == _NAME and isinstance(value, bytes):
            name = value
        elif tag == _TEXT and isinstance(value, bytes):
            text = value
    return name, text


class Symbols:
    """Numbers of texts, the same in all requests; at a cap all are forgotten.

    Attributes:
        resets: grows when numbers get other texts.

    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._numbers: dict[bytes, int] = {}
        self._bytes = 0
        self.resets = 0

    def tidy(self) -> None:
        """Forget all where there are too many; between two chunks."""
        if self._bytes > self._most_bytes:
            self._numbers, self._bytes = {}, 0
            self.resets += 1

    def numbers(self, texts: Sequence[bytes]) -> list[int]:
        """Number of each."""
        get = self._numbers.get
        found = [get(text, -1) for text in texts]
        if -1 in found:
            for text in texts:
                if text not in self._numbers:
                    self._numbers[text] = len(self._numbers)
                    self._bytes += len(text) + _SYMBOL_COSTS
            found = [self._numbers[text] for text in texts]
        return found


class NumberedLabels:
    """Label sets of 2.0, which are numbers of symbols of their request."""

    def __init__(
        self, buffer: Buffer, fields: Fields, bodies: Sequence[Body], known: Symbols
    ) -> None:
        count = len(buffer.starts)
        mine = ((fields.tag == REFS_2) | (fields.tag == REF_2)).nonzero()[0]
        at = fields.at[mine]
        if (at[1:] < at[:-1]).any():
            # in the order of the buffer: a field that comes in several parts is put together
            mine = mine[at.argsort()]
        owner = fields.owner[mine]
        refs, counts, bad = read_packed(buffer.data, fields.start[mine], fields.end[mine])
        lengths = np.bincount(owner, counts, count).astype(np.int64)
        self.bad = (lengths & 1).astype(np.bool_)
        self.bad[owner[bad]] = True
        # the symbols of all bodies, one after the other, and which of them each number means
        self._symbols = [text for body in bodies for text in body.symbols or ()]
        ends = np.cumsum([0, *(len(body.symbols or ()) for body in bodies)])
        if len(bodies) > 1:
            body = buffer.body[owner].repeat(counts)
            first, most = ends[body], np.diff(ends)[body]
        else:
            first, most = ends[:1], ends[1:]
        place = refs + first
        # a number below zero is one above all others
        wrong = refs.view(np.uint64) >= most.view(np.uint64)
        if wrong.any():
            self.bad[owner.repeat(counts)[wrong]] = True
            place[wrong] = len(self._symbols)
        used = np.zeros(len(self._symbols) + 1, np.bool_)
        used[place] = True
        chosen = used[:-1].nonzero()[0]
        numbers = np.zeros(len(used), np.uint32)
        numbers[chosen] = known.numbers([self._symbols[at] for at in chosen.tolist()])
        self._place = place
        self._ends = np.zeros(count + 1, np.int64)
        lengths.cumsum(out=self._ends[1:])
        self._bytes = numbers[place].tobytes()

    def keys(self) -> list[bytes]:
        """The numbers of each, as bytes."""
        text = self._bytes
        return [text[a:b] for a, b in pairwise((self._ends * _NUMBER_BYTES).tolist())]

    def pairs(self, series: int) -> Pairs:
        """Names and values of one, in their order."""
        first, last = self._ends[series], self._ends[series + 1]
        texts = [self._symbols[at] for at in self._place[first:last].tolist()]
        return list(zip(texts[::2], texts[1::2], strict=True))


def read_labels(pairs: Pairs) -> tuple[str, dict[str, str]]:
    """Metric and labels of a label set; an empty label is one that is not there.

    Raises:
        DecodeError: a text is no UTF-8, or a name stands there twice.

    """
    try:
        labels = {name.decode(): text.decode() for name, text in pairs}
    except UnicodeDecodeError as error:
        raise DecodeError(DeadLetterReason.NOT_UTF8, f"labels: {error}") from error
    if len(labels) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise DecodeError(
            DeadLetterReason.BAD_LABEL, f"label {twice.decode()!r} stands there twice"
        )
    return labels.pop(METRIC, ""), {name: text for name, text in labels.items() if text}
