"""Silence: which alerts nobody wants to hear of now, and what ends when.

A silence holds from its start up to but not including its end, for alerts of its own tenant that fulfil one of its
sets of matchers; one that names a time interval holds only in it. The newest version of an id counts. Source: of the
states and of what a silence must have, Alertmanager's `silence`. They are looked up by the first label of which they
want one value, so many silences of as many services cost an alert no more than a few.

Bounds: `SILENCES_MAX` silences; ended ones are kept for `RETENTION_MS`, so that they can be listed. It refuses, with
a reason, what is longer than the configuration allows or would silence everything.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from schemas.commands import Command, Verb
from schemas.config.route import SilencesConfig
from schemas.labels import Matcher, MatchOp
from schemas.matchers import fulfils, parse_all
from schemas.reasons import CommandReason
from schemas.silences import AtEnd, Silence, SilenceState
from streams.time.intervals import Intervals

SILENCES_MAX = 10_000
MATCHERS_MAX = 100
RETENTION_MS = 120 * 3_600_000


class Ended(NamedTuple):
    """A silence, or one of its recurring times, came to its end at this event time, ms."""

    at: int
    silence: Silence
    sets: tuple[tuple[Matcher, ...], ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it was about such an alert of its tenant."""
        return any(fulfils(labels, each) for each in self.sets)


class _Known(NamedTuple):
    silence: Silence
    sets: tuple[tuple[Matcher, ...], ...]


class _Shelf(NamedTuple):
    """The silences of a tenant: those that want one value of a label, by name and value, and the others."""

    wanting: dict[str, dict[str, list[_Known]]]
    others: list[_Known]

    @classmethod
    def of(cls, known: Iterable[_Known]) -> "_Shelf":
        shelf = cls({}, [])
        for each in known:
            for matchers in each.sets:
                named = (m for m in matchers if m.op is MatchOp.EQUAL and m.value)
                first = next(named, None)
                if first is None:
                    shelf.others.append(each)
                else:
                    values = shelf.wanting.setdefault(first.name, {})
                    values.setdefault(first.value, []).append(each)
        return shelf

    def near(self, labels: Mapping[str, str]) -> Iterator[_Known]:
        """Those that may be about such an alert; one may come twice."""
        yield from self.others
        for name, values in self.wanting.items():
            yield from values.get(labels.get(name, ""), ())


class SilencesState(msgspec.Struct):
    """All that `Silences.restore` needs."""

    silences: list[Silence] = []
    windows: list[tuple[str, str, int]] = []


