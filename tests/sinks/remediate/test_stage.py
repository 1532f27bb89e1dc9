"""The remediate stage: intents, results, and what becomes of them after a restart."""

import pytest

from schemas.config.remediate import HttpAction, KafkaAction, PlaybookConfig, RateLimit
from schemas.config.section import Secret
from schemas.errors import CheckpointError, ConfigError
from schemas.reasons import RemediationReason as Reason
from schemas.reasons import RemediationState as State
from schemas.remediations import Remediation, remediation_key
from sinks.remediate import Ended, HttpCall, RemediateStage
from sinks.remediate import stage as stage_module
from tests.sinks.sample import ALL, T0, make_incident

NOW = T0 + 5_000
TOKEN = "s3cr3t-t0k3n"
HTTP = HttpAction(
    type="http",
    url=Secret(f"https://ops/{TOKEN}/{{{{ cause }}}}"),
    headers={"Authorization": Secret(TOKEN)},
)
KAFKA = KafkaAction(type="kafka", topic="ops", value="restart {{ cause }}")


def _stage(
    action: HttpAction | KafkaAction = HTTP, *, dry_run: bool = False, count: int = 3
) -> RemediateStage:
    limit = RateLimit(count=count, per=60_000)
    config = PlaybookConfig(name="p", matchers=(), action=action, dry_run=dry_run, limit=limit)
    return RemediateStage([config])


def _key(reopened: int = 0, name: str = "a") -> str:
    return remediation_key(make_incident(name).id, reopened, "p")


def _reasons(records: list[Remediation]) -> list[tuple[State, Reason]]:
    return [(r.state, r.reason) for r in records]


INTENDED = (State.INTENDED, Reason.MATCHED)


def test_an_intent_comes_with_its_action() -> None:
    """A match gives the record of the intent and the action, with the same key."""
    records, actions = _stage().apply([make_incident()])

    assert [
        Remediation(
            id=_key(),
            incident=make_incident().id,
            tenant="shop",
            playbook="p",
            state=State.INTENDED,
            reason=Reason.MATCHED,
            action="POST https://ops/…",
            time=T0,
        )
    ] == records
    assert [_key()] == [a.key for a in actions]


def test_dry_run_is_the_default() -> None:
    """A playbook that does not say otherwise records what it would do, and does nothing."""
    config = PlaybookConfig(name="p", matchers=(), action=KAFKA)
    records, actions = RemediateStage([config]).apply([make_incident()])

    assert [(State.DRY_RUN, Reason.DRY_RUN)] == _reasons(records)
    assert ["send to ops: restart orders-db"] == [r.action for r in records]
    assert [] == actions


@pytest.mark.parametrize("dry_run", [True, False])
def test_it_acts_once_until_the_incident_is_reopened(dry_run: bool) -> None:
    """Later records of an incident ask for nothing more; a reopened incident does."""
    stage = _stage(dry_run=dry_run)
    first = stage.apply([make_incident(), make_incident()])
    stage.settle(Ended(key=_key(), at_ms=NOW))
    again = stage.apply([make_incident(announce=None, announcement=1)])
    reopened = stage.apply([make_incident(reopened=1)])

    assert [1, 0, 1] == [len(r.records) for r in (first, again, reopened)]
    assert 2 == stage.counts[Reason.ALREADY_DONE]
    assert _key(1) == reopened.records[0].id


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (None, (State.SUCCEEDED, Reason.DONE)),
        ("server_error: HTTP 500", (State.FAILED, Reason.ACTION_FAILED)),
    ],
)
def test_a_result_is_recorded_once(failure: str | None, expected: tuple[State, Reason]) -> None:
    """The end of an action is recorded under its key with the time of the clock, and a second end is not."""
    stage = _stage()
    stage.apply([make_incident()])
    ended = Ended(key=_key(), at_ms=NOW, failure=failure)
    (record,) = stage.settle(ended).records

    assert (_key(), expected, NOW, failure or "", "POST https://ops/…") == (
        record.id,
        (record.state, record.reason),
        record.acted_at,
        record.detail,
        record.action,
    )
    assert ([], []) == stage.settle(ended)


