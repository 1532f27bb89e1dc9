"""Co-occurrence: which alerts of a tenant begin together time after time, learnt from the log.

An episode of an alert begins when it fires and has not fired for `join_within`. Two alerts were seen together when
episodes of both begin no further apart than that. They belong together when the lower end of the 95 % interval of
"together, of the episodes of the more frequent one" is over one half, by E. B. Wilson's formula (J. Am. Stat. Assoc.
22, 1927, 209-212): 4 times of 4 is enough, 3 of 3 is not, 14 of 16 is. The more frequent one counts, so an alert that
always fires belongs to nothing. What was seen long ago counts half for each `HALVES_MS`.

Nothing of one tenant is ever compared with another's. Bounds: `ALERTS_MAX` alerts, `PARTNERS_MAX` of each, and at most
`RECENT_MAX` that began last are compared with a new one; what has not been seen for longest goes first.
"""

from collections import OrderedDict
from math import sqrt
from typing import NamedTuple

import msgspec

DAY_MS = 86_400_000
HALVES_MS = 30 * DAY_MS
ALERTS_MAX = 20_000
PARTNERS_MAX = 16
RECENT_MAX = 8
Z95 = 1.96
STRONG = 0.5


class Together(NamedTuple):
    """How often two alerts began together, of how many episodes of the more frequent one."""

    times: float
    of: float

    @property
    def strong(self) -> bool:
        """Whether that is enough to say that they belong together."""
        return wilson_lower(self.times, self.of) > STRONG

    def __str__(self) -> str:
        return f"seen together {self.times:.0f} times of {self.of:.0f}"


class Episodes(msgspec.Struct):
    """One alert: how often it began, and with which others.

    Attributes:
        last: event time of its last firing, ms.
        count: its episodes, decayed up to `decayed_at`.
        partners: by fingerprint of the other alert, how often together, decayed likewise.

    """

    last: int
    decayed_at: int
    count: float = 0.0
    partners: dict[str, float] = {}

    def decay(self, at: int) -> None:
        """Let what was seen fade up to a time, once a day is enough."""
        if at - self.decayed_at < DAY_MS:
            return
        left = 0.5 ** ((at - self.decayed_at) / HALVES_MS)
        self.count *= left
        self.partners = {key: times * left for key, times in self.partners.items()}
        self.decayed_at = at

    def count_with(self, other: str) -> None:
        """It began together with another one; the partner not seen for longest makes room."""
        partners = self.partners
        partners[other] = partners.pop(other, 0.0) + 1
        if len(partners) > PARTNERS_MAX:
            del partners[next(iter(partners))]


class Cooccurrence:
    """The alerts of one partition that began together; keys carry the tenant."""

    def __init__(self, join_within: int) -> None:
        self._within = join_within
        self._known: OrderedDict[str, Episodes] = OrderedDict()
        self._recent: dict[str, OrderedDict[str, int]] = {}

    def observe(self, tenant: str, fingerprint: str, at: int) -> None:
        """An alert fires; called in order of time."""
        key = _key(tenant, fingerprint)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Episodes(at - self._within - 1, at)
        else:
            self._known.move_to_end(key)
        begins = at - known.last > self._within
        known.last = at
        if begins:
            known.decay(at)
            known.count += 1
            find, within = self._known.get, self._within
            for other, began in self._recent.get(tenant, {}).items():
                partner = find(_key(tenant, other)) if at - began <= within else None
                if partner is not None:
                    partner.decay(at)
                    known.count_with(other)
                    partner.count_with(fingerprint)
            self._note(tenant, fingerprint, at)
        if len(self._known) > ALERTS_MAX:
            self._known.popitem(last=False)

    def _note(self, tenant: str, fingerprint: str, at: int) -> None:
        recent = self._recent.setdefault(tenant, OrderedDict())
        recent.pop(fingerprint, None)
        recent[fingerprint] = at
        while len(recent) > RECENT_MAX or at - next(iter(recent.values())) > self._within:
            recent.popitem(last=False)
        if len(self._recent) > ALERTS_MAX:
            del self._recent[next(iter(self._recent))]

    def belongs(self, tenant: str, fingerprint: str, at: int) -> list[tuple[str, Together]]:
        """Fingerprints of the alerts that belong to one that begins now, the strongest first.

        An episode of theirs that is going on does not count yet: whether this one is part of it is the question.
        """
        known = self._known.get(_key(tenant, fingerprint))
        if known is None:
            return []
        found = []
        for other, times in known.partners.items():
            partner = self._known.get(_key(tenant, other))
            if partner is not None:
                going_on = at - partner.last <= self._within
                of = max(known.count, partner.count - going_on, times)
                together = Together(times, of)
                if together.strong:
                    found.append((other, together))
        return sorted(found, key=lambda pair: (-wilson_lower(*pair[1]), pair[0]))

    def snapshot(self) -> "CooccurrenceState":
        """The whole state."""
        recent = [(tenant, list(keys.items())) for tenant, keys in self._recent.items()]
        return CooccurrenceState(list(self._known.items()), recent)

    def restore(self, state: "CooccurrenceState") -> None:
        """Continue from a snapshot."""
        self._known = OrderedDict(state.known)
        self._recent = {tenant: OrderedDict(keys) for tenant, keys in state.recent}


class CooccurrenceState(msgspec.Struct):
    """All that `Cooccurrence.restore` needs."""

    known: list[tuple[str, Episodes]] = []
    recent: list[tuple[str, list[tuple[str, int]]]] = []


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
