"""What two runs wrote and said, held against each other record by record."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Any, NamedTuple

SHOWN_LINES = 40


class Difference(NamedTuple):
    """One thing that differs: which, and how it was in the undisturbed and in the disturbed run."""

    what: str
    calm: str
    storm: str

    def __str__(self) -> str:
        lines = unified_diff(
            self.calm.splitlines(),
            self.storm.splitlines(),
            "undisturbed",
            "disturbed",
            lineterm="",
            n=2,
        )
        return "\n".join([self.what, *list(lines)[:SHOWN_LINES]])


@dataclass
class Written:
    """What a run left behind.

    Attributes:
        records: final records of tocsin.incidents by incident and revision; more than one only by a fault.
        last: revision of the last record that the topic has of each incident.
        pages: bodies that the receiver accepted, by idempotency key.
        repeated: records that came more than once.

    """

    records: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    pages: dict[str, list[bytes]] = field(default_factory=dict)
    repeated: int = 0

    @classmethod
    def of(cls, incidents: Iterable[bytes], pages: Mapping[str, list[bytes]]) -> "Written":
        """From the topic's records, in the order of its offsets, and the receiver."""
        found = cls(pages=dict(pages))
        for value in incidents:
            told = json.loads(value)
            if told["provisional"]:
                continue
            values = found.records.setdefault((told["id"], told["revision"]), [])
            if value in values:
                found.repeated += 1
            else:
                values.append(value)
            found.last[told["id"]] = told["revision"]
        return found

    @property
    def incidents(self) -> int:
        """Incidents."""
        return len(self.last)

    @property
    def announced(self) -> int:
        """Announcements that the records ask for."""
        return sum(
            json.loads(values[0])["announce"] is not None for values in self.records.values()
        )

    def open_of(self, group: str) -> int:
        """Incidents whose group key holds this text."""
        return sum(
            revision == 1 and group in json.loads(values[0])["group_key"]
            for (_, revision), values in self.records.items()
        )


def compare(calm: Written, storm: Written) -> list[Difference]:
    """Every difference; none where the two cannot be told apart but by repetitions."""
    found = []
    for key in sorted(calm.records.keys() | storm.records.keys()):
        one, other = calm.records.get(key, []), storm.records.get(key, [])
        if sorted(one) != sorted(other):
            what = f"incident {key[0]}, record {key[1]}"
            found.append(Difference(what, _text(one), _text(other)))
    for incident, revision in sorted(storm.last.items()):
        highest = max(number for key, number in storm.records if key == incident)
        if revision != highest:
            what = f"incident {incident}: the last record is not the newest"
            found.append(Difference(what, str(highest), str(revision)))
    for key in sorted(calm.pages.keys() | storm.pages.keys()):
        one, other = calm.pages.get(key, []), storm.pages.get(key, [])
        if sorted(one) != sorted(other):
            found.append(Difference(f"page {key}", _text(one), _text(other)))
    return found


def _text(values: Iterable[bytes]) -> str:
    shown: list[Any] = [json.loads(value) for value in values]
    return "\n".join(json.dumps(value, indent=1, sort_keys=True) for value in shown) or "(nothing)"
