"""The history in SQLite."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from schemas.incidents import Incident
from schemas.notices import Notice
from schemas.notifications import Notification
from schemas.reasons import (
    AnnounceReason,
    DeliveryReason,
    IncidentState,
    RemediationReason,
    RemediationState,
)
from schemas.remediations import Remediation
from sinks.record import History, HistoryError
from tests.sinks.sample import ADDED, ALL, T0, make_incident


def _said(attempt: int = 1, *, final: bool = True) -> Notification:
    return Notification(
        id="n1",
        incident=make_incident().id,
        tenant="shop",
        receiver="hook",
        announce=AnnounceReason.FIRST_NOTIFICATION,
        reason=DeliveryReason.DELIVERED if final else DeliveryReason.TIMED_OUT,
        final=final,
        attempt=attempt,
        time=T0,
    )


def _done(state: RemediationState = RemediationState.INTENDED) -> Remediation:
    return Remediation(
        id="r1",
        incident=make_incident().id,
        tenant="shop",
        playbook="p",
        state=state,
        reason=RemediationReason.MATCHED,
        action="POST https://ops/…",
        time=T0,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history of 100%.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with History(path) as opened:
        yield opened


def test_what_is_recorded_can_be_read(history: History) -> None:
    """An incident comes back with its revisions, notifications and remediations, in order."""
    records = [make_incident(), make_incident(announce=ADDED, announcement=2, time=T0 + 1)]
    said = [_said(1, final=False), _said(2)]
    done = [_done(), _done(RemediationState.FAILED)]
    history.record(records, said, done[::-1])

    found = history.get_incident(records[0].id)

    assert (records[1], records, said, done, ()) == found


def test_recording_again_changes_nothing(history: History) -> None:
    """The same records written twice are there once."""
    for _ in range(2):
        history.record([make_incident()], [_said()], [_done()])

    assert (make_incident(), [make_incident()], [_said()], [_done()], ()) == history.get_incident(
        make_incident().id
    )


def test_what_ended_long_ago_is_forgotten_with_all_about_it(path: Path) -> None:
    """As event time moves on; what is open stays, and so does whatever is younger."""
    ended = make_incident("old", announce=ALL, time=T0)
    still = make_incident("open", time=T0)
    recent = make_incident("recent", announce=ALL, time=T0 + 50_000)
    said = structs.replace(_said(), incident=ended.id)
    done = structs.replace(_done(), incident=ended.id)
    with History(path, retention_ms=100_000) as history:
        history.record([ended, still, recent], [said], [done], [make_notice(ended.id)])
        assert (1,) * 5 == tuple(_rows_of(path, ended.id).values())
        history.record([make_incident("new", time=ended.updated_at + 100_001)])

        assert history.get_incident(ended.id) is None
        kept = {incident.id for incident in history.list_incidents()}
        assert {still.id, recent.id} < kept
        assert (0,) * 5 == tuple(_rows_of(path, ended.id).values())


@pytest.mark.parametrize(("retention_ms", "grows"), [(10_000, False), (0, True)])
def test_a_history_that_forgets_stops_growing(path: Path, retention_ms: int, grows: bool) -> None:
    """The file takes what the retention holds, however long it goes on; one that never forgets grows and grows."""
    sizes = []
    with History(path, retention_ms=retention_ms) as history:
        for turn in range(40):
            time = T0 + turn * 2_000
            names = (f"{turn}-{number}" for number in range(20))
            history.record([make_incident(name, announce=ALL, time=time) for name in names])
            sizes.append(path.stat().st_size + path.with_name(f"{path.name}-wal").stat().st_size)
    assert grows is (max(sizes[20:]) > 1.1 * max(sizes[:20]))


def test_without_a_retention_nothing_goes(path: Path) -> None:
    """0 is for ever."""
    old = make_incident("old", announce=ALL, time=T0)
    with History(path, retention_ms=0) as history:
        history.record([old])
        history.record([make_incident("new", time=2 * T0)])
        assert history.get_incident(old.id) is not None


def _rows_of(path: Path, incident: str) -> dict[str, int]:
    """How many rows each table has about an incident."""
    columns = {
        "incidents": "id",
        "incident_records": "id",
        "notifications": "incident",
        "remediations": "incident",
        "notices": "incident",
    }
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(
                f"SELECT count(*) FROM {table} WHERE {column} = ?",
                (incident,),
            ).fetchone()[0]
            for table, column in columns.items()
        }


@given(
    order=st.permutations(
        [
            make_incident(provisional=True, cause="guess"),
            make_incident(),
            make_incident(announce=ADDED, announcement=2),
            make_incident(announce=ALL, announcement=3),
        ]
    )
)
def test_the_final_and_latest_revision_wins(order: list[Incident]) -> None:
    """In whatever order records come, the latest final revision is the incident."""
    with TemporaryDirectory() as folder, History(f"{folder}/x.db") as history:
        history.record(order[:2])
        history.record(order[2:])
        found = history.get_incident(order[0].id)
        listed = history.list_incidents()

    assert found is not None
    assert [found.incident] == listed
    assert (IncidentState.RESOLVED, [1, 2, 3], False) == (
        found.incident.state,
        [r.revision for r in found.revisions],
        any(r.provisional for r in found.revisions),
    )


def test_incidents_are_listed_by_time_state_and_tenant(history: History) -> None:
    """The last changed comes first; state, tenant and limit narrow the list."""
    a, b = make_incident("a"), make_incident("b", announce=ALL, time=T0 + 5)
    c = make_incident("c", tenant="bank", time=T0 + 9)
    history.record([a, b, c])

    assert [c, b, a] == history.list_incidents()
    assert [c, a] == history.list_incidents(state=IncidentState.OPEN)
    assert [b, a] == history.list_incidents(tenant="shop")
    assert [c] == history.list_incidents(limit=1)


def test_a_prefix_names_an_incident(history: History) -> None:
    """An id may be cut short while it is unique; otherwise the candidates are named."""
    ids = sorted(make_incident(n).id for n in "abc")
    history.record([make_incident(n) for n in "abc"])
    found = history.get_incident(ids[0][:6])

    assert found is not None
    assert ids[0] == found.incident.id
    assert history.get_incident("zz") is None
    with pytest.raises(HistoryError, match=f"several incidents begin with '': {', '.join(ids)}"):
        history.get_incident("")


def test_a_batch_is_written_whole_or_not_at_all(history: History) -> None:
    """A batch that fails in the middle leaves nothing behind, and the next one is written."""

    class Odd(Notification, frozen=True, kw_only=True):
        attempt: int = 2**70

    odd = Odd(**{f: getattr(_said(), f) for f in Notification.__struct_fields__ if f != "attempt"})
    with pytest.raises(OverflowError):
        history.record([make_incident("a")], [odd])
    history.record([make_incident("b")])

    assert [make_incident("b")] == history.list_incidents()


def test_a_reader_sees_what_the_writer_wrote(history: History, path: Path) -> None:
    """A second, read-only connection sees the records while the writer is open, and cannot write."""
    history.record([make_incident()])
    with History(path, read_only=True) as reader:
        assert [make_incident()] == reader.list_incidents()
        with pytest.raises(HistoryError, match="cannot be written"):
            reader.record([make_incident("b")])


def test_it_may_be_used_from_another_thread(history: History) -> None:
    """The recorder's thread may write what another thread opened."""
    thread = threading.Thread(target=history.record, args=([make_incident()],))
    thread.start()
    thread.join()

    assert [make_incident()] == history.list_incidents()


