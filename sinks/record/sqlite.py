"""The history in one SQLite file: incidents with every revision, notices, notifications, remediations.

One process writes, any number read meanwhile (write-ahead log). Writing is idempotent: a record replaces the one of the
same identity, a final revision a provisional one and never the other way round. A batch is written whole or not at all.

Incidents that ended long ago go, as event time moves on, and what they leave free in the file is written again; so the
file is bounded by what happens within the retention.

It refuses to guess: a file that is newer, not ours, locked or unwritable is an error that says so.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Self, TypeVar

from schemas.errors import TocsinError
from schemas.incidents import Incident
from schemas.notices import Notice
from schemas.notifications import Notification
from schemas.reasons import IncidentState
from schemas.records import Record, decode_record, encode_record
from schemas.remediations import Remediation
from sinks.record import schema

BUSY_SECONDS = 5.0
AMBIGUOUS_SHOWN = 5
SWEEPS = 100
"""Incidents to forget are looked for this often within the retention."""
# above any character of an id: the end of the range of ids that begin with a prefix
_LAST = "\U0010ffff"

R = TypeVar("R", bound=Record)


class HistoryError(TocsinError):
    """The history cannot be opened, read or written, or the question has no single answer."""


class IncidentHistory(NamedTuple):
    """An incident with all that was said and done about it, each in order of event time."""

    incident: Incident
    revisions: list[Incident]
    notifications: list[Notification]
    remediations: list[Remediation]
    notices: tuple[Notice, ...] = ()


class History:
    """An open history; may be used from several threads, one call at a time.

    Raises:
        HistoryError: the file cannot be opened; says why.

    """

    def __init__(
        self,
        path: str | Path,
        *,
        read_only: bool = False,
        busy_seconds: float = BUSY_SECONDS,
        retention_ms: int = 0,
    ) -> None:
        """`retention_ms` is how long an ended incident stays after its last change, 0 for ever."""
        self._path = Path(path)
        self._retention_ms = retention_ms
        self._swept_ms: int | None = None
        self._lock = Lock()
        if read_only and not self._path.exists():
            raise HistoryError(f"there is no history at {path}: nothing has been recorded yet")
        mode = "ro" if read_only else "rwc"
        with self._explained():
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=busy_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self._explained():
                problem = schema.prepare(self._connection, read_only=read_only)
        except HistoryError:
            self._connection.close()
            raise
        if problem is not None:
            self._connection.close()
            raise HistoryError(f"cannot use the history {path}: {problem}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def record(
        self,
        incidents: Iterable[Incident] = (),
        notifications: Iterable[Notification] = (),
        remediations: Iterable[Remediation] = (),
        notices: Iterable[Notice] = (),
    ) -> None:
        """Write records, in one transaction.

        Raises:
            HistoryError: the file is locked, full or unwritable; nothing of the batch is in it.

        """
        seen = [(i, encode_record(i)) for i in incidents]
        latest = [
            (i.id, i.tenant, i.state, i.severity, i.updated_at, i.revision, i.provisional, body)
            for i, body in seen
        ]
        revisions = [(i.id, i.revision, i.provisional, body) for i, body in seen]
        said = [(n.id, n.attempt, n.incident, n.time, encode_record(n)) for n in notifications]
        done = [(r.id, r.state, r.incident, r.time, encode_record(r)) for r in remediations]
        noticed = [
            (n.id, n.revision, incident, n.updated_at, encode_record(n))
            for n in notices
            for incident in n.incidents
        ]
        with self._lock, self._explained(), self._transaction() as connection:
            connection.executemany(schema.PUT_INCIDENT, latest)
            connection.executemany(schema.PUT_INCIDENT_RECORD, revisions)
            connection.executemany(schema.PUT_NOTIFICATION, said)
            connection.executemany(schema.PUT_REMEDIATION, done)
            connection.executemany(schema.PUT_NOTICE, noticed)
            if seen and self._retention_ms:
                self._forget(connection, max(incident.updated_at for incident, _ in seen))

    def _forget(self, connection: sqlite3.Connection, newest_ms: int) -> None:
        """Let incidents go that ended longer ago than the retention, if it is time to look for them."""
        due_ms = None if self._swept_ms is None else self._swept_ms + self._retention_ms // SWEEPS
        if due_ms is None or newest_ms >= due_ms:
            self._swept_ms = newest_ms
            for statement in schema.FORGET:
                connection.execute(
                    statement, (newest_ms - self._retention_ms, IncidentState.RESOLVED)
                )

    def list_incidents(
        self, *, state: IncidentState | None = None, tenant: str | None = None, limit: int = 100
    ) -> list[Incident]:
        """Incidents in their latest revision, the last changed first."""
        return self._read(
            Incident,
            "SELECT body FROM incidents WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR tenant = ?2)"
            " ORDER BY updated_at DESC, id LIMIT ?3",
            (state, tenant, limit),
        )

    def list_since(self, since: int) -> tuple[list[Incident], list[Notification]]:
        """Incidents that changed, in their latest revision, and notifications, from an event time on; by time."""
        incidents = "SELECT body FROM incidents WHERE updated_at >= ? ORDER BY updated_at, id"
        told = "SELECT body FROM notifications WHERE time >= ? ORDER BY time, id, attempt"
        return self._read(Incident, incidents, (since,)), self._read(Notification, told, (since,))

    def get_incident(self, prefix: str) -> IncidentHistory | None:
        """The incident whose id begins with this, None where there is none.

        Raises:
            HistoryError: several begin with it.

        """
        found = self._read(
            Incident,
            "SELECT body FROM incidents WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
            (prefix, prefix + _LAST, AMBIGUOUS_SHOWN),
        )
        if not found:
            return None
        if len(found) > 1 and found[0].id != prefix:
            ids = ", ".join(i.id for i in found)
            raise HistoryError(f"several incidents begin with {prefix!r}: {ids}")
        one = (found[0].id,)
        revisions = "SELECT body FROM incident_records WHERE id = ? ORDER BY revision"
        by_time = "SELECT body FROM {} WHERE incident = ? ORDER BY time, id, {}"
        return IncidentHistory(
            found[0],
            self._read(Incident, revisions, one),
            self._read(Notification, by_time.format("notifications", "attempt"), one),
            # an intent and its result have one time: "intended" is written first, and sorts before what follows
            self._read(Remediation, by_time.format("remediations", "state != 'intended'"), one),
            self._notices(found[0].id),
        )

    def _notices(self, incident: str) -> tuple[Notice, ...]:
        with self._lock, self._explained():
            there = self._connection.execute(schema.HAS_NOTICES).fetchone()
        query = "SELECT body FROM notices WHERE incident = ? ORDER BY time, id, revision"
        return tuple(self._read(Notice, query, (incident,))) if there else ()

    def _read(self, kind: type[R], query: str, values: tuple[object, ...]) -> list[R]:
        with self._lock, self._explained():
            rows = self._connection.execute(query, values).fetchall()
        return [decode_record(body, kind) for (body,) in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into ours, with the path and, where we know it, what to do."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            hint = next((h for code, h in _HINTS.items() if name.startswith(code)), str(error))
            raise HistoryError(f"history {self._path}: {hint}") from error


_HINTS = {
    "SQLITE_BUSY": "it is locked by another process that writes to it",
    "SQLITE_LOCKED": "it is locked by another process that writes to it",
    "SQLITE_CANTOPEN": "it cannot be opened; does its folder exist, and may we write there?",
    "SQLITE_READONLY": "it cannot be written; check its permissions and those of its folder",
    "SQLITE_NOTADB": "it is no SQLite file",
    "SQLITE_CORRUPT": "it is damaged; restore a copy, or remove it and record anew",
    "SQLITE_FULL": "the disk is full",
}