def test_the_limit_refuses_once_and_lets_a_later_record_act() -> None:
    """What the limit held back is refused once, and done on a later record when the limit allows it."""
    stage = _stage(count=1)
    first = stage.apply([make_incident("a"), make_incident("b")])
    still = stage.apply([make_incident("b", time=T0 + 1_000)])
    later = stage.apply([make_incident("b", time=T0 + 60_000)])

    assert [INTENDED, (State.REFUSED, Reason.RATE_LIMITED)] == _reasons(first.records)
    assert ([], []) == still
    assert [INTENDED] == _reasons(later.records)


def test_nothing_is_done_about_what_is_over() -> None:
    """Where the same batch shows the resolve, as after an outage, the playbook does not act."""
    records, actions = _stage().apply([make_incident(), make_incident(announce=ALL)])

    assert [(State.REFUSED, Reason.INCIDENT_RESOLVED)] == _reasons(records)
    assert [] == actions


def test_a_template_that_cannot_be_filled_fails() -> None:
    """An incident without a cause does not restart "": the action fails and names the template's fault."""
    records, actions = _stage().apply([make_incident(cause="")])

    assert [(State.FAILED, Reason.ACTION_FAILED)] == _reasons(records)
    assert "template: 'cause' is undefined" == records[0].detail
    assert [] == actions


def test_after_a_restart_a_call_is_made_once_more() -> None:
    """An HTTP call without a result is made again with the same key, and after the next restart no more."""
    stage = _stage()
    (call,) = stage.apply([make_incident()]).actions
    restored = _stage()
    restored.restore(stage.snapshot())
    again = restored.resume(NOW)
    third = _stage()
    third.restore(restored.snapshot())
    last = third.resume(NOW)

    assert ([], [call]) == again
    assert isinstance(call, HttpCall)
    assert [(State.FAILED, Reason.UNCONFIRMED)] == _reasons(last.records)
    assert [] == last.actions
    assert ([], []) == third.apply([make_incident()])


def test_after_a_restart_a_command_is_not_sent_again() -> None:
    """A record for Kafka without a result is recorded as unconfirmed: a person must look."""
    stage = _stage(KAFKA)
    stage.apply([make_incident()])
    restored = _stage(KAFKA)
    restored.restore(stage.snapshot())
    records, actions = restored.resume(NOW)

    assert [(State.FAILED, Reason.UNCONFIRMED)] == _reasons(records)
    assert NOW == records[0].acted_at
    assert [] == actions


def test_a_playbook_that_was_taken_away_does_not_act_after_a_restart() -> None:
    """An intent of a playbook that is gone, or is a dry run now, is not repeated."""
    stage = _stage()
    stage.apply([make_incident()])
    seen = []
    for restored in (RemediateStage([]), _stage(dry_run=True)):
        restored.restore(stage.snapshot())
        seen.append(restored.resume(NOW).actions)

    assert [[], []] == seen


def test_a_restart_forgets_nothing() -> None:
    """What was done is not done again after a restore, and the limit still counts."""
    stage = _stage(count=1)
    stage.apply([make_incident("a")])
    stage.settle(Ended(key=_key(), at_ms=NOW))
    restored = _stage(count=1)
    restored.restore(stage.snapshot())
    records, _ = restored.apply([make_incident("a"), make_incident("b")])

    assert [(State.REFUSED, Reason.RATE_LIMITED)] == _reasons(records)


def test_the_state_holds_no_secret() -> None:
    """Neither the snapshot nor the records hold the URL or a header."""
    stage = _stage()
    records, _ = stage.apply([make_incident()])

    assert TOKEN.encode() not in stage.snapshot()
    assert TOKEN not in repr(records)


@pytest.mark.parametrize(
    "blob", [b"", b"junk", b"\x84\xa1v\x63\xa4done\x80\xa7pending\x80\xa5times\x80"]
)
def test_a_state_that_cannot_be_read_is_refused(blob: bytes) -> None:
    """Junk and an unknown version are refused with a clear error."""
    with pytest.raises(CheckpointError, match="the remediator's state"):
        _stage().restore(blob)


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap the oldest remediation is forgotten."""
    monkeypatch.setattr(stage_module, "KEYS_MAX", 2)
    stage = _stage(dry_run=True)
    stage.apply([make_incident(name) for name in "abc"])

    assert [1, 0] == [len(stage.apply([make_incident(n)]).records) for n in "ac"]


def test_a_playbook_with_faults_is_refused() -> None:
    """The stage does not start with a playbook that cannot work."""
    with pytest.raises(ConfigError, match="unknown name 'x'"):
        _stage(KafkaAction(type="kafka", topic="ops", value="{{ x }}"))