def test_it_is_there_after_it_was_closed(path: Path) -> None:
    """The history is kept in the file."""
    with History(path) as history:
        history.record([make_incident()])
    with History(path) as history:
        assert [make_incident()] == history.list_incidents()


def test_a_newer_file_is_refused(path: Path) -> None:
    """A file of a later version is left alone, and the error says what to do."""
    with History(path):
        pass
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()

    with pytest.raises(HistoryError, match="it has version 99, and this Tocsin knows 2: upgrade"):
        History(path)


def test_a_file_of_another_program_is_refused(path: Path) -> None:
    """A database that is not ours is not written to."""
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE songs (title TEXT)")
    raw.close()

    with pytest.raises(HistoryError, match="a database of another program"):
        History(path)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    """Junk is refused with a clear error."""
    path.write_bytes(b"junk" * 1000)

    with pytest.raises(HistoryError, match="it is no SQLite file"):
        History(path)


def test_a_locked_file_is_an_error_that_says_so(history: History, path: Path) -> None:
    """When another process writes for too long, the error says that the file is locked."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with History(path, busy_seconds=0.01) as second, pytest.raises(HistoryError, match="locked"):
        second.record([make_incident()])
    other.close()

    assert [] == history.list_incidents()


def test_a_folder_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    """A path that cannot be opened is named with what to look at."""
    with pytest.raises(HistoryError, match="does its folder exist"):
        History(tmp_path / "missing" / "x.db")


def test_reading_before_anything_was_recorded(path: Path) -> None:
    """A reader of a file that is not there, or is empty, is told that nothing has been recorded."""
    with pytest.raises(HistoryError, match="nothing has been recorded yet"):
        History(path, read_only=True)
    path.touch()
    with pytest.raises(HistoryError, match="nothing has been recorded yet"):
        History(path, read_only=True)


def make_notice(*incidents: str, revision: int = 1) -> Notice:
    """What a receiver was told of alerts of these incidents."""
    told = {f: getattr(make_incident("n"), f) for f in make_incident("n").__struct_fields__}
    return Notice(
        **told | {"revision": revision}, receiver="ann", route="route.routes.0", incidents=incidents
    )


def test_notices_stand_with_each_of_their_incidents(tmp_path: Path) -> None:
    """In order, written twice as once; an incident of which nobody was told has none."""
    a, b = make_incident("a"), make_incident("b")
    with History(tmp_path / "h.db") as history:
        history.record(incidents=[a, b, make_incident("c")])
        for _ in range(2):
            history.record(notices=[make_notice(a.id, b.id), make_notice(a.id, revision=2)])
        found = [history.get_incident(i.id) for i in (a, b, make_incident("c"))]

    assert [[1, 2], [1], []] == [[n.revision for n in f.notices] for f in found if f]


def test_file_of_version_1_is_read_and_upgraded(tmp_path: Path) -> None:
    """A reader finds no notices in it; a recorder gives it the table, and keeps what is there."""
    path = tmp_path / "h.db"
    with History(path) as history:
        history.record(incidents=[make_incident("a")])
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TABLE notices")
        raw.execute("PRAGMA user_version = 1")
    identity = make_incident("a").id
    with History(path, read_only=True) as history:
        before = history.get_incident(identity)
    with History(path) as history:
        history.record(notices=[make_notice(identity)])
        after = history.get_incident(identity)

    assert before is not None
    assert after is not None
    assert () == before.notices
    assert ["ann"] == [n.receiver for n in after.notices]
