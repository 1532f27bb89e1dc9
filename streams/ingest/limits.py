"""Limits: what the limits of one source partition remember, and their verdicts that hang on a tenant.

Everything goes by the seconds that have gone by in the log (`Elapsed`), so a replay gives the same verdicts, and so
does a restart from a snapshot. Everything here is bounded by the number of tenants.

It refuses nothing by what a sample says: that is the reader's part.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.config import LimitsConfig
from schemas.errors import CheckpointError
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.samples import Int64s
from schemas.wire.columns import Columns, Refusal
from schemas.wire.identity import NOWHERE
from schemas.wire.interner import Interner
from streams.ingest.budget import Budget
from streams.ingest.quota import Bools, Quota, rank
from streams.stage import Figure, scrub_figures
from streams.time.elapsed import Elapsed

MINUTE_SECONDS = 60
MINUTE_MS = 60_000
RETIREMENTS = 12
"""Silent series are looked for this often within the time after which one is forgotten."""


class Limits:
    """Quotas, dead letters and silent series of one source partition.

    Attributes:
        refused: how many records and samples were refused since the start of the process, by reason.
        refused_of: the same by tenant; those whose tenant is not known are left out.
        written: how many of them became dead letters, by reason.
        ignored: how much of records was left out on purpose, by reason.

    """

    def __init__(self, limits: LimitsConfig, interner: Interner) -> None:
        self._interner = interner
        self._idle_minutes = max(1, limits.series_idle // MINUTE_MS)
        self._elapsed = Elapsed()
        self._quota = Quota(limits.samples_per_second, max(1, limits.burst // 1000))
        self._budget = Budget(limits.dead_letters_per_minute)
        self._minute = 0
        self.refused: Counter[DeadLetterReason] = Counter()
        self.refused_of: Counter[str] = Counter()
        self.written: Counter[DeadLetterReason] = Counter()
        self.ignored: Counter[IgnoreReason] = Counter()

    def advance(self, stamps_ms: Int64s) -> Int64s:
        """Seconds gone by in the log at each of these records, which come next in it."""
        return self._elapsed.advance(stamps_ms)

    def compact(self) -> None:
        """Give back the memory of series and tenants that have gone; ids change, so only between two chunks."""
        stay = self._interner.compact()
        if stay is not None:
            self._quota.keep(stay)
            known = set(self._interner.tenants.names)
            for name in self.refused_of.keys() - known:
                del self.refused_of[name]

    def turn(self, minute: int) -> None:
        """Say in which minute of the log the next records stand: silent series go, dead letters are counted anew."""
        step = max(1, self._idle_minutes // RETIREMENTS)
        if minute // step > self._minute // step:
            self._interner.retire(minute - self._idle_minutes)
        self._minute = minute
        self._interner.turn(minute)
        self._budget.turn(minute)

    def hear(self, columns: Columns) -> None:
        """Take note of what was decoded: of its series, and of what was refused on the way."""
        self._interner.hear(columns.series, self._minute)
        for tenant, reason, same in _alike(columns.refused):
            self.refused[reason] += len(same)
            if tenant:
                self.refused_of[tenant] += len(same)
        if columns.ignored:
            self.ignored.update(columns.ignored)
        for (tenant, reason), count in columns.unread.items():
            self.refused[reason] += count
            if tenant:
                self.refused_of[tenant] += count

    def without_dropped(self, columns: Columns) -> Columns:
        """The samples whose series no relabelling rule drops; the others are counted."""
        if not self._interner.drops:
            return columns
        kept = self._interner.partitions(columns.series) != NOWHERE
        dropped = len(kept) - int(np.count_nonzero(kept))
        if not dropped:
            return columns
        self.ignored[IgnoreReason.DROPPED_BY_RULE] += dropped
        return columns.keep(kept)

    def within_quota(self, columns: Columns, seconds: Int64s) -> Bools | None:
        """Which samples are within their tenant's quota, None when all are; `seconds` as `advance` told of each."""
        return self._quota.admit(self._interner.tenant_numbers(columns.series), seconds)

    def refuse(self, columns: Columns, refused: Bools, reason: DeadLetterReason) -> None:
        """Count refused samples by their mask, and note those that may become dead letters."""
        at = np.flatnonzero(refused)
        tenants = self._interner.tenant_numbers(columns.series[at])
        names = self._interner.tenants.names
        self.refused[reason] += len(at)
        for number, count in enumerate(np.bincount(tenants).tolist()):
            if count:
                self.refused_of[names[number]] += count
        most = self._budget.per_minute
        chosen = slice(None) if len(at) <= most else rank(tenants) < most
        for one, number in zip(at[chosen].tolist(), tenants[chosen].tolist(), strict=True):
            detail = f"time {columns.times[one]} ms, value {columns.values[one]:g}"
            record, item = int(columns.records[one]), int(columns.items[one])
            columns.refuse(record, item, reason, detail, names[number])

    def letters(self, refused: list[Refusal]) -> list[Refusal]:
        """Those that become dead letters, in the order of the log."""
        written: list[Refusal] = []
        for tenant, reason, same in _alike(sorted(refused)):
            granted = self._budget.grant(tenant, reason, len(same))
            self.written[reason] += granted
            written += same[:granted]
        return written

    def figures(self) -> list[Figure]:
        """Counts by reason, and by tenant."""
        return [
            *scrub_figures(self._interner.labelling.scrubber),
            *(Figure("refused", reason.value, n) for reason, n in self.refused.items()),
            *(Figure("dead_letters", reason.value, n) for reason, n in self.written.items()),
            *(Figure("tenant_refused", tenant, n) for tenant, n in self.refused_of.items()),
            *(Figure("ignored", reason.value, n) for reason, n in self.ignored.items()),
        ]

    def snapshot(self) -> tuple[dict[str, NDArray[np.generic]], dict[str, Any]]:
        """Columns and small facts that `restore` takes."""
        columns = {
            **self._quota.snapshot(),
            **{f"series.{name}": c for name, c in self._interner.snapshot().items()},
        }
        facts = {
            "second": self._elapsed.second,
            "elapsed": self._elapsed.total,
            "minute": self._minute,
            "letters": self._budget.snapshot(),
        }
        return columns, facts

    def restore(self, columns: Mapping[str, NDArray[np.generic]], facts: Mapping[str, Any]) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none of limits.

        """
        prefix = "series."
        series = {k.removeprefix(prefix): v for k, v in columns.items() if k.startswith(prefix)}
        try:
            self._quota.restore(
                columns["tokens"].astype(np.int64), columns["filled_at"].astype(np.int64)
            )
            self._elapsed.second, self._elapsed.total = facts["second"], facts["elapsed"]
            self._minute = facts["minute"]
            self._interner.restore(series, self._minute)
            self._budget.restore(self._minute, facts["letters"])
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"limits of a checkpoint: {error!r}") from error


def _alike(refused: list[Refusal]) -> Iterator[tuple[str, DeadLetterReason, list[Refusal]]]:
    """Tenant and reason of refusals that follow one another, and those refusals: a flood is few of these."""
    for (reason, tenant), same in groupby(refused, key=attrgetter("reason", "tenant")):
        yield tenant, reason, list(same)
