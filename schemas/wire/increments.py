"""Increments: what decoders share whose records say by how much something has grown, and not how much it is.

Rules want running counts, so increments are added up, series by series, in the order of the log (`Totals`). Each source
partition has totals of its own, which is why such series carry the label `source_partition`.

Bounded by the limit on a tenant's series. It refuses nothing: an increment without a good time or value is not added.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import CheckpointError
from schemas.wire.columns import Columns
from schemas.wire.interner import Interner
from schemas.wire.otlp.totals import Totals

SOURCE_PARTITION = "source_partition"
_TOTALS = "totals."
_ADDED = "added"


class Increments:
    """Part of a decoder that remembers what increments have added up to."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._most = limits.series_per_tenant
        self._totals = Totals(self._most)
        self._added = 0
        self.place = ""

    def begin(self, topic: str, partition: int) -> None:
        """Say where the next values stand."""
        self.place = f"{topic}-{partition}"

    def snapshot(self) -> Mapping[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        columns = {_TOTALS + name: column for name, column in self._totals.snapshot().items()}
        return {**columns, _ADDED: np.array([self._added], np.int64)}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; from nothing where there are no columns.

        Raises:
            CheckpointError: it is none of such a decoder.

        """
        self._totals, self._added = Totals(self._most), 0
        if not columns:
            return
        if _ADDED not in columns or len(columns[_ADDED]) != 1:
            raise CheckpointError("increments of a checkpoint: no count of them")
        self._added = int(columns[_ADDED].astype(np.int64)[0])
        totals = {k.removeprefix(_TOTALS): c for k, c in columns.items() if k.startswith(_TOTALS)}
        self._totals.restore(totals)

    def add_up(self, columns: Columns, adds: NDArray[np.bool_], interner: Interner) -> Columns:
        """The columns of accepted series with totals in the place of these increments.

        A total's time is never before that of the one before it.
        """
        good = (columns.series >= 0) & (columns.times >= 0) & np.isfinite(columns.values)
        mine = np.flatnonzero(adds & good)
        # many increments may have one time: none of them is one that was sent twice
        turns = np.arange(self._added, self._added + len(mine)).astype(np.uint64)
        self._added += len(mine)
        prints = interner.fingerprints(columns.series[mine])
        times, sums, _ = self._totals.add(prints, columns.times[mine], turns, columns.values[mine])
        columns.times[mine], columns.values[mine] = times, sums
        kept = columns.series >= 0
        return columns if kept.all() else columns.keep(kept)