class Silences:
    """The silences of the tenants of one partition."""

    def __init__(self, config: SilencesConfig, intervals: Intervals) -> None:
        self._config = config
        self._intervals = intervals
        self._known: dict[str, dict[str, _Known]] = {}
        self._shelves: dict[str, _Shelf] = {}
        self._windows: dict[tuple[str, str], int] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def obey(self, command: Command) -> CommandReason | None:
        """Carry out a command about silences; why not, None when it was."""
        if command.verb is Verb.SILENCE_EXPIRE:
            return self.expire(command.tenant, command.subject, command.time)
        if command.silence is None or command.silence.tenant != command.tenant:
            return CommandReason.INCOMPLETE
        return self.add(command.silence, command.time)

    def add(self, silence: Silence, at: int) -> CommandReason | None:
        """Take in a silence, or a new version of one; why not, None when it was."""
        self._forget(at)
        try:
            sets = tuple(parse_all(texts) for texts in silence.matchers)
        except ValueError:
            return CommandReason.BAD_MATCHER
        reason = self._refusal(silence, sets, at)
        if reason is not None:
            return reason
        self._known.setdefault(silence.tenant, {})[silence.id] = _Known(silence, sets)
        self._shelves.pop(silence.tenant, None)
        self._windows.pop((silence.tenant, silence.id), None)
        return None

    def _refusal(
        self, silence: Silence, sets: tuple[tuple[Matcher, ...], ...], at: int
    ) -> CommandReason | None:
        known = silence.id in self._known.get(silence.tenant, {})
        if not known and sum(map(len, self._known.values())) >= SILENCES_MAX:
            return CommandReason.TOO_MANY
        if sum(map(len, sets)) > MATCHERS_MAX:
            return CommandReason.TOO_MANY
        if not sets or not all(any(not m.matches_value("") for m in each) for each in sets):
            return CommandReason.MATCHES_ALL
        if silence.ends_at <= max(silence.starts_at, at):
            return CommandReason.OVER_ALREADY
        if silence.ends_at - silence.starts_at > self._config.longest:
            return CommandReason.TOO_LONG
        if silence.interval and silence.interval not in self._intervals:
            return CommandReason.UNKNOWN_INTERVAL
        return None

    def expire(self, tenant: str, identity: str, at: int) -> CommandReason | None:
        """End a silence now; why not, None when it was."""
        found = self._known.get(tenant, {}).get(identity)
        if found is None:
            return CommandReason.UNKNOWN_SILENCE
        if found.silence.ends_at <= at:
            return CommandReason.OVER_ALREADY
        starts_at = min(found.silence.starts_at, at)
        ended = msgspec.structs.replace(found.silence, starts_at=starts_at, ends_at=at)
        self._known[tenant][identity] = found._replace(silence=ended)
        self._shelves.pop(tenant, None)
        return None

    def query(self, tenant: str, at: int) -> list[tuple[Silence, SilenceState]]:
        """All of a tenant that are still known, in order of start and id."""
        found = (k.silence for k in self._known.get(tenant, {}).values())
        return [(s, s.state(at)) for s in sorted(found, key=lambda s: (s.starts_at, s.id))]

    def silenced_by(self, tenant: str, labels: Mapping[str, str], at: int) -> Silence | None:
        """The first silence, in order of identity, that holds for such an alert at a time."""
        if tenant not in self._known:
            return None
        return min(self._matching(tenant, labels, at), key=lambda s: s.id, default=None)

    def _matching(self, tenant: str, labels: Mapping[str, str], at: int) -> Iterator[Silence]:
        shelf = self._shelves.get(tenant)
        if shelf is None:
            shelf = self._shelves[tenant] = _Shelf.of(self._known[tenant].values())
        for silence, sets in shelf.near(labels):
            if self._active(silence, at) and any(fulfils(labels, each) for each in sets):
                self._watch(silence, at)
                yield silence

    def _active(self, silence: Silence, at: int) -> bool:
        if not silence.starts_at <= at < silence.ends_at:
            return False
        return not silence.interval or self._intervals.contains(silence.interval, at)

    def _watch(self, silence: Silence, at: int) -> None:
        """Note when what a silence holds back is to be let go, where that is more than waiting for the next flush."""
        key = (silence.tenant, silence.id)
        if silence.at_end is AtEnd.NEXT_FLUSH or key in self._windows:
            return
        ends_at = silence.ends_at
        if silence.interval:
            ends_at = min(ends_at, self._intervals.end(silence.interval, at))
        self._windows[key] = ends_at

    def next_end(self) -> int | None:
        """When the next silence ends of those that held something back and want more than the next flush."""
        return min(map(self._ends_at, self._windows)) if self._windows else None

    def take_ended(self, at: int) -> list[Ended]:
        """Those that have ended by a time, in order; each end is told once."""
        due = sorted((end, key) for key in self._windows if (end := self._ends_at(key)) <= at)
        ended = []
        for end, key in due:
            del self._windows[key]
            known = self._known.get(key[0], {}).get(key[1])
            if known is not None:
                ended.append(Ended(end, *known))
        return ended

    def _ends_at(self, key: tuple[str, str]) -> int:
        """An end that was brought forward by hand counts."""
        known = self._known.get(key[0], {}).get(key[1])
        return (
            self._windows[key] if known is None else min(self._windows[key], known.silence.ends_at)
        )

    def _forget(self, at: int) -> None:
        for tenant in list(self._known):
            self._shelves.pop(tenant, None)
            kept = {
                i: k
                for i, k in self._known[tenant].items()
                if k.silence.ends_at + RETENTION_MS > at
            }
            if kept:
                self._known[tenant] = kept
            else:
                del self._known[tenant]

    def snapshot(self) -> SilencesState:
        """The whole state."""
        silences = [k.silence for known in self._known.values() for k in known.values()]
        return SilencesState(silences, [(*key, end) for key, end in self._windows.items()])

    def restore(self, state: SilencesState) -> None:
        """Continue from a snapshot."""
        self._known, self._shelves = {}, {}
        for silence in state.silences:
            sets = tuple(parse_all(texts) for texts in silence.matchers)
            self._known.setdefault(silence.tenant, {})[silence.id] = _Known(silence, sets)
        self._windows = {(tenant, identity): end for tenant, identity, end in state.windows}
