"""InternedRows: rows of the series store for the ids of an interner, each looked up once.

What was found holds until the store has retired a series or the interner has let ids go; then all is looked up anew.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.wire.interner import Interner
from streams.windows.series import SeriesStore

UNKNOWN = -2


class InternedRows:
    """Ids to rows."""

    def __init__(self, store: SeriesStore, interner: Interner) -> None:
        self._store = store
        self._interner = interner
        self._rows = np.full(0, UNKNOWN, np.int64)
        self._valid_for = self._epochs()

    def _epochs(self) -> tuple[int, int]:
        return self._store.retirements, self._interner.resets

    def of(self, ids: NDArray[np.intp]) -> NDArray[np.int64]:
        """Row of each id, -1 where the store has no room."""
        if self._valid_for != self._epochs():
            self._valid_for = self._epochs()
            self._rows = np.full(0, UNKNOWN, np.int64)
        if len(self._rows) < len(self._interner):
            more = max(len(self._interner), 2 * len(self._rows)) - len(self._rows)
            self._rows = np.concatenate((self._rows, np.full(more, UNKNOWN, np.int64)))
        rows: NDArray[np.int64] = self._rows[ids]
        if not len(rows) or rows.min() >= 0:
            return rows
        # also those without room: a series may have been retired since
        asked = np.unique(ids[rows < 0])
        label_bytes = self._interner.label_bytes.gather(asked)
        self._rows[asked] = self._store.rows(self._interner.fingerprints(asked), label_bytes)
        return self._rows[ids]
