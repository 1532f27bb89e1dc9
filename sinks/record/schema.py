"""The tables of the history and their version.

Each table keeps the whole record in `body` and, beside it, what is asked for. The primary key is the record's identity,
so writing a record again changes nothing.

It refuses a file of another program and one of a newer version.
"""

import sqlite3

VERSION = 2
"""2 has the table `notices`; a file of version 1 gets it when a recorder opens it."""
# "tocs": tells our file from any other SQLite file (https://www.sqlite.org/pragma.html#pragma_application_id)
APPLICATION = 0x746F6373

_TABLES = """
CREATE TABLE IF NOT EXISTS incidents (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL,
    updated_at INTEGER NOT NULL, revision INTEGER NOT NULL, provisional INTEGER NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS incidents_by_time ON incidents (updated_at DESC, id);
CREATE TABLE IF NOT EXISTS incident_records (
    id TEXT NOT NULL, revision INTEGER NOT NULL, provisional INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (id, revision)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notifications (
    id TEXT NOT NULL, attempt INTEGER NOT NULL, incident TEXT NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (id, attempt)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notifications_by_incident ON notifications (incident, time);
CREATE TABLE IF NOT EXISTS remediations (
    id TEXT NOT NULL, state TEXT NOT NULL, incident TEXT NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (id, state)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS remediations_by_incident ON remediations (incident, time);
CREATE TABLE IF NOT EXISTS notices (
    id TEXT NOT NULL, revision INTEGER NOT NULL, incident TEXT NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (id, revision, incident)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notices_by_incident ON notices (incident, time);
"""

PUT_INCIDENT = """
INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    tenant = excluded.tenant, state = excluded.state, severity = excluded.severity, updated_at = excluded.updated_at,
    revision = excluded.revision, provisional = excluded.provisional, body = excluded.body
WHERE (excluded.revision, -excluded.provisional) >= (revision, -provisional)
"""
PUT_INCIDENT_RECORD = """
INSERT INTO incident_records VALUES (?, ?, ?, ?)
ON CONFLICT (id, revision) DO UPDATE SET provisional = excluded.provisional, body = excluded.body
WHERE excluded.provisional <= provisional
"""
PUT_NOTIFICATION = "INSERT OR REPLACE INTO notifications VALUES (?, ?, ?, ?, ?)"
PUT_REMEDIATION = "INSERT OR REPLACE INTO remediations VALUES (?, ?, ?, ?, ?)"
PUT_NOTICE = "INSERT OR REPLACE INTO notices VALUES (?, ?, ?, ?, ?)"
_ENDED = "SELECT id FROM incidents WHERE updated_at < ?1 AND state = ?2"
FORGET = tuple(
    f"DELETE FROM {table} WHERE {column} IN ({_ENDED})"  # noqa: S608 - our own names
    for table, column in (
        ("incident_records", "id"),
        ("notifications", "incident"),
        ("remediations", "incident"),
        ("notices", "incident"),
        ("incidents", "id"),  # the others are found by it
    )
)
"""Takes an event time and a state: incidents in that state that have not changed since go, with all about them."""
HAS_NOTICES = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'notices'"


def prepare(connection: sqlite3.Connection, *, read_only: bool) -> str | None:
    """Make the tables of a new file; says why a file cannot be used, None when it can."""
    if not read_only:
        # readers go on while the one writer writes; a power cut may lose the last batch, which is then read again
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    version, application = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("user_version", "application_id")
    )
    if application == APPLICATION:
        if version > VERSION:
            return f"it has version {version}, and this Tocsin knows {VERSION}: upgrade"
        if version < VERSION and not read_only:
            _make(connection)
        return None
    if version or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return "it is a database of another program"
    if read_only:
        return "nothing has been recorded yet"
    _make(connection)
    return None


def _make(connection: sqlite3.Connection) -> None:
    """Make the tables that are not there yet."""
    connection.executescript(
        f"BEGIN IMMEDIATE;{_TABLES}"
        f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
    )
