"""Co-occurrence: which alerts of a tenant begin together time after time, learnt from the log.

An episode of an alert begins when it fires and has not fired for `join_within`. Two alerts were seen together when
episodes of both begin no further apart than that. They belong together when the lower end of the 95 % interval of
"together, of the episodes of the more frequent one" is over one half, by E. B. Wilson's formula (J. Am. Stat. Assoc.
22, 1927, 209-212): 4 times of 4 is enough, 3 of 3 is not, 14 of 16 is. The more frequent one counts, so an alert that
always fires belongs to nothing. Kept is when episodes began; what that says of two alerts is counted when it is asked.

Nothing of one tenant is ever compared with another's. Bounds: `ALERTS_MAX` alerts, the one not seen for longest goes
first; `EPISODES_MAX` episodes of each, none older than `KEPT_MS`; and an alert that begins is compared with the
`RECENT_MAX` of its tenant that began last.
"""

from collections import OrderedDict
from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import msgspec

KEPT_MS = 60 * 86_400_000
ALERTS_MAX = 20_000
EPISODES_MAX = 17
"""Sixteen that are over, and the one that goes on."""
RECENT_MAX = 16
Z95 = 1.96
STRONG = 0.5
LEAST = 4
"""Fewer episodes than this are never strong."""


class Together(NamedTuple):
    """How often two alerts began together, of how many episodes of the more frequent one."""

    times: int
    of: int

    @property
    def strong(self) -> bool:
        """Whether that is enough to say that they belong together."""
        return wilson_lower(self.times, self.of) > STRONG

    def __str__(self) -> str:
        return f"seen together {self.times} times of {self.of}"


class Episodes(msgspec.Struct):
    """When one alert began, oldest first, and when it fired last; event times, ms."""

    last: int
    began: list[int] = []


class CooccurrenceState(msgspec.Struct):
    """All that `Cooccurrence.restore` needs."""

    known: list[tuple[str, Episodes]] = []
    recent: list[tuple[str, list[tuple[str, int]]]] = []


class Cooccurrence:
    """The alerts of one partition and when they began; keys carry the tenant."""

    def __init__(self, join_within: int) -> None:
        self._within = join_within
        self._known: OrderedDict[str, Episodes] = OrderedDict()
        self._recent: dict[str, OrderedDict[str, int]] = {}

    def observe(self, tenant: str, fingerprint: str, at: int) -> None:
        """An alert fires; called in order of time."""
        key = _key(tenant, fingerprint)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Episodes(at - self._within - 1)
            if len(self._known) > ALERTS_MAX:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        begins = at - known.last > self._within
        known.last = at
        if begins:
            known.began.append(at)
            del known.began[:-EPISODES_MAX]
            self._note(tenant, fingerprint, at)

    def _note(self, tenant: str, fingerprint: str, at: int) -> None:
        recent = self._recent.get(tenant)
        if recent is None:
            recent = self._recent[tenant] = OrderedDict()
            if len(self._recent) > ALERTS_MAX:
                del self._recent[next(iter(self._recent))]
        recent.pop(fingerprint, None)
        recent[fingerprint] = at
        while len(recent) > RECENT_MAX or at - next(iter(recent.values())) > self._within:
            recent.popitem(last=False)

    def belongs(self, tenant: str, fingerprint: str, at: int) -> list[tuple[str, Together]]:
        """Fingerprints of the alerts that have just begun and belong to one that begins now, the strongest first.

        An episode that is going on does not count yet: whether this one is part of it is the question.
        """
        mine = self._past(tenant, fingerprint, at)
        if len(mine) < LEAST:
            return []
        found = []
        for other, began in self._recent.get(tenant, {}).items():
            if other == fingerprint or at - began > self._within:
                continue
            theirs = self._past(tenant, other, at)
            if len(theirs) >= LEAST:
                times = _meetings(mine, theirs, self._within)
                together = Together(times, max(len(mine), len(theirs)))
                if together.strong:
                    found.append((other, together))
        return sorted(found, key=lambda pair: (-wilson_lower(*pair[1]), pair[0]))

    def _past(self, tenant: str, fingerprint: str, at: int) -> Sequence[int]:
        """When the episodes of an alert began that are over and not forgotten."""
        known = self._known.get(_key(tenant, fingerprint))
        if known is None or len(known.began) < LEAST:
            return ()
        return [time for time in known.began if at - KEPT_MS <= time < at - self._within]

    def snapshot(self) -> CooccurrenceState:
        """The whole state."""
        recent = [(tenant, list(keys.items())) for tenant, keys in self._recent.items()]
        return CooccurrenceState(list(self._known.items()), recent)

    def restore(self, state: CooccurrenceState) -> None:
        """Continue from a snapshot."""
        self._known = OrderedDict(state.known)
        self._recent = {tenant: OrderedDict(keys) for tenant, keys in state.recent}


def _meetings(mine: Sequence[int], theirs: Sequence[int], within: int) -> int:
    """How many of these times have one of the others no further away; both ascending."""
    times = at = 0
    for time in mine:
        while at < len(theirs) and theirs[at] < time - within:
            at += 1
        times += at < len(theirs) and theirs[at] <= time + within
    return times


def wilson_lower(times: float, of: float) -> float:
    """Lower end of Wilson's 95 % interval of a share; 0 of nothing."""
    if of <= 0:
        return 0.0
    share, z2 = times / of, Z95 * Z95
    middle = share + z2 / (2 * of)
    width = Z95 * sqrt((share * (1 - share) + z2 / (4 * of)) / of)
    return (middle - width) / (1 + z2 / of)


def _key(tenant: str, fingerprint: str) -> str:
    """A fingerprint has no blank, so no two tenants ever share a key."""
    return f"{fingerprint} {tenant}"
