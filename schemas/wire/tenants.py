"""Tenants: a small number for each tenant of an interner, and how much each of them has there.

Numbers are dense; `keep` lets tenants without series go and numbers the others anew. Nothing here decides: the interner
compares what is counted with its limits.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

NOBODY = -1
STRANGERS = -1
MOST_LOOKS = 250
"""Some milliseconds of work a minute."""


class Tenants:
    """Numbers of tenants.

    Attributes:
        names: of each number the tenant.
        series: of each number how many series it has.
        forms: of each number how many raw forms of its series are remembered.
        looks: of each number how often a new form was read in this minute although there was no room; behind them
            that of all tenants without series.
        live: how many tenants have a series.
        total: how many series there are.

    """

    def __init__(self) -> None:
        self.live = self.total = 0
        self.restore((), (0,))

    def __len__(self) -> int:
        return len(self.names)

    def number(self, name: str) -> int:
        """Number of a tenant, -1 for one that is not known."""
        return self._numbers.get(name, NOBODY)

    def add(self, name: str) -> int:
        """Count one more series of a tenant; the tenant's number."""
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
            self.series.append(0)
            self.forms.append(0)
            self.looks.insert(STRANGERS, 0)
        self.live += not self.series[number]
        self.total += 1
        self.series[number] += 1
        return number

    def may_look(self, number: int) -> bool:
        """Whether a tenant without room may have one more new form read in this minute."""
        return self.looks[self._who(number)] < MOST_LOOKS

    def look(self, number: int) -> bool:
        """Let one more be read, where that may be."""
        if not self.may_look(number):
            return False
        self.looks[self._who(number)] += 1
        return True

    def _who(self, number: int) -> int:
        return number if number >= 0 and self.series[number] else STRANGERS

    def forget_looks(self) -> None:
        """A minute begins."""
        self.looks = [0] * (len(self.names) + 1)

    def count(self, series: NDArray[np.int32], forms: NDArray[np.int32]) -> None:
        """Count anew: these are the tenants' numbers of all series and of all raw forms that there are."""
        self.series = np.bincount(series, minlength=len(self)).tolist()
        self.forms = np.bincount(forms, minlength=len(self)).tolist()
        self.live = len(self) - self.series.count(0)
        self.total = len(series)

    def keep(self) -> NDArray[np.intp]:
        """Let tenants without series go; old numbers of the others, in the order of their new ones."""
        stay = np.flatnonzero(self.series)
        series, forms = ([c[n] for n in stay.tolist()] for c in (self.series, self.forms))
        looks = [self.looks[n] for n in (*stay.tolist(), STRANGERS)]
        self.restore([self.names[n] for n in stay.tolist()], looks)
        self.series, self.forms = series, forms
        return stay

    def restore(self, names: Iterable[str], looks: Iterable[int]) -> None:
        """Have these tenants; what they have is to be counted."""
        self.names, self.looks = list(names), list(looks)
        self.series = [0] * len(self.names)
        self.forms = [0] * len(self.names)
        self._numbers = {name: number for number, name in enumerate(self.names)}
