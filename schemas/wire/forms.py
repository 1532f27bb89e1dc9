"""Forms: the raw ways in which the series of an interner have been written, and the id of each.

A raw form is found by its bytes. Of each there is a fingerprint too: only that outlives a restart, so that what was
known before is known again, although the bytes have to be read once more.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.fingerprints import FingerprintIndex
from schemas.labels import fingerprint_bytes

LEAST = 1024


class Forms:
    """Ids by metric and raw form of the labels."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[bytes, int]] = {}
        self._count = 0
        self._prints = np.zeros(LEAST, np.uint64)
        self._id_of = np.zeros(LEAST, np.int32)
        self._unseen = np.zeros(LEAST, np.bool_)
        self._unseen_index = FingerprintIndex()

    def of(self, metric: str) -> Mapping[bytes, int]:
        """Ids by the raw forms of a metric's labels."""
        return self._ids.get(metric, {})

    @property
    def ids(self) -> NDArray[np.int32]:
        """Id of each form."""
        return self._id_of[: self._count]

    @property
    def waits(self) -> bool:
        """Whether there are forms from before a restart that nobody has written since."""
        return len(self._unseen_index) > 0

    def was_known(self, metric: str, raw: bytes) -> bool:
        """Whether a form that is not found by its bytes was known before the restart."""
        return self.waits and self._unseen_index.get(_print(metric, raw)) >= 0

    def add(self, metric: str, raw: bytes, known: int) -> bool:
        """Remember a form; whether it is one more, and not one from before the restart."""
        self._ids.setdefault(metric, {})[raw] = known
        print_ = _print(metric, raw)
        at = self._unseen_index.get(print_) if len(self._unseen_index) else -1
        if at >= 0:
            self._unseen[at] = False
            return False
        if self._count == len(self._prints):
            more = np.zeros(self._count, np.int32)
            self._prints = np.append(self._prints, more.astype(np.uint64))
            self._id_of = np.append(self._id_of, more)
            self._unseen = np.append(self._unseen, more.astype(np.bool_))
        self._prints[self._count] = print_
        self._id_of[self._count] = known
        self._count += 1
        return True

    def rename(self, new_ids: NDArray[np.intp]) -> None:
        """Let forms stand for other ids; those of an id that has become -1 are forgotten."""
        ids = new_ids.tolist()
        kept = {
            metric: {raw: ids[at] for raw, at in known.items() if ids[at] >= 0}
            for metric, known in self._ids.items()
        }
        self._ids = {metric: known for metric, known in kept.items() if known}
        renamed = new_ids[self.ids]
        stay = np.flatnonzero(renamed >= 0)
        self._take(self._prints[stay], renamed[stay], self._unseen[stay])

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
        self._ids = {}
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


def _print(metric: str, raw: bytes) -> int:
    return fingerprint_bytes(metric.encode() + b"\0" + raw)
