"""The remediate stage over decoded records: incidents and ended actions in, actions and remediations out.

A playbook acts at most once on an incident until it is reopened. The record of the intent is written before the action
is made: the shell sends `records`, waits until they are stored, and only then starts `actions`.

After a restart an intent without a result is not blindly repeated (`resume`). An HTTP call is made once more, with the
same idempotency key, and not again after that; a record for Kafka is not sent again; what is left without a result is
recorded as failed, UNCONFIRMED: a person must look. A kill between an intent and the checkpoint that holds it makes the
same intent and the same action again, with the same key: a shell that checkpoints before it acts leaves no such gap.

A playbook that was held back by its limit may act on a later record of the incident; its refusal is recorded once.
Where the same batch already shows that an incident is resolved, as after an outage, nothing is done about it.

Bounds: `KEYS_MAX` remediations are remembered, the oldest with a result is forgotten first.

It refuses to keep an address or a token in its state: actions are made anew from the incident and the configuration.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from jinja2 import TemplateError

from schemas.config.remediate import PlaybookConfig
from schemas.errors import CheckpointError, ConfigError
from schemas.incidents import Incident
from schemas.reasons import IncidentState, RemediationReason, RemediationState
from schemas.remediations import Remediation, remediation_key
from sinks.remediate.actions import Action, HttpCall
from sinks.remediate.guard import Guard
from sinks.remediate.playbook import Playbook, find_problems

VERSION = 1
KEYS_MAX = 20_000


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An action that has ended at this wall clock time; `failure` says why it failed, without secrets."""

    key: str
    at_ms: int
    failure: str | None = None


class Remedies(NamedTuple):
    """What is to be written to tocsin.remediations, and what is to be done after that."""

    records: list[Remediation]
    actions: list[Action]


class _Pending(msgspec.Struct, array_like=True):
    """An intent without a result."""

    playbook: str
    incident: Incident
    text: str
    repeated: bool = False


class _State(msgspec.Struct):
    v: int
    done: dict[str, RemediationState]
    pending: dict[str, _Pending]
    times: dict[str, list[int]]


