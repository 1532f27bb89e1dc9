"""The outbox: what is still to be said to whom, as a state machine without I/O.

A lane is one incident towards one receiver. It says one thing at a time and in order, so "resolved" never overtakes
"first notification"; and it says "resolved" only to a receiver that took something before. Announcements of an incident
are numbered, so the highest number that a lane has seen is all that is needed to know a duplicate. A receiver that was
told of an incident stays with it, whatever the routes make of later alerts. A notice names its receiver itself.

Only the first of a lane is handed out as an attempt; it stays in the outbox, with its body, until an attempt is settled
for good. So after a restart the same bytes go out under the same key (`pending`).

Bounds: `TRACKS_MAX` incidents are remembered; the one untouched for longest, with nothing left to say, is forgotten
first, and would be told again if its records came again. `WAITING_MAX` announcements wait for one receiver, then the
oldest is given up.

It refuses to wait: back-off is a time in the attempt, computed from the key, never from chance.
"""

import msgspec

from schemas.config.notify import NotifyConfig, WebhookReceiver
from schemas.config.notify import Receiver as ReceiverConfig
from schemas.errors import CheckpointError
from schemas.incidents import Incident
from schemas.labels import content_id
from schemas.notices import Notice
from schemas.notifications import Notification, announcement_key
from schemas.reasons import AnnounceReason, DeliveryReason, IncidentState
from sinks.notify.attempt import WAIT_MAX_MS, Attempt, Outcome
from sinks.notify.receivers import find_kind
from sinks.notify.route import Choice, Router, RouteReason

VERSION = 1
TRACKS_MAX = 20_000
WAITING_MAX = 500
_ENDS = (AnnounceReason.SOME_ALERTS_RESOLVED, AnnounceReason.ALL_ALERTS_RESOLVED)


class _Delivery(msgspec.Struct, array_like=True):
    """One announcement on its way; `number` counts the attempts that have been settled."""

    key: str
    announce: AnnounceReason
    resolved: bool
    time: int
    body: bytes
    route: str
    number: int = 0
    not_before_ms: int = 0
    wait_ms: int = WAIT_MAX_MS


class _Lane(msgspec.Struct, array_like=True):
    seen: int = -1
    told: bool = False
    queue: list[_Delivery] = []


class _Track(msgspec.Struct, array_like=True):
    tenant: str
    lanes: dict[str, _Lane] = {}
    about: str = ""


class _State(msgspec.Struct):
    v: int
    tracks: dict[str, _Track]


