"""The stage with a route tree, from records of alerts to records of notices and what the notifier makes of them."""

import json

import pytest

from schemas import topics
from schemas.alerts import Alert, AlertRecord
from schemas.commands import Command
from schemas.config import Config
from schemas.incidents import Incident
from schemas.notices import Notice
from schemas.reasons import AnnounceReason, DeliveryReason
from schemas.records import decode_record, encode_record
from sinks.notify import NotifyStage
from sinks.notify.attempt import DELIVERED, Attempt, Settled
from streams.correlate import CorrelateStage
from streams.transport.chunk import Chunk
from tests.correlate.routing import make_config, make_silence, say
from tests.correlate.sample import MINUTE, T0, S, make_alert, make_tick, resolved

HOOK = {"type": "webhook", "name": "r0", "url": "http://127.0.0.1:9/"}
RULE = {"source_matchers": ["severity=critical"], "target_matchers": ["severity=warning"]}


def _config(**sections: object) -> Config:
    return make_config(
        {"group_by": ["service"], "group_wait": "40s"}, notify={"receivers": [HOOK]}, **sections
    )


class Drive:
    """A correlate stage that is fed record by record; with `restarts` from its snapshot before each."""

    def __init__(self, config: Config, *, restarts: bool = False) -> None:
        self._config = config
        self._restarts = restarts
        self._stage = CorrelateStage(config, sources=1)
        self._offset = 0
        self.notices: list[Notice] = []
        self.incidents: list[Incident] = []

    def put(self, *records: AlertRecord) -> None:
        """Feed records."""
        for record in records:
            if self._restarts:
                blob, self._stage = self._stage.snapshot(), CorrelateStage(self._config, sources=1)
                self._stage.restore(blob)
            chunk = Chunk(
                topics.ALERTS,
                0,
                fetch_offset=self._offset,
                next_offset=self._offset + 1,
                values=[encode_record(record)],
                timestamps=[T0],
            )
            self._offset += 1
            for sent in self._stage.apply(chunk):
                if sent.topic == topics.NOTICES:
                    self.notices.append(decode_record(sent.value or b"", Notice))
                elif sent.topic == topics.INCIDENTS:
                    self.incidents.append(decode_record(sent.value or b"", Incident))


def _story() -> list[AlertRecord]:
    """A source, an alert that it inhibits, a silenced one and one that is told, over an hour with a tick a minute."""
    cart = make_alert("cart", S, severity="critical")
    alerts: list[Alert | Command] = [
        cart,
        make_alert("cart", 2 * S),
        make_alert("bank", 3 * S),
        make_alert("search", 4 * S, severity="info"),
        resolved(cart, 20 * MINUTE),
    ]
    commands = [say(make_silence("service=bank", end=30 * MINUTE))]
    ticks = [make_tick(n * MINUTE) for n in range(61)]
    records = [*commands, *alerts, *ticks]
    return sorted(records, key=lambda r: (r.time, str(type(r))))


def test_notices_say_who_is_told() -> None:
    """With a tree incidents are written as before, but ask for nothing; notices name their receiver and incidents."""
    drive = Drive(_config(inhibit_rules=[RULE]))
    drive.put(*_story())
    assert {None} == {i.announce for i in drive.incidents}
    first = next(n for n in drive.notices if n.announce)
    assert ("r0", "route", AnnounceReason.FIRST_NOTIFICATION) == (
        first.receiver,
        first.route,
        first.announce,
    )
    assert first.incidents
    assert set(first.incidents) <= {i.id for i in drive.incidents}
    assert first.causes


def test_restart_before_every_record() -> None:
    """A worker that is killed between every two records says what one says that never stops: nothing leaks."""
    steady, killed = (Drive(_config(inhibit_rules=[RULE]), restarts=r) for r in (False, True))
    for drive in (steady, killed):
        drive.put(*_story())
    assert steady.notices == killed.notices
    assert steady.incidents == killed.incidents
    services = [
        sorted(a.alert.labels["service"] for a in n.alerts) for n in steady.notices if n.announce
    ]
    assert services.index(["bank"]) > services.index(["cart"])


def test_body_is_that_of_alertmanager() -> None:
    """The notifier sends a notice to its receiver, with Alertmanager's group key, and its end after it."""
    alert = make_alert("cart", S, tenant="default")
    drive = Drive(_config())
    drive.put(alert, make_tick(2 * MINUTE))
    notify = NotifyStage(_config().notify)
    (attempt,) = notify.apply(drive.notices).attempts
    body = json.loads(attempt.body)
    assert ("r0", '{}:{service="cart"}', "firing") == (
        body["receiver"],
        body["groupKey"],
        body["status"],
    )
    settled = notify.settle(Settled(key=attempt.key, outcome=DELIVERED, at_ms=T0))
    assert [drive.notices[0].incidents[0]] == [n.incident for n in settled.notifications]
    seen = len(drive.notices)
    drive.put(resolved(alert, 3 * MINUTE), make_tick(10 * MINUTE))
    (ended,) = notify.apply(drive.notices[seen:]).attempts
    assert isinstance(ended, Attempt)
    assert "resolved" == json.loads(ended.body)["status"]


def test_same_notice_again_is_a_duplicate() -> None:
    """A notice that is read twice is said once."""
    drive = Drive(_config())
    drive.put(make_alert("cart", S), make_tick(2 * MINUTE))
    notify = NotifyStage(_config().notify)
    notify.apply(drive.notices)
    assert [] == notify.apply(drive.notices).attempts
    assert 1 == notify.counts[DeliveryReason.DUPLICATE]


@pytest.mark.parametrize("gate", ["inhibition", "silence"])
def test_gates_hold_for_incidents_too(gate: str) -> None:
    """Without a tree an incident of which every alert is inhibited or silenced is not announced meanwhile."""
    source = make_alert("search", 0, severity="critical")
    command = say(make_silence("service=cart", end=30 * MINUTE))
    sections = {"inhibit_rules": [RULE]} if gate == "inhibition" else {}
    config = Config.model_validate(sections, context={"file": True})
    drive = Drive(config)
    before: list[AlertRecord] = [source] if gate == "inhibition" else [command]
    drive.put(*before, make_alert("cart", S), make_tick(10 * MINUTE))
    assert {"search"} - ({"search"} if gate == "silence" else set()) == {
        i.group_labels["service"] for i in drive.incidents if i.announce
    }
    assert [gate] == [
        d.gate.value
        for i in drive.incidents
        if i.group_labels["service"] == "cart"
        for d in i.decisions
        if not d.passed
    ][:1]
