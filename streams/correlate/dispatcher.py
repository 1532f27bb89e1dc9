"""Dispatcher: alerts in order of time to groups by route, and groups to notices, as Alertmanager does it.

A group is told of first `group_wait` after its first alert, and from then on it is looked at every `group_interval`.
Each time the gates take out what is not to be told; of the rest every receiver of the route is told if there is
something new for it. Resolved alerts leave the group then, and a group without alerts ends; what its receivers know
of it outlives it. Source: `aggrGroup` in Alertmanager 0.34's `dispatch`, and the stages in `notify`.

Two things differ: time is event time, so every instant is exact; and a notification counts as made, because the
notifier tries it again until it is. At equal times alerts come first, then commands, then the ends of silences, then
the ends of storms, then groups in order of their key.

Bounds: `GROUPS_MAX` groups, as in Alertmanager's limit a newcomer is refused, and counted.
"""

from collections import Counter
from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from schemas.alerts import Alert
from schemas.commands import Command, Verb
from schemas.config.root import Config
from schemas.config.route import RootRoute
from schemas.decisions import Decision
from schemas.incidents import Incident
from schemas.notices import Notice
from schemas.reasons import AlertState, AnnounceReason, Gate
from schemas.silences import AtEnd
from streams.correlate.desk import Refusal
from streams.correlate.gates import Gates
from streams.correlate.grouping import DispatcherState, Group, GroupId, Waiting, group_id
from streams.correlate.hearing import Heard, Hearing, Judged
from streams.correlate.notice import Member, group_key
from streams.correlate.order import Release
from streams.correlate.pages import Pages, Summary
from streams.correlate.route import Route, RouteTree
from streams.correlate.scribe import Scribe
from streams.correlate.silence import Ended
from streams.correlate.symptom import bare
from streams.time.watermark import BEFORE_ALL

GROUPS_MAX = 100_000
NEVER = 1 << 62


