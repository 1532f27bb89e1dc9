"""Tenants of a series store: which there are, and how many series each of them has.

A tenant stays known when its series are gone, until there are more tenants than series may be. What was refused is
remembered for a while, so that a tenant at its limit costs no look at labels; what is remembered is bounded.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from schemas.samples import Int64s

MOST_REFUSED = 65_536


class StoreTenants:
    """Counts series by tenant; `names` are the tenants known, those without series too.

    `heard` are those of which a sample was taken, so that who is there hangs on event time and not on who came first.
    """

    def __init__(self, most_tenants: int, most_series: int) -> None:
        self._most_tenants = most_tenants
        self._most_series = most_series
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._series: list[int] = []
        self._of_row = np.zeros(0, np.int32)
        self._heard = np.zeros(0, np.bool_)
        self._refused: set[int] = set()

    @property
    def heard(self) -> list[str]:
        """The tenants of which a sample was taken, sorted."""
        return sorted(self.names[number] for number in np.flatnonzero(self._heard).tolist())

    def hear(self, rows: Int64s) -> None:
        """Samples of the series in these rows are taken."""
        self._heard[self._of_row[rows]] = True

    def refused(self, fingerprint: int) -> bool:
        """Whether a series was refused, and none of its tenant's has gone since; False where that is forgotten."""
        return fingerprint in self._refused

    def admits(self, tenant: str, fingerprint: int) -> bool:
        """Whether a tenant may have another series."""
        number = self._numbers.get(tenant)
        if number is None or self._series[number] < self._most_series:
            return True
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        self._refused.add(fingerprint)
        return False

    def add(self, row: int, tenant: str) -> None:
        """Count a series that has come into this row."""
        if tenant not in self._numbers:
            self.know([tenant])
        number = self._numbers[tenant]
        self._series[number] += 1
        self._of_row[row] = number

    def know(self, tenants: Iterable[str]) -> None:
        """Let these be known, whether they have series or not."""
        for tenant in tenants:
            if tenant not in self._numbers:
                if len(self.names) >= self._most_tenants:
                    self._forget_empty()
                self._numbers[tenant] = len(self.names)
                self.names.append(tenant)
                self._series.append(0)
                if len(self._heard) < len(self.names):
                    self._heard = np.append(self._heard, np.zeros(1 + len(self.names), np.bool_))

    def remember(self, tenants: Iterable[str]) -> None:
        """Let these be known, and heard."""
        names = list(tenants)
        self.know(names)
        self._heard[[self._numbers[name] for name in names if name in self._numbers]] = True

    def remove(self, rows: Int64s) -> None:
        """The series in these rows have gone."""
        for number, count in Counter(self._of_row[rows].tolist()).items():
            self._series[number] -= count
        self._refused.clear()

    def resize(self, rows: int) -> None:
        """Have place for rows below this number, and no others."""
        kept = self._of_row[:rows]
        self._of_row = np.append(kept, np.zeros(rows - len(kept), np.int32))

    def _forget_empty(self) -> None:
        stay = np.flatnonzero(self._series)
        new = np.zeros(len(self.names), np.int32)
        new[stay] = np.arange(len(stay))
        self._of_row = new[self._of_row]
        self.names = [self.names[number] for number in stay.tolist()]
        self._series = [self._series[number] for number in stay.tolist()]
        self._heard = np.append(self._heard[stay], np.zeros(len(stay) + 1, np.bool_))
        self._numbers = {name: number for number, name in enumerate(self.names)}
