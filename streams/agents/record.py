"""RECORD's shell: incidents, notices, notifications and remediations into the history."""

from schemas import topics
from schemas.incidents import Incident
from schemas.notices import Notice
from schemas.notifications import Notification
from schemas.remediations import Remediation
from sinks.record import History
from streams.agents.reading import read_records
from streams.letters import Letters
from streams.stage import Figure, Outgoing
from streams.transport.chunk import Chunk


class RecordAgent:
    """Writes each chunk in one transaction; what is there already is left alone, so a replay does no harm."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._letters = Letters()

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """Keep the records of a chunk; what goes to tocsin.dead-letters."""
        match chunk.topic:
            case topics.INCIDENTS:
                incidents, refused = read_records(chunk, Incident, self._letters)
                self._history.record(incidents=incidents)
            case topics.NOTICES:
                notices, refused = read_records(chunk, Notice, self._letters)
                self._history.record(notices=notices)
            case topics.NOTIFICATIONS:
                notifications, refused = read_records(chunk, Notification, self._letters)
                self._history.record(notifications=notifications)
            case topics.REMEDIATIONS:
                remediations, refused = read_records(chunk, Remediation, self._letters)
                self._history.record(remediations=remediations)
            case _:
                raise ValueError(f"record does not read {chunk.topic}")
        return refused

    def apply_event(self, event: object) -> list[Outgoing]:
        """Nothing is ever reported to this stage."""
        raise TypeError(f"record takes no events: {event!r}")

    def figures(self) -> list[Figure]:
        """Records refused."""
        return self._letters.figures()

    def snapshot(self) -> bytes:
        """Nothing: the history itself is the state, and writing twice changes nothing."""
        return b""

    def restore(self, blob: bytes) -> None:
        """Nothing to continue from."""
