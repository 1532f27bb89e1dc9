"""Amend: late samples take their places, and what rules said of the time since is said again.

Rules that look at their series, directly or at what others record of them, are set back to what they were before the
earliest late sample, and evaluated again at the ticks since; what they recorded since is forgotten first. Where an
alert comes out other than it was told, one transition tells the difference: of what it is now with the reason
`amended`, or that there was nothing to tell at all, `withdrawn`. What comes out hangs on the samples alone.

Of a rule in two stages the first one sends what it finds otherwise now, and for the second one that is what is late: it
takes the place of what was sent before.

It refuses samples of a time that their series has already, unless they are such corrections, and times before the
states that are kept: those are taken in, and amend nothing.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from schemas.alerts import Alert, transition_id
from schemas.labels import METRIC, get_label, make_labels, metric_hash
from schemas.reasons import AlertReason, AlertState
from schemas.samples import Float64s, Int64s
from streams.rules.alerting import AlertingRule
from streams.rules.book import AnyRule
from streams.rules.native.append import append_mixed
from streams.rules.partial.cut import Found
from streams.rules.partial.rule import PartialRule
from streams.rules.past import Amendable, Base, LateSamples, Past, amendable, tenants_of, told_of
from streams.rules.recording import RecordingRule
from streams.rules.selectors import Selection
from streams.windows.histograms import Bag
from streams.windows.series import SeriesStore

MOMENT_MS = 1
"""An amendment comes this long after its step, where no transition of another kind can be."""


class Told(NamedTuple):
    """What a rule has told since some time, and the fingerprints of its alerts that fired then."""

    alerts: list[Alert]
    fired: AbstractSet[str]


class Amended(NamedTuple):
    """What late samples changed: how many of them found a place, and the transitions that tell what is different.

    `unjudged` of them are of series that a detector or a rule on arrival reads, which have said what they saw.
    """

    taken: int
    alerts: list[Alert]
    unjudged: int = 0


def amend(
    rules: Mapping[str, AnyRule],
    store: SeriesStore,
    past: Past,
    late: LateSamples | None,
    until_ms: int,
    bag: Bag | None = None,
) -> Amended:
    """Take late samples in at a step, up to which the store has all others and the rules have been evaluated.

    Some of them may name histograms of a bag.

    Then the states as they are now are kept, for what is still to come.
    """
    found = Amended(0, [])
    if late is not None:
        found = _amend(rules, store, past, late, bag or Bag(), until_ms)
    past.keep(until_ms, rules, store)
    return found


def _amend(
    rules: Mapping[str, AnyRule],
    store: SeriesStore,
    past: Past,
    late: LateSamples,
    bag: Bag,
    until_ms: int,
) -> Amended:
    base = past.base_before(int(late.times.min()))
    chosen = {} if base is None else _affected(rules, store, late.rows, base)
    before = {} if base is None else _look(chosen, store, base.time, until_ms)
    late = _insert(store, late, bag, correct=past.corrects)
    if not len(late.rows):
        return Amended(0, [])
    past.note(late)
    unjudged = _unjudged(rules.values(), store, late)
    if base is None:
        return Amended(len(late.rows), [], unjudged)
    fired: dict[str, AbstractSet[str]] = {}
    for key, rule in chosen.items():
        rule.rewind(base.states[key], store)
        if isinstance(rule, AlertingRule):
            fired[key] = {
                rule.announcer.fingerprint(alert.labels)
                for alert in rule.standing()
                if alert.state is AlertState.FIRING
            }
        elif isinstance(rule, RecordingRule):
            store.cut(_recorded(store, rule), base.time - rule.rule.query_offset_ms)
    news = _evaluate_again(chosen, before, store, past, base.time, until_ms)
    alerts: list[Alert] = []
    for key, rule in chosen.items():
        if isinstance(rule, AlertingRule):
            seen = rule.plan.picked(store)[late.rows]
            # a rule that looks at what others record looks at no sample of its own
            found = late.take(seen) if seen.any() else late
            told = Told(past.told_since(key, base.time), fired[key])
            changed = _differences(rule, told, news[key], until_ms + MOMENT_MS)
            whose = tenants_of(found, store) if changed else None
            alerts += [
                alert
                if past.corrects
                else replace(alert, late=told_of(found.behind_ms[whose == alert.tenant]))
                for alert in changed
            ]
            past.retell(key, base.time, news[key])
    return Amended(len(late.rows), alerts, unjudged)


def _insert(store: SeriesStore, late: LateSamples, bag: Bag, *, correct: bool) -> LateSamples:
    """Put samples where they belong, some of which name histograms of a bag; those that found a place."""
    rows, times, values = store.cut(np.unique(late.rows), int(late.times.min()) - 1)
    count = len(rows)
    rows = np.concatenate((rows, late.rows))
    times = np.concatenate((times, late.times))
    turn = np.arange(len(rows))
    # the first that came has the time, as ever, and the last correction
    order = np.lexsort((-turn if correct else turn, times, rows))
    # what follows a late histogram goes on from it, and no longer from the one before
    both = Bag()
    values = np.concatenate((_moved(values, store.bag, both), _moved(late.values, bag, both)))
    taken = append_mixed(store, rows[order], times[order], values[order], both)
    found = order[taken] - count
    return late.take(np.sort(found[found >= 0]))


def _moved(values: Float64s, bag: Bag, to: Bag) -> Float64s:
    """The same values with the histograms that they name in another bag."""
    mask = bag.mask(values)
    if mask is None:
        return values
    moved = values.copy()
    moved[mask] = to.hold(bag.get(values[mask]))
    return moved


def _unjudged(rules: Iterable[AnyRule], store: SeriesStore, late: LateSamples) -> int:
    """How many of these samples a rule would have looked at that is not amended."""
    seen = np.zeros(len(late.rows), np.bool_)
    for rule in rules:
        if amendable(rule) is None:
            seen |= rule.plan.picked(store)[late.rows]
    return int(np.count_nonzero(seen))


def _affected(
    rules: Mapping[str, AnyRule], store: SeriesStore, rows: Int64s, base: Base
) -> dict[str, Amendable]:
    """The rules that look at these series, or at what such a rule records, by key in their order."""
    able = {k: r for k, rule in rules.items() if k in base.states and (r := amendable(rule))}
    chosen = {key for key, rule in able.items() if rule.plan.picked(store)[rows].any()}
    waiting = sorted(chosen)
    while waiting:
        rule = able[waiting.pop()]
        if isinstance(rule, RecordingRule):
            more = {k for k, other in able.items() if _follows(other, rule)} - chosen
            chosen |= more
            waiting += more
    return {key: rule for key, rule in able.items() if key in chosen}


def _follows(other: Amendable, rule: RecordingRule) -> bool:
    """Whether a rule may read what this one records, or records under the same name."""
    if isinstance(other, RecordingRule) and other.rule.name == rule.rule.name:
        return True
    return any(_reads(selection, rule) for selection in other.plan.selectors)


def _reads(selection: Selection, rule: RecordingRule) -> bool:
    own = make_labels({METRIC: rule.rule.name, **rule.rule.labels})
    names = {name for name, _ in own}
    return all(each.matches(own) for each in selection.matchers if each.name in names)


def _look(
    chosen: Mapping[str, Amendable], store: SeriesStore, after_ms: int, until_ms: int
) -> dict[tuple[str, int], list[Found]]:
    """What the first stages of wide rules have found at the ticks since, by key and time."""
    parts = {key: rule for key, rule in chosen.items() if isinstance(rule, PartialRule)}
    return {
        (key, tick): rule.look(store, tick)
        for tick in _ticks(parts.values(), after_ms, until_ms)
        for key, rule in parts.items()
        if tick % rule.rule.interval_ms == 0
    }


def _evaluate_again(
    chosen: Mapping[str, Amendable],
    before: Mapping[tuple[str, int], list[Found]],
    store: SeriesStore,
    past: Past,
    after_ms: int,
    until_ms: int,
) -> dict[str, list[Alert]]:
    """Evaluate rules at the ticks since; what each tells. The states kept since are set right too."""
    told: dict[str, list[Alert]] = {key: [] for key in chosen}
    kept = past.bases_after(after_ms)
    for tick in _ticks(chosen.values(), after_ms, until_ms):
        while kept and kept[0].time < tick:
            _keep_again(kept.pop(0), chosen, store)
        for key, rule in chosen.items():
            if tick % rule.rule.interval_ms:
                continue
            # one that fails does so as it did at its time, which was told then
            with suppress(Exception):
                if isinstance(rule, AlertingRule):
                    told[key] += rule.tick(store, tick, again=True)
                elif isinstance(rule, RecordingRule):
                    rule.tick(store, tick)
                else:
                    rule.correct(before[key, tick], rule.look(store, tick), until_ms)
    for later in kept:
        _keep_again(later, chosen, store)
    for rule in chosen.values():
        if isinstance(rule, AlertingRule):
            rule.failures.clear()
    return told


def _keep_again(base: Base, chosen: Mapping[str, Amendable], store: SeriesStore) -> None:
    base.states.update(
        {key: rule.remember(store) for key, rule in chosen.items() if key in base.states}
    )


def _recorded(store: SeriesStore, rule: RecordingRule) -> Int64s:
    """Rows of the series under the name of a recording rule."""
    rows = np.flatnonzero((store.metrics == metric_hash(rule.rule.name)) & (store.born > 0))
    # two metrics may have one hash
    return rows[[get_label(store.labels(r), METRIC) == rule.rule.name for r in rows.tolist()]]


def _ticks(rules: Iterable[Amendable], after_ms: int, until_ms: int) -> list[int]:
    intervals = {rule.rule.interval_ms for rule in rules}
    found = {
        tick for ms in intervals for tick in range((after_ms // ms + 1) * ms, until_ms + 1, ms)
    }
    return sorted(found)


def _differences(rule: AlertingRule, told: Told, new: list[Alert], at: int) -> list[Alert]:
    """One transition for each alert that was told otherwise."""
    before, now = _by_alert(told.alerts, told.fired), _by_alert(new, told.fired)
    differing = [f for f in {**before, **now} if _said(before.get(f)) != _said(now.get(f))]
    alerts = []
    for fingerprint in differing:
        was, becomes = before.get(fingerprint, []), now.get(fingerprint, [])
        last, reason = becomes[-1] if becomes else None, AlertReason.AMENDED
        if last is None and fingerprint in told.fired:
            last = _standing(rule, fingerprint, at)
        if last is None:
            reason = AlertReason.WITHDRAWN
            view = rule.announcer.ending(reason)
            last = replace(was[-1], state=AlertState.RESOLVED, view=view)
        known = {alert.id for alert in becomes}
        alerts.append(
            replace(
                last,
                id=transition_id(fingerprint, last.state, at),
                reason=reason,
                time=at,
                watermark=at - MOMENT_MS,
                amends=tuple(alert.id for alert in was if alert.id not in known),
            )
        )
    return sorted(alerts, key=lambda alert: (alert.tenant, tuple(alert.labels.items())))


def _standing(rule: AlertingRule, fingerprint: str, at: int) -> Alert | None:
    """An alert that fires though what it was told last says otherwise."""
    for alert in rule.standing():
        found = rule.announcer.fingerprint(alert.labels) == fingerprint
        if found and alert.state is AlertState.FIRING:
            return rule.announcer.alert(
                alert.labels,
                alert.given,
                alert.facts,
                state=alert.state,
                reason=AlertReason.AMENDED,
                time=at,
                active_at=alert.active_at,
                urgent=False,
            )
    return None


def _by_alert(alerts: list[Alert], fired: AbstractSet[str]) -> dict[str, list[Alert]]:
    """Transitions of each alert that has fired, without those to pending, which nobody is told of."""
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.state is AlertState.FIRING or (
            alert.state is AlertState.RESOLVED
            # that a pending alert ends is of no interest either
            and (alert.fingerprint in fired or alert.fingerprint in found)
        ):
            found.setdefault(alert.fingerprint, []).append(alert)
    return found


def _said(alerts: list[Alert] | None) -> list[tuple[AlertState, int, int, float | None]]:
    return [(a.state, a.time, a.active_at, a.value) for a in alerts or ()]
