"""The promise, with people talking: where a command stands in the log changes nothing, nor does a restart."""

from bisect import bisect_left
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertRecord, Tick
from schemas.commands import Command, Verb
from schemas.incidents import Incident
from schemas.records import encode_record
from streams.correlate import Correlator
from tests.correlate.sample import (
    MINUTE,
    T0,
    S,
    make_alert,
    make_command,
    make_correlator,
    make_tick,
    resolved,
    run,
)

SERVICES = ("billing", "warehouse", "orders", "orders-db", "cart")
VERBS = (*(v for v in Verb if v.of_incident), Verb.HOLD, Verb.RELEASE)


def make() -> Correlator:
    return make_correlator(
        sources=2,
        group_interval=MINUTE,
        repeat_interval=3 * MINUTE,
        flapping={"restarts": 2, "window": 600_000},
        storm={"pages": 2, "per": 120_000},
        split_on_severity=True,
        stale_after=30 * MINUTE,
    )


@st.composite
def alerts(draw: st.DrawFn) -> list[AlertRecord]:
    """What two detect partitions send, by time, with a last tick of both."""
    log: list[AlertRecord] = []
    at = 0
    for _ in range(draw(st.integers(1, 14))):
        at += draw(st.sampled_from((0, 15, 40, 100))) * S
        source = draw(st.integers(0, 1))
        alert = make_alert(
            draw(st.sampled_from(SERVICES)),
            at,
            source=source,
            tenant=draw(st.sampled_from(("acme", "globex"))),
            urgent=draw(st.booleans()),
            severity=draw(st.sampled_from(("critical", "warning"))),
            instance=str(source),
        )
        log.append(resolved(alert, at) if draw(st.integers(0, 2)) == 0 else alert)
        if draw(st.booleans()):
            log += [make_tick(at, 0), make_tick(at, 1)]
            at += S
    end = at + 90 * MINUTE
    return [*log, make_tick(end, 0), make_tick(end, 1)]


@st.composite
def commands(draw: st.DrawFn, known: Sequence[Incident]) -> list[Command]:
    """What people say about incidents that there will be, and about others."""
    ids = sorted({r.id for r in known}) or ["none"]
    out = []
    for n in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, 30)) * 37 * S + n
        verb = draw(st.sampled_from(VERBS))
        subject = draw(st.sampled_from((*ids, "bob"))) if verb.of_incident else ""
        out.append(
            make_command(
                verb,
                at,
                draw(st.sampled_from(ids)) if verb.of_incident else "",
                tenant=draw(st.sampled_from(("acme", "acme", "globex"))),
                subject=subject,
                text=draw(st.sampled_from(("", "why"))),
                until=at + 5 * MINUTE if verb is Verb.HOLD else None,
            )
        )
    return out


@st.composite
def mixed(
    draw: st.DrawFn, log: Sequence[AlertRecord], said: Sequence[Command]
) -> list[AlertRecord]:
    """The log with each command anywhere before the ticks that pass its time."""
    passed, ticked = [], [T0 - 1, T0 - 1]
    for record in log:
        if isinstance(record, Tick):
            ticked[record.source] = max(ticked[record.source], record.time)
        passed.append(min(ticked))
    placed = [(draw(st.integers(0, bisect_left(passed, c.time))), c) for c in said]
    out: list[AlertRecord] = []
    for n, record in enumerate(log):
        out += [c for place, c in placed if place == n]
        out.append(record)
    return out


def final(records: Sequence[Incident]) -> list[bytes]:
    """The final records as bytes."""
    return [encode_record(r) for r in records if not r.provisional]


@settings(max_examples=60)
@given(st.data())
def test_place_of_a_command_in_the_log_changes_nothing(data: st.DataObject) -> None:
    """It takes effect at its own time; final records are the same bytes wherever it was read before that."""
    log = data.draw(alerts())
    said = data.draw(commands(run(make(), log)))
    expected = final(run(make(), [*said, *log]))

    assert expected == final(run(make(), data.draw(mixed(log, said))))


@settings(max_examples=40)
@given(st.data())
def test_restart_among_commands_changes_nothing(data: st.DataObject) -> None:
    """After a snapshot and a restore at any record, all further records and the next snapshot are the same."""
    log = data.draw(alerts())
    whole = data.draw(mixed(log, data.draw(commands(run(make(), log)))))
    cut = data.draw(st.integers(0, len(whole)))
    unbroken, restored = make(), make()
    run(unbroken, whole[:cut])
    unbroken.take_refusals()
    restored.restore(unbroken.snapshot())

    assert run(unbroken, whole[cut:]) == run(restored, whole[cut:])
    assert unbroken.take_refusals() == restored.take_refusals()
    assert unbroken.snapshot() == restored.snapshot()


@settings(max_examples=40)
@given(st.data())
def test_records_of_an_incident_go_forward_in_time(data: st.DataObject) -> None:
    """Final records are numbered without a hole, in the order of event time; an announcement's number is used once."""
    log = data.draw(alerts())
    records = run(make(), [*data.draw(commands(run(make(), log))), *log])
    for identity in {r.id for r in records}:
        mine = [r for r in records if r.id == identity and not r.provisional]
        numbers = [r.announcement for r in mine if r.announce]

        assert list(range(1, len(mine) + 1)) == [r.revision for r in mine]
        assert sorted(r.updated_at for r in mine) == [r.updated_at for r in mine]
        assert sorted(set(numbers)) == numbers