class RemediateStage:
    """The stage of one partition.

    Raises:
        ConfigError: a playbook cannot be used; names every reason.

    """

    def __init__(self, configs: Iterable[PlaybookConfig]) -> None:
        configs = tuple(configs)
        if found := find_problems(configs):
            raise ConfigError(found)
        self._playbooks = {c.name: Playbook(c) for c in configs}
        self._guard = Guard(configs)
        self._done: dict[str, RemediationState] = {}
        self._pending: dict[str, _Pending] = {}
        self.counts = dict.fromkeys(RemediationReason, 0)
        """Decisions and results by reason, since the start of the process."""

    def apply(self, incidents: Iterable[Incident]) -> Remedies:
        """What these records of incidents, in order, ask for."""
        batch = list(incidents)
        last = {i.id: i.state for i in batch}
        out = Remedies([], [])
        for incident in batch:
            over = last[incident.id] is IncidentState.RESOLVED
            for name, playbook in self._playbooks.items():
                labels = playbook.match(incident)
                if labels is not None:
                    self._consider(name, incident, labels, over, out)
        while len(self._done) > KEYS_MAX:
            del self._done[next(iter(self._done))]
        return out

    def settle(self, ended: Ended) -> Remedies:
        """The record of a result; of an action that is not waited for, nothing."""
        pending = self._pending.pop(ended.key, None)
        if pending is None:
            return Remedies([], [])
        failed = ended.failure is not None
        record = self._record(
            ended.key,
            pending.playbook,
            pending.incident,
            RemediationState.FAILED if failed else RemediationState.SUCCEEDED,
            RemediationReason.ACTION_FAILED if failed else RemediationReason.DONE,
            pending.text,
            at_ms=ended.at_ms,
            detail=ended.failure or "",
        )
        return Remedies([record], [])

    def resume(self, now_ms: int) -> Remedies:
        """What becomes of the intents without a result, after a restore."""
        out = Remedies([], [])
        for key, pending in list(self._pending.items()):
            action = None if pending.repeated else self._again(key, pending)
            if isinstance(action, HttpCall):
                pending.repeated = True
                out.actions.append(action)
                continue
            del self._pending[key]
            out.records.append(
                self._record(
                    key,
                    pending.playbook,
                    pending.incident,
                    RemediationState.FAILED,
                    RemediationReason.UNCONFIRMED,
                    pending.text,
                    at_ms=now_ms,
                    detail="the worker ended before the result was known",
                )
            )
        return out

    def snapshot(self) -> bytes:
        """The whole state; holds incidents, but no address and no token."""
        state = _State(VERSION, self._done, self._pending, self._guard.times())
        return msgspec.msgpack.encode(state)

    def restore(self, blob: bytes) -> None:
        """Take the state of a snapshot; `resume` is to be called next.

        Raises:
            CheckpointError: it is none, or of an unknown version.

        """
        try:
            state = msgspec.msgpack.decode(blob, type=_State)
        except msgspec.DecodeError as error:
            raise CheckpointError(f"the remediator's state cannot be read: {error}") from error
        if state.v != VERSION:
            raise CheckpointError(
                f"the remediator's state has version {state.v}, known is {VERSION}"
            )
        self._done, self._pending = state.done, state.pending
        self._guard.restore(state.times)

    def _consider(
        self, name: str, incident: Incident, labels: dict[str, str], over: bool, out: Remedies
    ) -> None:
        key = remediation_key(incident.id, incident.reopened, name)
        before = self._done.get(key)
        if key in self._pending or before not in (None, RemediationState.REFUSED):
            self.counts[RemediationReason.ALREADY_DONE] += 1
            return
        state, reason = RemediationState.FAILED, RemediationReason.ACTION_FAILED
        text, detail = "", ""
        try:
            action = self._playbooks[name].plan(incident, labels, key)
        except TemplateError as error:
            detail = f"template: {error}"
        else:
            text = str(action)
            reason = (
                RemediationReason.INCIDENT_RESOLVED
                if over
                else self._guard.admit(name, incident.updated_at)
            )
            state = _STATES[reason]
        if state is RemediationState.INTENDED:
            self._pending[key] = _Pending(name, incident, text)
            out.actions.append(action)
        if state is not before:
            out.records.append(
                self._record(key, name, incident, state, reason, text, detail=detail)
            )

    def _again(self, key: str, pending: _Pending) -> Action | None:
        """The action of an intent, made anew; None when the configuration does not give it any more."""
        playbook = self._playbooks.get(pending.playbook)
        labels = playbook.match(pending.incident) if playbook else None
        if playbook is None or labels is None or playbook.config.dry_run:
            return None
        try:
            return playbook.plan(pending.incident, labels, key)
        except TemplateError:
            return None

    def _record(
        self,
        key: str,
        playbook: str,
        incident: Incident,
        state: RemediationState,
        reason: RemediationReason,
        action: str,
        *,
        at_ms: int = 0,
        detail: str = "",
    ) -> Remediation:
        self.counts[reason] += 1
        if state is not RemediationState.INTENDED:
            self._done.pop(key, None)
            self._done[key] = state
        return Remediation(
            id=key,
            incident=incident.id,
            tenant=incident.tenant,
            playbook=playbook,
            state=state,
            reason=reason,
            action=action,
            time=incident.updated_at,
            acted_at=at_ms,
            detail=detail,
        )


_STATES = {
    RemediationReason.MATCHED: RemediationState.INTENDED,
    RemediationReason.DRY_RUN: RemediationState.DRY_RUN,
    RemediationReason.RATE_LIMITED: RemediationState.REFUSED,
    RemediationReason.INCIDENT_RESOLVED: RemediationState.REFUSED,
}