class Outbox:
    """Turns incidents into attempts, and outcomes into retries and records of what was said."""

    def __init__(self, config: NotifyConfig) -> None:
        self._router = Router(config)
        self._receivers = {r.name: r for r in config.receivers}
        self._external_url = config.external_url
        self._tracks: dict[str, _Track] = {}
        self._waiting: dict[str, dict[str, str]] = {}
        self.counts = dict.fromkeys(DeliveryReason, 0)
        """Decisions and outcomes by reason, since the start of the process."""

    def apply(self, incident: Incident) -> list[Attempt | Notification]:
        """What this record of an incident asks for: attempts, and the reasons for those that are not made."""
        if incident.announce is None and not incident.historical:
            return []
        track = self._tracks.pop(incident.id, None) or _Track(incident.tenant)
        if isinstance(incident, Notice) and incident.incidents:
            track.about = incident.incidents[0]
        self._tracks[incident.id] = track
        out: list[Attempt | Notification] = []
        for choice in self._choices(incident, track):
            out += self._announce(incident, track, choice)
        self._forget()
        return out

    def settle(self, key: str, outcome: Outcome, now_ms: int) -> list[Attempt | Notification]:
        """What follows from the end of an attempt: its record, and a retry or what stood behind it.

        A key that is not waiting (given up since, or settled before) changes nothing.
        """
        found = self._find(key)
        if found is None:
            return []
        incident, receiver, lane = found
        delivery = lane.queue[0]
        delivery.number += 1
        delivered = outcome.reason is DeliveryReason.DELIVERED
        attempts_max = _attempts_max(self._receivers.get(receiver))
        gave_up = outcome.retryable and delivery.number >= attempts_max
        detail = delivery.route if delivered else outcome.detail
        record = self._record(
            incident,
            receiver,
            delivery,
            DeliveryReason.GAVE_UP if gave_up else outcome.reason,
            final=not outcome.retryable or gave_up,
            at_ms=now_ms,
            detail=f"{outcome.reason.value}: {detail}" if gave_up else detail,
        )
        if outcome.retryable and not gave_up:
            wait = self._wait_ms(receiver, delivery, outcome.retry_after_seconds)
            delivery.not_before_ms, delivery.wait_ms = now_ms + wait, wait
            return [record, _attempt(receiver, delivery)]
        if delivered:
            lane.told = not delivery.resolved
        return [record, *self._advance(incident, receiver, lane)]

    def pending(self) -> list[Attempt]:
        """The attempt that each lane waits for; after a restore these are to be made again."""
        return [
            _attempt(receiver, lane.queue[0])
            for track in self._tracks.values()
            for receiver, lane in track.lanes.items()
            if lane.queue
        ]

    def snapshot(self) -> bytes:
        """The whole state; holds bodies, but no address and no token."""
        return msgspec.msgpack.encode(_State(VERSION, self._tracks))

    def restore(self, blob: bytes) -> None:
        """Take the state of a snapshot.

        Raises:
            CheckpointError: it is none, or of an unknown version.

        """
        try:
            state = msgspec.msgpack.decode(blob, type=_State)
        except msgspec.DecodeError as error:
            raise CheckpointError(f"the notifier's state cannot be read: {error}") from error
        if state.v != VERSION:
            raise CheckpointError(f"the notifier's state has version {state.v}, known is {VERSION}")
        self._tracks = state.tracks
        self._waiting = {}
        for identity, track in state.tracks.items():
            for receiver, lane in track.lanes.items():
                for delivery in lane.queue:
                    self._waiting.setdefault(receiver, {})[delivery.key] = identity

    def _choices(self, incident: Incident, track: _Track) -> list[Choice]:
        """Receivers of this record: by the routes, and those told before; of an end, the latter alone if any."""
        if isinstance(incident, Notice):
            return [Choice(incident.receiver, RouteReason.MATCHED, incident.route)]
        told = [
            Choice(name, RouteReason.TOLD_BEFORE, "told of this incident before")
            for name in track.lanes
            if name in self._receivers
        ]
        if told and incident.state is IncidentState.RESOLVED:
            return told
        routed = self._router.choose(incident)
        names = {c.receiver for c in routed}
        return routed + [c for c in told if c.receiver not in names]

    def _announce(
        self, incident: Incident, track: _Track, choice: Choice
    ) -> list[Attempt | Notification]:
        lane = track.lanes.setdefault(choice.receiver, _Lane())
        if incident.announcement <= lane.seen:
            self.counts[DeliveryReason.DUPLICATE] += 1
            return []
        lane.seen = incident.announcement
        delivery = _Delivery(
            key=announcement_key(incident.id, incident.announcement, choice.receiver),
            announce=incident.announce or AnnounceReason.FIRST_NOTIFICATION,
            resolved=incident.state is IncidentState.RESOLVED,
            time=incident.updated_at,
            body=b"",
            route=choice.detail,
        )
        receiver = self._receivers.get(choice.receiver)
        refusal = _refusal(incident, receiver, lane)
        if receiver is None or refusal is not None:
            reason = refusal or DeliveryReason.NO_ROUTE
            return [
                self._record(incident.id, choice.receiver, delivery, reason, detail=choice.detail)
            ]
        kind = find_kind(receiver.type)
        delivery.body = kind.render(receiver, incident, self._external_url)
        lane.queue.append(delivery)
        waiting = self._waiting.setdefault(choice.receiver, {})
        waiting[delivery.key] = incident.id
        out: list[Attempt | Notification] = []
        if len(lane.queue) == 1:
            out.append(_attempt(choice.receiver, delivery))
        if len(waiting) > WAITING_MAX:
            out += self._give_up_oldest(choice.receiver)
        return out

    def _give_up_oldest(self, receiver: str) -> list[Attempt | Notification]:
        key = next(iter(self._waiting[receiver]))
        found = self._find(key)
        assert found is not None, "what waits stands first in its lane, as it is the oldest"
        incident, _, lane = found
        record = self._record(
            incident,
            receiver,
            lane.queue[0],
            DeliveryReason.GAVE_UP,
            detail=f"more than {WAITING_MAX} announcements wait for this receiver",
        )
        return [record, *self._advance(incident, receiver, lane)]

    def _advance(self, incident: str, receiver: str, lane: _Lane) -> list[Attempt | Notification]:
        """Take the first out of the lane; hand out the next that may be said."""
        out: list[Attempt | Notification] = []
        del self._waiting[receiver][lane.queue.pop(0).key]
        while lane.queue and lane.queue[0].resolved and not lane.told:
            unsaid = lane.queue.pop(0)
            del self._waiting[receiver][unsaid.key]
            out.append(self._record(incident, receiver, unsaid, DeliveryReason.NEVER_ANNOUNCED))
        return [*out, _attempt(receiver, lane.queue[0])] if lane.queue else out

    def _find(self, key: str) -> tuple[str, str, _Lane] | None:
        """Incident, receiver and lane of the first of a lane by its key."""
        for receiver, waiting in self._waiting.items():
            if key in waiting:
                lane = self._tracks[waiting[key]].lanes[receiver]
                return (waiting[key], receiver, lane) if lane.queue[0].key == key else None
        return None

    def _forget(self) -> None:
        """Drop the incident untouched for longest that has nothing left to say."""
        if len(self._tracks) > TRACKS_MAX:
            idle = (
                i for i, t in self._tracks.items() if not any(n.queue for n in t.lanes.values())
            )
            oldest = next(idle, None)
            if oldest is not None:
                del self._tracks[oldest]

    def _wait_ms(self, receiver: str, delivery: _Delivery, asked_seconds: float | None) -> int:
        """Exponential back-off with jitter over its upper half, or what the receiver asked for if that is longer.

        "Equal jitter" of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, its chance taken
        from the key.
        """
        config = self._receivers[receiver]
        assert isinstance(config, WebhookReceiver), "what has one attempt is never tried again"
        whole = min(config.max_backoff, config.backoff << min(delivery.number - 1, 32))
        chance = int(content_id(delivery.key, delivery.number), 16)
        wait = whole // 2 + (whole - whole // 2) * chance // 2**64
        asked = min(WAIT_MAX_MS, int((asked_seconds or 0) * 1000))
        return max(wait, asked)

    def _record(
        self,
        incident: str,
        receiver: str,
        delivery: _Delivery,
        reason: DeliveryReason,
        *,
        final: bool = True,
        at_ms: int = 0,
        detail: str = "",
    ) -> Notification:
        self.counts[reason] += 1
        track = self._tracks[incident]
        return Notification(
            id=delivery.key,
            incident=track.about or incident,
            tenant=track.tenant,
            receiver=receiver,
            announce=delivery.announce,
            reason=reason,
            final=final,
            attempt=delivery.number,
            time=delivery.time,
            delivered_at=at_ms,
            detail=detail,
        )


def _attempt(receiver: str, delivery: _Delivery) -> Attempt:
    return Attempt(
        key=delivery.key,
        receiver=receiver,
        body=delivery.body,
        number=delivery.number + 1,
        not_before_ms=delivery.not_before_ms,
        wait_ms=delivery.wait_ms,
    )


def _attempts_max(receiver: ReceiverConfig | None) -> int:
    return receiver.max_attempts if isinstance(receiver, WebhookReceiver) else 1


def _refusal(
    incident: Incident, receiver: ReceiverConfig | None, lane: _Lane
) -> DeliveryReason | None:
    """Why this is not said to this receiver; None when it is."""
    involved = lane.told or bool(lane.queue)
    if receiver is None:
        return DeliveryReason.NO_ROUTE
    if incident.announce is None or (incident.historical and not involved):
        return DeliveryReason.HISTORICAL
    if incident.announce in _ENDS and not receiver.send_resolved:
        return DeliveryReason.RESOLVE_NOT_WANTED
    # who was told of a group is known where the notice was made
    if (
        incident.state is IncidentState.RESOLVED
        and not involved
        and not isinstance(incident, Notice)
    ):
        return DeliveryReason.NEVER_ANNOUNCED
    return None
