"""The promise: final records are a function of what each source said, not of how it was interleaved."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert, Tick
from schemas.errors import CheckpointError
from schemas.incidents import Incident
from streams.correlate import Correlator
from tests.correlate.sample import (
    MINUTE,
    SERVICES,
    T0,
    S,
    latest,
    make_alert,
    make_correlator,
    make_tick,
    resolved,
    run,
)

SOURCES = 3
Log = list[Alert | Tick]


@st.composite
def source_log(draw: st.DrawFn, source: int) -> Log:
    """What one detect partition sends: alerts that fire and resolve, ticks between, one last tick."""
    log: Log = []
    firing: list[Alert] = []
    at = 0
    for _ in range(draw(st.integers(0, 12))):
        at += draw(st.sampled_from((0, 15, 60, 100))) * S
        what = draw(st.sampled_from(("fire", "fire", "end", "tick")))
        if what == "tick":
            log.append(make_tick(at, source))
            at += 1 * S
        elif what == "end" and firing:
            log.append(resolved(firing.pop(0), at))
        else:
            alert = make_alert(
                f"{draw(st.sampled_from(SERVICES))}",
                at,
                source=source,
                tenant=draw(st.sampled_from(("acme", "globex"))),
                urgent=draw(st.booleans()),
                name=draw(st.sampled_from(("LatencyHigh", "TrafficLow"))),
                instance=str(source),
            )
            log.append(alert)
            firing.append(alert)
    return [*log, make_tick(at + 60 * MINUTE, source)]


@st.composite
def logs(draw: st.DrawFn) -> list[Log]:
    """What all sources send."""
    return [draw(source_log(n)) for n in range(SOURCES)]


@st.composite
def interleaved(draw: st.DrawFn, each: Sequence[Log]) -> Log:
    """One order in which they may be read, each source's own kept, parts of it sent again at any time."""
    places = [0] * len(each)
    out: Log = []
    while any(p < len(log) for p, log in zip(places, each, strict=True)):
        open_ones = [i for i, log in enumerate(each) if places[i] < len(log)]
        source = draw(st.sampled_from(open_ones))
        out.append(each[source][places[source]])
        places[source] += 1
        if draw(st.integers(0, 4)) == 0:
            # a restarted worker goes back to its checkpoint
            places[source] -= draw(st.integers(0, min(3, places[source])))
    return out


def final(records: Sequence[Incident]) -> list[bytes]:
    """The final records as bytes."""
    return [msgspec.json.encode(r) for r in records if not r.provisional]


def make() -> Correlator:
    return make_correlator(sources=SOURCES, group_interval=MINUTE)


@settings(max_examples=60)
@given(st.data())
def test_final_records_do_not_depend_on_interleaving(data: st.DataObject) -> None:
    """Any interleaving of the sources, with any part sent again, gives the same final records, byte for byte."""
    each = data.draw(logs())
    expected = final(run(make(), [record for log in each for record in log]))

    assert expected == final(run(make(), data.draw(interleaved(each))))


@settings(max_examples=40)
@given(st.data())
def test_restored_correlator_goes_on_as_if_nothing_happened(data: st.DataObject) -> None:
    """After a snapshot and a restore at any record, all further records and the next snapshot are the same."""
    log = data.draw(interleaved(data.draw(logs())))
    cut = data.draw(st.integers(0, len(log)))
    unbroken = make()
    run(unbroken, log[:cut])
    restored = make()
    restored.restore(unbroken.snapshot())

    assert unbroken.snapshot() == restored.snapshot()
    assert run(unbroken, log[cut:]) == run(restored, log[cut:])
    assert unbroken.snapshot() == restored.snapshot()


@settings(max_examples=40)
@given(st.data())
def test_nothing_is_left_open_downstream(data: st.DataObject) -> None:
    """When all alerts have ended, the last record of every id says resolved, provisional ones included."""
    each = data.draw(logs())
    for source, log in enumerate(each):
        end = log.pop().time
        firing = {a.fingerprint: a for a in log if isinstance(a, Alert)}
        log += [resolved(a, end - T0 + 1) for a in firing.values() if a.state.value == "firing"]
        log.append(make_tick(end - T0 + 600 * MINUTE, source))
    records = run(make(), data.draw(interleaved(each)))

    assert {"resolved"} >= {r.state.value for r in latest(records)}


@settings(max_examples=40)
@given(st.data())
def test_revisions_and_announcements_count_up(data: st.DataObject) -> None:
    """Final records of an incident are numbered without a hole; an announcement's number is used once."""
    records = run(make(), data.draw(interleaved(data.draw(logs()))))
    for identity in {r.id for r in records}:
        mine = [r for r in records if r.id == identity and not r.provisional]
        told = [r.announcement for r in mine if r.announce]

        assert list(range(1, len(mine) + 1)) == [r.revision for r in mine]
        assert list(range(1, len(told) + 1)) == told


def test_tenants_never_meet() -> None:
    """Equal labels of two tenants, connected or not, make two incidents; hostile names change nothing."""
    correlator = make_correlator()
    tenants = ("acme", 'acme", service="cart', "{}", "a\x00b")
    alerts = [make_alert(s, 0, tenant=t) for t in tenants for s in ("cart", "cart-cache")]
    records = run(correlator, [*alerts, make_tick(MINUTE)])

    assert sorted(tenants) == sorted(r.tenant for r in records)
    assert all({a.alert.tenant for a in r.alerts} == {r.tenant} for r in records)


@pytest.mark.parametrize("blob", [b"", b"{}", b"\xff", b'{"correlator": 2}', b'{"correlator": 1}'])
def test_bad_snapshot_is_refused(blob: bytes) -> None:
    """What is no snapshot, or one of another version, raises the error that the shell knows."""
    with pytest.raises(CheckpointError, match="snapshot of the correlator"):
        make().restore(blob)
