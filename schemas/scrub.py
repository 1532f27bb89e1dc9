"""Scrub: personal data in texts, found and replaced by a hash of it, as `<email:1a2b3c4d5e6f>`.

Equal texts become equal hashes, so series stay apart and alike; with another key they become others. What is found is
the part that identifies, and what stands around it stays. Hashes are 48 bits of keyed BLAKE2b (RFC 7693): of 100,000
different values two become one with a chance of 2e-5.

It refuses to guess: names of people, and numbers that only look like those of cards, stay as they are.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import NamedTuple

from schemas.regex import Searcher
from schemas.sensitive import FINDERS, Finder, Kind

DIGEST_BYTES = 6
WINDOW_BYTES = 512
"""How much of a record is looked at for the beginning of it that is kept."""
MOST_LABELS = 100
OTHER = "other"
_IP = Kind.IP.value
ANNOTATIONS = "annotations"

IP_LABELS = (
    *(
        "address",
        "broker",
        "endpoint",
        "host",
        "host_ip",
        "host_name",
        "hostname",
        "instance",
        "ip",
    ),
    *(
        "node",
        "node_ip",
        "nodename",
        "peer",
        "pod",
        "pod_ip",
        "replica",
        "server",
        "server_address",
    ),
)
"""Labels that name machines in the usual producers: an address there is how operators find them."""


class Finding(NamedTuple):
    """Something personal from character `start` up to `end` of a text; `kind` is ours or a user pattern's name."""

    start: int
    end: int
    kind: str


class Scrubber:
    """Finds and replaces personal data.

    Attributes:
        counts: how many values were changed since the start of the process, by kind and label.

    """

    def __init__(
        self,
        key: bytes,
        *,
        kinds: Collection[Kind] = tuple(Kind),
        patterns: Mapping[str, str] | None = None,
        allow: Collection[str] = (),
        ip_labels: Collection[str] = IP_LABELS,
    ) -> None:
        """`patterns` are RE2 by the name of their kind; raises RegexError where one is none."""
        self._key = blake2b(key, digest_size=32).digest()
        own = sorted((patterns or {}).items())
        self._finders: list[tuple[str, Finder]] = [
            *((name, Searcher(pattern).spans) for name, pattern in own),
            *((kind.value, FINDERS[kind]) for kind in Kind if kind in kinds),
        ]
        self._allow, self._ip_labels = frozenset(allow), frozenset(ip_labels)
        self.counts: Counter[tuple[str, str]] = Counter()

    def find(self, text: str, *, keep_ip: bool = False) -> list[Finding]:
        """What is personal in a text, in its order; nothing overlaps. `keep_ip` says that addresses are not."""
        found: list[Finding] = []
        # a user's own patterns first, then in the order of `Kind`: a token may hold what looks like a mail address
        for kind, finder in self._finders:
            if keep_ip and kind == _IP:
                continue
            for start, end in finder(text):
                if all(end <= other.start or start >= other.end for other in found):
                    found.append(Finding(start, end, kind))
        return sorted(found) if found else found

    def labels(self, labels: Mapping[str, str], spared: Collection[str] = ()) -> dict[str, str]:
        """A label set without personal data; labels with the names in `spared` stay too."""
        out = dict(labels)
        for name, value in labels.items():
            if name in self._allow or name in spared:
                continue
            found = self.find(value, keep_ip=name in self._ip_labels)
            if found:
                out[name] = self._replaced(value, found)
                self._count(found, name)
        return out

    def annotations(
        self, annotations: Mapping[str, str], labels: Mapping[str, str]
    ) -> Mapping[str, str]:
        """An alert's annotations without personal data; what its own labels show by leave stays.

        Gives back the very mapping where there is nothing to change.
        """
        changed = {}
        for name, text in annotations.items():
            found = self.find(text)
            if found:
                shown = [labels.get(each, "") for each in (*self._allow, *self._ip_labels)]
                found = [f for f in found if not any(text[f.start : f.end] in s for s in shown)]
            if found:
                changed[name] = self._replaced(text, found)
                self._count(found, ANNOTATIONS)
        return {**annotations, **changed} if changed else annotations

    def text(self, text: str) -> str:
        """A text without personal data."""
        return self._replaced(text, self.find(text))

    def head(self, value: bytes, most: int) -> bytes:
        """The first bytes of a record, `most` at most, without personal data, whatever the record's encoding."""
        # a byte a character; what only begins within `most` is replaced whole
        window = value[: most + WINDOW_BYTES].decode("latin-1")
        found = [f for f in self.find(window) if f.start < most]
        if not found:
            return value[:most]
        end = max(most, found[-1].end)
        return self._replaced(window[:end], found).encode("latin-1")[:most]

    def _replaced(self, text: str, found: list[Finding]) -> str:
        parts, at = [], 0
        for start, end, kind in found:
            digest = blake2b(text[start:end].encode(), digest_size=DIGEST_BYTES, key=self._key)
            parts += [text[at:start], f"<{kind}:{digest.hexdigest()}>"]
            at = end
        return "".join([*parts, text[at:]])

    def _count(self, found: list[Finding], label: str) -> None:
        for kind in {finding.kind for finding in found}:
            known = (kind, label) in self.counts or len(self.counts) < MOST_LABELS
            self.counts[kind, label if known else OTHER] += 1
