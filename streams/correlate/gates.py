"""Gates: what stops an alert from being told of, in Alertmanager's order, each time with its reason.

Inhibition, then the time intervals of the route, then silences. A gate never drops an alert: it stays in its group and
its incident, and is asked again at the next opportunity.

Bounds: `SOURCES_MAX` firing alerts that inhibit others are remembered, the oldest is forgotten first.
"""

import msgspec

from schemas.alerts import Alert
from schemas.commands import Command
from schemas.config.root import Config
from schemas.decisions import Decision
from schemas.reasons import AlertState, CommandReason, Gate, GateReason
from streams.correlate.inhibit import Inhibitor
from streams.correlate.route import Route
from streams.correlate.silence import Silences, SilencesState
from streams.correlate.symptom import bare
from streams.time.intervals import Intervals

SOURCES_MAX = 100_000


class GatesState(msgspec.Struct):
    """All that `Gates.restore` needs."""

    silences: SilencesState = msgspec.field(default_factory=SilencesState)
    sources: list[Alert] = []


class Gates:
    """Inhibition, time intervals and silences of one partition."""

    def __init__(self, config: Config) -> None:
        self.inhibitor = Inhibitor(config.inhibit_rules)
        self.intervals = Intervals(config.time_intervals)
        self.silences = Silences(config.silences, self.intervals)
        self._sources: dict[tuple[str, str], Alert] = {}

    def note(self, alert: Alert) -> None:
        """An alert fires or has resolved; they come in order of time."""
        if not self.inhibitor or not self.inhibitor.learn(alert):
            return
        known = (alert.tenant, alert.fingerprint)
        self._sources.pop(known, None)
        if alert.state is AlertState.FIRING:
            self._sources[known] = bare(alert)
            if len(self._sources) > SOURCES_MAX:
                oldest = self._sources.pop(next(iter(self._sources)))
                self.inhibitor.learn(msgspec.structs.replace(oldest, state=AlertState.RESOLVED))

    def obey(self, command: Command) -> CommandReason | None:
        """Carry out a command about silences; why not, None when it was."""
        return self.silences.obey(command)

    def judge(self, alert: Alert, at: int) -> Decision | None:
        """What stops an alert on every route at a time; None where nothing does."""
        return self.inhibited(alert, at) or self.silenced(alert, at)

    def inhibited(self, alert: Alert, at: int) -> Decision | None:
        """Whether another alert that fires inhibits it."""
        found = self.inhibitor.inhibited_by(alert.tenant, alert.labels)
        if found is None:
            return None
        rule, source = found
        text = f"inhibited by rule {rule}: alert {source} fires"
        return _stop(at, Gate.INHIBITION, GateReason.SOURCE_FIRES, text, alert.fingerprint, rule)

    def silenced(self, alert: Alert, at: int) -> Decision | None:
        """Whether a silence holds for it."""
        silence = self.silences.silenced_by(alert.tenant, alert.labels, at)
        if silence is None:
            return None
        by = f"silence {silence.id}"
        text = f"{by} of {silence.created_by or 'unknown'}: {silence.comment or 'no comment'}"
        return _stop(at, Gate.SILENCE, GateReason.SILENCED, text, alert.fingerprint, by)

    def settled(self, route: Route) -> int | None:
        """A number that is the same as long as every answer about a route is; None where time changes them."""
        if self.silences or route.mute or route.active:
            return None
        return self.inhibitor.version

    def closed(self, route: Route, at: int) -> Decision | None:
        """Whether the time intervals of a route keep it quiet."""
        if route.active and self.intervals.first(route.active, at) is None:
            text = f"outside of {', '.join(route.active)}"
            by = f"{route.path}.active_time_intervals"
            return _stop(at, Gate.ACTIVE, GateReason.OUTSIDE_ACTIVE_INTERVAL, text, "", by)
        muted = self.intervals.first(route.mute, at)
        if muted is None:
            return None
        by = f"{route.path}.mute_time_intervals"
        text = f"in time interval {muted}"
        return _stop(at, Gate.MUTE, GateReason.IN_MUTE_INTERVAL, text, "", by)

    def snapshot(self) -> GatesState:
        """The whole state."""
        return GatesState(self.silences.snapshot(), list(self._sources.values()))

    def restore(self, state: GatesState) -> None:
        """Continue from a snapshot."""
        self.silences.restore(state.silences)
        for alert in state.sources:
            self.note(alert)


def hush(alert: Alert, at: int, silence: str) -> Decision:
    """It fired when a silence ended that wants nothing said of what is left."""
    by = f"silence {silence}"
    text = f"{by} has ended, and keeps quiet about what it left"
    return _stop(at, Gate.SILENCE, GateReason.HUSHED, text, alert.fingerprint, by)


def _stop(at: int, gate: Gate, reason: GateReason, text: str, alert: str, by: str) -> Decision:
    return Decision(
        time=at, gate=gate, passed=False, reason=reason.value, text=text, alert=alert, by=by
    )
