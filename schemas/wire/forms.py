"""Forms: the raw ways in which the series of an interner have been written, and the id of each.

A form is found by 64 bits: Python's own hash of its bytes (SipHash with a key of the process: whoever writes telemetry
cannot choose two forms that meet), mixed with that of its metric. The bytes themselves are not kept, which would take
five times the memory, and no dict is asked, which costs three times the time where there are many series. Two forms of
a hundred thousand meet with a chance of 3e-10; the fingerprints of label sets have the same.

Of each there is a fingerprint too, which outlives a restart, so that what was known before is known again, although
the bytes have to be read once more.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.fingerprints import FingerprintIndex
from schemas.labels import fingerprint_bytes

LEAST = 1024
SPARE = 8
"""There is room for one more form for each so many."""
FEW = 8
"""So many are found faster one by one than as columns."""
_BITS = 2**64 - 1
SPREAD = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio (Knuth, The Art of Computer Programming, volume 3, section 6.4): Python gives a text and
its bytes one hash, and without this a form that reads like its metric would meet every other such form."""


class Forms:
    """Ids by metric and raw form of the labels."""

    def __init__(self) -> None:
        self._tenant: str | None = None
        self._salt = 0
        self._count = 0
        self._prints = np.zeros(LEAST, np.uint64)
        self._id_of = np.zeros(LEAST, np.int32)
        self._unseen = np.zeros(LEAST, np.bool_)
        self._seen_index = FingerprintIndex()
        self._unseen_index = FingerprintIndex()

    def find(self, metrics: Sequence[str], raws: Sequence[bytes]) -> NDArray[np.intp]:
        """Id of each of these raw forms of labels, -1 where it is not known; `metrics` are those beside them."""
        if len(raws) <= FEW:
            return np.array([self.get(m, r) for m, r in zip(metrics, raws, strict=True)], np.intp)
        hashes = np.fromiter(map(hash, raws), np.int64, len(raws)).view(np.uint64)
        # nearly all chunks are of one metric, and to compare texts takes a third of the time
        if len(raws) and metrics.count(metrics[0]) == len(raws):
            hashes ^= np.uint64(hash(metrics[0]) * SPREAD & _BITS)
        else:
            spread = np.fromiter(map(hash, metrics), np.int64, len(raws)).view(np.uint64)
            spread *= np.uint64(SPREAD)
            hashes ^= spread
        return self.find_hashed(hashes)

    def find_hashed(self, hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The same of forms that are hashed already: that of their bytes, mixed with `SPREAD` times the metric's."""
        at = self._seen_index.find(hashes ^ np.uint64(self._salt))
        return np.where(at < 0, -1, self._id_of[at])

    def get(self, metric: str, raw: bytes) -> int:
        """Id of one, -1 when it is not known."""
        at = self._seen_index.get(self._hash(metric, raw))
        return at if at < 0 else self._id_of.item(at)

    def belong(self, tenant: str | None) -> None:
        """Say whose the forms are from now on: a form means another series in a record of another tenant."""
        if tenant != self._tenant:
            self._tenant = tenant
            self._salt = 0 if tenant is None else hash((tenant,)) * SPREAD & _BITS

    def _hash(self, metric: str, raw: bytes) -> int:
        return (hash(raw) & _BITS) ^ (hash(metric) * SPREAD & _BITS) ^ self._salt

    def _print(self, metric: str, raw: bytes) -> int:
        tenant = self._tenant
        whole = metric if tenant is None else f"{len(tenant)} {tenant} {metric}"
        return fingerprint_bytes(whole.encode() + b"\0" + raw)

    @property
    def ids(self) -> NDArray[np.int32]:
        """Id of each form."""
        return self._id_of[: self._count]

    @property
    def waits(self) -> bool:
        """Whether there are forms from before a restart that nobody has written since."""
        return len(self._unseen_index) > 0

    def was_known(self, metric: str, raw: bytes) -> bool:
        """Whether a form that is not found was known before the restart."""
        return self.waits and self._unseen_index.get(self._print(metric, raw)) >= 0

    def add(self, metric: str, raw: bytes, known: int) -> bool:
        """Remember a form that is not found; whether it is one more, and not one from before the restart."""
        print_ = self._print(metric, raw)
        at = self._unseen_index.get(print_) if self.waits else -1
        if at >= 0:
            self._unseen_index.remove(np.array([print_], np.uint64))
            self._unseen[at] = False
            self._id_of[at] = known
            self._seen_index.add_one(self._hash(metric, raw), at)
            return False
        if self._count == len(self._prints):
            more = np.zeros(self._count // SPARE, np.int32)
            self._prints = np.append(self._prints, more.astype(np.uint64))
            self._id_of = np.append(self._id_of, more)
            self._unseen = np.append(self._unseen, more.astype(np.bool_))
        self._prints[self._count] = print_
        self._id_of[self._count] = known
        self._seen_index.add_one(self._hash(metric, raw), self._count)
        self._count += 1
        return True

    def rename(self, new_ids: NDArray[np.intp]) -> None:
        """Let forms stand for other ids; those of an id that has become -1 are forgotten."""
        renamed = new_ids[self.ids]
        stay = np.flatnonzero(renamed >= 0)
        seen = stay[~self._unseen[stay]]
        hashes = self._seen_index.fingerprints(seen)
        self._take(self._prints[stay], renamed[stay], self._unseen[stay])
        self._seen_index.replace(hashes, np.flatnonzero(~self._unseen[: self._count]))

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Fingerprint and id of each form."""
        return {"form_prints": self._prints[: self._count], "form_ids": self.ids}

    def restore(self, columns: Mapping[str, NDArray[np.generic]], ids: int) -> None:
        """Know the forms of a snapshot again; there are so many ids.

        Raises:
            CheckpointError: a column is missing, or they do not fit together.

        """
        try:
            prints = columns["form_prints"].astype(np.uint64)
            found = columns["form_ids"].astype(np.int64)
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"forms of a checkpoint: {error!r}") from error
        if len(prints) != len(found) or (len(found) and not 0 <= found.min() <= found.max() < ids):
            raise CheckpointError("forms of a checkpoint: columns do not fit together")
        self._seen_index = FingerprintIndex()
        self._take(prints, found, np.ones(len(prints), np.bool_))

    def _take(
        self, prints: NDArray[np.uint64], ids: NDArray[np.intp], unseen: NDArray[np.bool_]
    ) -> None:
        self._count = len(prints)
        more = np.zeros(max(0, LEAST - len(prints)), np.int32)
        self._prints = np.append(prints, more.astype(np.uint64))
        self._id_of = np.append(ids.astype(np.int32), more)
        self._unseen = np.append(unseen, more.astype(np.bool_))
        waiting = np.flatnonzero(unseen)
        self._unseen_index.replace(prints[waiting], waiting)
