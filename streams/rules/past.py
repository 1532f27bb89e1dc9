"""Past: what rules were and told over the last while, so that late samples can amend it.

At steps of event time the states of all rules that can be amended are kept, as far back as a late sample may reach; so
are the transitions that they have told since. It takes no part in any evaluation, and all of it can be saved.

Bounds: as many states as there are steps within reach, and `TOLD_MAX` transitions a rule, the oldest go first: what has
gone is not amended. Refuses rules that are not amended: those with a detector, and on arrival.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.alerts import Alert, Late
from schemas.errors import CheckpointError
from schemas.labels import TENANT, get_label
from schemas.samples import Float64s, Int64s
from streams.rules.alerting import AlertingRule
from streams.rules.announce import DEFAULT_TENANT
from streams.rules.arriving import ArrivingRule
from streams.rules.book import AnyRule
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.partial.rule import PartialRule
from streams.rules.recording import RecordingRule
from streams.windows.series import SeriesStore

STEP_MS = 15_000
"""Late samples are taken in, and states are kept, at multiples of this."""
TOLD_MAX = 20_000
KNOWN_MAX = 100_000
"""So many late samples are remembered for what alerts say of them."""

State: TypeAlias = dict[str, NDArray[np.generic]]
Amendable: TypeAlias = AlertingRule | RecordingRule | PartialRule


class LateSamples(NamedTuple):
    """Samples that came late: row in the store, event time ms, value, and how far it was behind the watermark, ms."""

    rows: Int64s
    times: Int64s
    values: Float64s
    behind_ms: Int64s

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "LateSamples":
        """Those at these positions, or where the mask is true."""
        rows, times, values, behind_ms = self
        return LateSamples(rows[index], times[index], values[index], behind_ms[index])

    def and_then(self, other: "LateSamples") -> "LateSamples":
        """These, and others behind them."""
        return LateSamples(
            np.concatenate((self.rows, other.rows)),
            np.concatenate((self.times, other.times)),
            np.concatenate((self.values, other.values)),
            np.concatenate((self.behind_ms, other.behind_ms)),
        )


NO_SAMPLES = LateSamples(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64)
)


class Base(NamedTuple):
    """The states of rules, by key, after all evaluations up to an event time, ms."""

    time: int
    states: dict[str, State]


class _Kept(msgspec.Struct):
    """What of a past is no column: times and rules of its bases, what was told, the last tick."""

    bases: list[tuple[int, list[str]]]
    told: dict[str, list[Alert]]
    ticked: int


def amendable(rule: AnyRule) -> Amendable | None:
    """The rule, if late samples amend it."""
    if isinstance(rule, RecordingRule | PartialRule):
        return rule
    return None if isinstance(rule, ArrivingRule) or rule.rule.detect else rule


class Past:
    """The last while of the rules of one engine.

    Attributes:
        within_ms: a late sample is behind the watermark by no more than this.
        reach_ms: how far behind a step a base may be that is needed then.
        ticked: time of the last evaluation, ms.
        corrects: late samples take the place of those that their series has of the same time.

    """

    def __init__(self, within_ms: int, *, corrects: bool = False) -> None:
        self.within_ms = within_ms
        self.corrects = corrects
        self.reach_ms = within_ms + 2 * STEP_MS
        self.ticked = 0
        self._bases: list[Base] = []
        self._told: dict[str, list[Alert]] = {}
        self._known = NO_SAMPLES

    def keep(self, t_ms: int, rules: Mapping[str, AnyRule], store: SeriesStore) -> None:
        """Keep the states after all evaluations up to a step, and let go what no late sample can reach any more."""
        bases = self._bases
        if not bases or self.ticked > bases[-1].time:
            told = {k: r for k, rule in rules.items() if (r := amendable(rule)) is not None}
            before = bases[-1].states if bases else {}
            states = {k: _same(before.get(k), r.remember(store)) for k, r in told.items()}
            bases.append(Base(t_ms, states))
        while len(bases) > 1 and bases[1].time <= t_ms - STEP_MS - self.within_ms:
            del bases[0]
        for key in list(self._told):
            self._told[key] = [a for a in self._told[key] if a.time > bases[0].time]
            if not self._told[key]:
                del self._told[key]
        reached = self._known.times > t_ms - self.reach_ms - store.retention_ms
        if not reached.all():
            self._known = self._known.take(reached)

    def base_before(self, t_ms: int) -> Base | None:
        """The latest states before an event time, None where none is kept."""
        return next((base for base in reversed(self._bases) if base.time < t_ms), None)

    def bases_after(self, t_ms: int) -> list[Base]:
        """Those kept at later times, ascending."""
        return [base for base in self._bases if base.time > t_ms]

    def tell(self, key: str, rule: AnyRule, alerts: list[Alert], store: SeriesStore) -> list[Alert]:
        """Note what a rule tells, with the late samples among those that it looked at."""
        if not isinstance(rule, AlertingRule):
            return alerts
        if alerts and len(self._known.rows):
            late = self._known.take(rule.plan.picked(store)[self._known.rows])
            whose = tenants_of(late, store)
            alerts = [_marked(alert, late, whose == alert.tenant) for alert in alerts]
        if amendable(rule) is not None:
            self._told[key] = [*self._told.get(key, ()), *alerts][-TOLD_MAX:]
        return alerts

    def note(self, late: LateSamples) -> None:
        """Remember late samples that have taken their places; a correction is none of anybody's samples."""
        if self.corrects:
            return
        self._known = self._known.and_then(late).take(slice(-KNOWN_MAX, None))

    def forget(self, rows: list[int]) -> None:
        """Forget late samples of series that have gone."""
        if len(self._known.rows):
            self._known = self._known.take(~np.isin(self._known.rows, rows))

    def told_since(self, key: str, t_ms: int) -> list[Alert]:
        """What a rule has told of times after this one."""
        return [alert for alert in self._told.get(key, ()) if alert.time > t_ms]

    def retell(self, key: str, t_ms: int, alerts: list[Alert]) -> None:
        """What it should have told instead."""
        kept = [alert for alert in self._told.get(key, ()) if alert.time <= t_ms]
        self._told[key] = [*kept, *alerts][-TOLD_MAX:]

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """All of it as columns; a state that several bases share stands there once."""
        columns: dict[str, NDArray[np.generic]] = {}
        seen: dict[int, str] = {}
        bases = []
        for base in self._bases:
            names = []
            for key, state in base.states.items():
                place = seen.setdefault(id(state), f"{key}/{base.time}")
                names.append(place)
                if place == f"{key}/{base.time}":
                    columns |= placed(f"base/{place}", state)
            bases.append((base.time, names))
        head = msgspec.json.encode(_Kept(bases, self._told, self.ticked))
        columns["head"] = np.frombuffer(head, np.uint8)
        return columns | placed("known", self._known._asdict())

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot; from one of code without a past, with none.

        Raises:
            CheckpointError: it is none.

        """
        self._bases, self._told, self._known, self.ticked = [], {}, NO_SAMPLES, 0
        if not columns:
            return
        try:
            kept = msgspec.json.decode(columns["head"].tobytes(), type=_Kept)
            known = under("known", columns)
            self._known = LateSamples(
                known["rows"].astype(np.int64),
                known["times"].astype(np.int64),
                known["values"].astype(np.float64),
                known["behind_ms"].astype(np.int64),
            )
        except (KeyError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"past of a checkpoint: {error!r}") from error
        states: dict[str, State] = {}
        for time, names in kept.bases:
            for name in names:
                if name not in states:
                    states[name] = under(f"base/{name}", columns)
            self._bases.append(Base(time, {n.partition("/")[0]: states[n] for n in names}))
        self._told, self.ticked = kept.told, kept.ticked


def tenants_of(late: LateSamples, store: SeriesStore) -> NDArray[np.object_]:
    """Whose each late sample is, as alerts name it."""
    rows, at = np.unique(late.rows, return_inverse=True)
    found = [get_label(store.labels(row), TENANT) or DEFAULT_TENANT for row in rows.tolist()]
    named: NDArray[np.object_] = np.array(found, object)[at]
    return named


def _marked(alert: Alert, late: LateSamples, mine: NDArray[np.bool_]) -> Alert:
    if alert.window is None:
        return alert
    first, last = alert.window
    seen = mine & (late.times > first) & (late.times <= last)
    return msgspec.structs.replace(alert, late=told_of(late.behind_ms[seen]))


def told_of(behind_ms: Int64s) -> Late | None:
    """What an alert says of late samples, None where there are none."""
    return Late(samples=len(behind_ms), most_ms=int(behind_ms.max())) if len(behind_ms) else None


def _same(before: State | None, now: State) -> State:
    """The state of before where nothing has changed since, so that it is kept once."""
    if before is None or before.keys() != now.keys():
        return now
    equal = all(np.array_equal(column, now[name]) for name, column in before.items())
    return before if equal else now