class Dispatcher:
    """The groups of the tenants of one partition; `stopped` and `refused` count since the start of the process."""

    def __init__(self, config: Config, route: RootRoute) -> None:
        self.gates = Gates(config)
        self._page_horizon_ms = config.time.page_horizon
        self._tree = RouteTree(route)
        self._tell_resolved = config.silences.tell_resolved
        self._send_resolved = {r.name: r.send_resolved for r in config.notify.receivers}
        self._groups: dict[GroupId, Group] = {}
        self._timers: list[tuple[int, GroupId]] = []
        self._scribe = Scribe(self._tree.root)
        self._casebook = self._scribe.casebook
        self._hearing = Hearing(self.gates)
        self._pages = Pages(
            config.correlate.storm, tell=self._tell_late, write=self._scribe.write_summary
        )
        self._refusals: list[Refusal] = []

    @property
    def stopped(self) -> Counter[Gate]:
        """How often each gate stopped an alert, a group or a notification, since the start of the process."""
        return self._hearing.stopped

    def advance(self, release: Release, records: Iterable[Incident]) -> list[Notice]:
        """The notices due up to and including the time of a release; `records` are those of the incidents in it."""
        self._casebook.read(records)
        commands = iter((*release.commands, None))
        command = next(commands)
        before = BEFORE_ALL
        for alert in release.alerts:
            if alert.time > before:
                while command is not None and command.time < alert.time:
                    self._obey(command, release)
                    command = next(commands)
                self._run(alert.time - 1, release)
                before = alert.time
            self._take(alert)
        while command is not None:
            self._obey(command, release)
            command = next(commands)
        self._run(release.until, release)
        self._casebook.turn(release.until)
        return self._scribe.take()

    def take_refusals(self) -> list[Refusal]:
        """Holds and releases that were not carried out, since the last call."""
        found, self._refusals = self._refusals, []
        return found

    def _obey(self, command: Command, release: Release) -> None:
        self._run(command.time - 1, release)
        if command.verb in (Verb.SILENCE_ADD, Verb.SILENCE_EXPIRE):
            # the ledger obeys too, and says why where a silence is refused
            self.gates.obey(command)
        elif command.verb in (Verb.HOLD, Verb.RELEASE):
            reason = self._pages.obey(command)
            if reason is not None:
                self._refusals.append(Refusal(command, reason))

    def _take(self, alert: Alert) -> None:
        alert = bare(alert)
        self.gates.note(alert)
        for route in self._tree.match(alert.tenant, alert.labels):
            labels = route.group_labels(alert.labels)
            identity = group_id(route.index, alert.tenant, labels)
            group = self._groups.get(identity) or self._open(alert, route, labels)
            if group is None:
                self.stopped[Gate.LIMIT] += alert.state is AlertState.FIRING
                continue
            member = group.alerts.get(alert.fingerprint)
            again = member is None or (not member.firing and alert.state is AlertState.FIRING)
            first_at = alert.time if member is None or again else member.first_at
            group.alerts[alert.fingerprint] = Member(alert, first_at)
            group.hushed.pop(alert.fingerprint, None)
            self._hearing.forget(identity)

    def _open(self, alert: Alert, route: Route, labels: dict[str, str]) -> Group | None:
        """A new group; None where the alert needs none, or there is no room for it."""
        if alert.state is not AlertState.FIRING or len(self._groups) >= GROUPS_MAX:
            return None
        next_at = alert.time + route.group_wait
        group = Group(group_key(route, labels), alert.tenant, route.index, labels, next_at)
        self._groups[group.id] = group
        heappush(self._timers, (next_at, group.id))
        return group

    def _run(self, until: int, release: Release) -> None:
        """Let silences end and groups fall due, each at its own time, up to and including a time."""
        while True:
            at = self._timers[0][0] if self._timers else NEVER
            ending, letting_go = self.gates.silences.next_end(), self._pages.next_due
            if letting_go is not None and letting_go <= at:
                at = letting_go
            if ending is not None and ending <= at:
                at = ending
            if at > until:
                return
            if ending == at:
                for ended in self.gates.silences.take_ended(at):
                    self._end(ended)
            elif letting_go == at:
                self._casebook.turn(at)
                self._pages.fall_due(at)
            else:
                group = self._groups.get(heappop(self._timers)[1])
                if group is None or group.next_at != at:
                    continue
                group.next_at = release.known_with(at, self._page_horizon_ms)
                if group.next_at > at:
                    # people are told once, of how it stands at the end of what became known at once
                    heappush(self._timers, (group.next_at, group.id))
                else:
                    self._flush(group, at)

    def _flush(self, group: Group, at: int) -> None:
        """Tell the receivers of a group what is new; then let what has resolved go."""
        route = self._tree.nodes[group.route]
        group.next_at = at + route.group_interval
        self._casebook.turn(at)
        judged = self._hearing.judge(group, route, at)
        spoken = False
        for receiver in route.receivers:
            spoken |= self._tell(group, route, receiver, at, judged)
        if judged.said != group.stopped and not spoken and route.receivers:
            # nobody is told, but why not is on record
            alerts = [*judged.passed.alerts, *judged.silenced]
            self._scribe.write(group, route, route.receivers[0], at, None, judged.decisions, alerts)
        group.stopped = judged.said
        if judged.over:
            left = self._left(group, route)
            if len(left) < len(group.alerts):
                group.alerts = left
                self._hearing.forget(group.id)
        if group.alerts:
            heappush(self._timers, (group.next_at, group.id))
        else:
            del self._groups[group.id]
            for receiver in route.receivers:
                self._pages.forget(group.memory(receiver), at)

    def _left(self, group: Group, route: Route) -> dict[str, Member]:
        """What stays in a group after a flush: what fires, and what ended while one who knows of it is held."""
        waiting = [
            self._scribe.known(m)
            for r in route.receivers
            if self._pages.waits(m := group.memory(r))
        ]
        return {
            f: h
            for f, h in group.alerts.items()
            if h.firing or any(told is not None and told.knows(f) for told in waiting)
        }

    def _tell(
        self,
        group: Group,
        route: Route,
        receiver: str,
        at: int,
        judged: Judged,
        freed: Decision | None = None,
    ) -> bool:
        """Tell one receiver, if there is something new for it and its page may go; whether that was written."""
        heard, silenced, decisions = judged.passed, judged.silenced, judged.decisions
        memory = group.memory(receiver)
        told = self._scribe.told(memory)
        if silenced and self._tell_resolved:
            ended = [h for h in silenced if not h.firing and told.knows(h.alert.fingerprint)]
            heard = Heard.of([*heard.alerts, *ended])
        alerts, burning, firing, resolved = heard
        if not alerts or (burning and self._pages.waits(memory)):
            return False
        reason = told.reason(
            at,
            firing,
            resolved,
            send_resolved=self._send_resolved.get(receiver, True),
            repeat_interval=route.repeat_interval,
        )
        if reason is AnnounceReason.REPEAT_INTERVAL_ELAPSED and self._casebook.acknowledged(
            [h.alert for h in burning]
        ):
            self.stopped[Gate.ACKNOWLEDGED] += 1
            return False
        if reason is None:
            self.stopped[Gate.DEDUP] += 1
            return False
        verdict = freed
        if burning and freed is None:
            verdict = self._pages.judge(group, burning, at)
        if verdict is not None:
            decisions = [*decisions, verdict]
            if not verdict.passed:
                self.stopped[verdict.gate] += 1
                self._scribe.write(group, route, receiver, at, None, decisions, alerts)
                self._pages.hold(group, receiver, burning, at)
                return True
        if not burning:
            self._pages.forget(memory, at)
        still = {h.alert.fingerprint for h in silenced if h.firing and self._tell_resolved}
        self._scribe.remember(memory, told).tell(at, reason, firing, resolved, still)
        self._scribe.write(group, route, receiver, at, reason, decisions, alerts)
        return True

    def _tell_late(self, waiting: Waiting, at: int, freed: Decision | None) -> None:
        """Tell a receiver of what was held."""
        group = self._groups.get(waiting.group)
        if group is not None:
            route = self._tree.nodes[group.route]
            judged = self._hearing.judge(group, route, at)
            self._tell(group, route, waiting.receiver, at, judged, freed)

    def _end(self, ended: Ended) -> None:
        """A silence has ended: do at once what it wants for that which it kept from being told."""
        at, silence = ended.at, ended.silence
        affected = [
            (group, fingerprints)
            for group in sorted(self._groups.values(), key=lambda g: g.id)
            if group.tenant == silence.tenant and (fingerprints := self._unheard(group, ended))
        ]
        if silence.at_end is AtEnd.NOTHING:
            for group, fingerprints in affected:
                group.hushed |= dict.fromkeys(fingerprints, silence.id)
        elif silence.at_end is AtEnd.NOTIFY_NOW:
            for group, _ in affected:
                self._flush(group, at)
        else:
            self._summarise(ended, affected)

    def _unheard(self, group: Group, ended: Ended) -> list[str]:
        """Alerts of a group that fire, were kept back by this silence, and that some receiver does not know of."""
        route = self._tree.nodes[group.route]
        tolds = [self._scribe.known(group.memory(r)) for r in route.receivers]
        return [
            fingerprint
            for fingerprint, member in group.alerts.items()
            if member.firing
            and ended.matches(member.alert.labels)
            and any(told is None or not told.knows(fingerprint) for told in tolds)
        ]

    def _summarise(self, ended: Ended, affected: list[tuple[Group, list[str]]]) -> None:
        """One notice to each receiver of all that it was not told of; its groups count that as told."""
        gathered: dict[str, list[Member]] = {}
        for group, fingerprints in affected:
            route = self._tree.nodes[group.route]
            passed = self._hearing.judge(group, route, ended.at).passed.alerts
            heard = [h for h in passed if h.alert.fingerprint in fingerprints]
            for receiver in route.receivers:
                told = self._scribe.told(group.memory(receiver))
                news = [h for h in heard if not told.knows(h.alert.fingerprint)]
                if news:
                    gathered.setdefault(receiver, []).extend(news)
                    told = self._scribe.remember(group.memory(receiver), told)
                    told.at, told.since = ended.at, told.since or ended.at
                    told.firing |= {h.alert.fingerprint for h in news}
        self._casebook.turn(ended.at)
        for receiver in sorted(gathered):
            summary = Summary(
                ended.silence.tenant,
                receiver,
                f"silence:{ended.silence.id}@{ended.at}",
                {},
                gathered[receiver],
                AnnounceReason.SILENCE_ENDED,
            )
            self._scribe.write_once(summary, ended.at)

    def snapshot(self) -> DispatcherState:
        """The whole state."""
        return DispatcherState(
            list(self._groups.values()),
            self._scribe.snapshot(),
            self.gates.snapshot(),
            self._casebook.snapshot(),
            self._pages.snapshot(),
        )

    def restore(self, state: DispatcherState) -> None:
        """Continue from a snapshot; groups of routes that are gone go too, what was told of them is kept."""
        self._groups = {g.id: g for g in state.groups if self._fits(g)}
        self._timers = [(g.next_at, g.id) for g in self._groups.values()]
        heapify(self._timers)
        self._scribe.restore(state.told)
        self.gates.restore(state.gates)
        self._casebook.restore(state.cases)
        self._pages.restore(state.pages)

    def _fits(self, group: Group) -> bool:
        """Whether the tree of today has the route of a group."""
        nodes = self._tree.nodes
        if group.route >= len(nodes):
            return False
        return group.name == group_key(nodes[group.route], group.labels)
