"""Buffer: samples that a service has recorded and the brokers have not confirmed, never more than so many.

Any thread puts samples in, one takes them out in the order in which they came. Each sample is counted once: as queued,
and then as sent or as dropped with a reason. Over the bound the newest is dropped, so what goes out has no holes before
the last one. It never waits for a broker, and refuses nothing with an exception: no service is to fail by its figures.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.labels import METRIC, encode_labels, fingerprint_bytes, home, make_labels
from schemas.reasons import ProduceReason
from schemas.wire.columns import MILLISECONDS_BELOW


class Series(NamedTuple):
    """A series as it goes out: canonical labels with the metric's name, their fingerprint, and both apart."""

    encoded: bytes
    fingerprint: int
    metric: str
    labels: Mapping[str, str]


class SeriesTable:
    """Series by number, and the partition where each is at home."""

    def __init__(self, place: Callable[[Mapping[str, str], int], int]) -> None:
        self.rows: list[Series] = []
        self._place = place
        self._homes: dict[int, list[int]] = {}

    def homes(self, numbers: NDArray[np.int64], partitions: int) -> NDArray[np.int64]:
        """Partition of each of these series, of so many."""
        known = self._homes.setdefault(partitions, [])
        known += [self._place(row.labels, partitions) for row in self.rows[len(known) :]]
        return np.array(known, np.int64)[numbers]


class Taken(NamedTuple):
    """Samples on their way: number of the series in the table, time in ms, value."""

    table: SeriesTable
    numbers: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


class Stats(NamedTuple):
    """What became of the samples so far."""

    sent: int
    queued: int
    dropped: Mapping[ProduceReason, int]


class Buffer:
    """Samples between a service and its sender.

    Attributes:
        most_samples: how many may be queued: recorded, and neither sent nor dropped.
        most_series: label sets that are remembered between two turns of the sender.

    """

    def __init__(
        self,
        *,
        most_samples: int,
        most_series: int,
        locality: tuple[str, ...],
        tenant_label: str,
        default_tenant: str,
    ) -> None:
        if most_samples < 1 or most_series < 1:
            raise ValueError("a buffer needs room for one sample and one series")
        self.most_samples, self.most_series = most_samples, most_series

        def place(labels: Mapping[str, str], partitions: int) -> int:
            tenant = labels.get(tenant_label) or default_tenant
            return home(tenant, labels, locality, partitions)

        self._place = place
        self._changed = threading.Condition()
        self._closed = False
        self._queued = self._sent = self._settled = 0
        self._dropped: Counter[ProduceReason] = Counter()
        self._forget()
        self._clear()

    def _forget(self) -> None:
        self._table = SeriesTable(self._place)
        self._number_of: dict[tuple[object, ...], int] = {}

    def _clear(self) -> None:
        self._numbers: list[int] = []
        self._times: list[int] = []
        self._values: list[float] = []

    def put(self, metric: str, labels: Mapping[str, str], time_ms: int, value: float) -> int:
        """Take in a sample, and say how many wait to be taken; or drop and count it, and say 0."""
        key = (metric, *labels.items())
        with self._changed:
            reason = self._fault(time_ms, value)
            if reason is None:
                try:
                    number = self._number_of.get(key)
                    if number is None:
                        number = self._add(key, metric, labels)
                except (TypeError, ValueError):
                    reason = ProduceReason.BAD_SERIES
                else:
                    self._numbers.append(number)
                    self._times.append(int(time_ms))
                    self._values.append(float(value))
                    self._queued += 1
                    return len(self._numbers)
            self._dropped[reason] += 1
            return 0

    def _fault(self, time_ms: int, value: float) -> ProduceReason | None:
        if self._closed:
            return ProduceReason.CLOSED
        if self._queued >= self.most_samples:
            return ProduceReason.BUFFER_FULL
        try:
            if not 0 <= time_ms < MILLISECONDS_BELOW:
                return ProduceReason.BAD_TIME
        except TypeError:
            return ProduceReason.BAD_TIME
        try:
            return None if isfinite(value) else ProduceReason.NOT_FINITE
        except (TypeError, ValueError, OverflowError):
            return ProduceReason.NOT_FINITE

    def _add(self, key: tuple[object, ...], metric: Any, labels: Mapping[Any, Any]) -> int:
        """Number of a new series of whatever the service says; TypeError or ValueError where it can be none."""
        for name, text in labels.items():
            if not isinstance(name, str) or not isinstance(text, str):
                raise TypeError(f"label {name!r} = {text!r}")
            if not name or name.startswith("__"):
                raise ValueError(f"label {name!r} = {text!r}")
        if not isinstance(metric, str) or not metric:
            raise ValueError(f"metric {metric!r}")
        encoded = encode_labels(make_labels({**labels, METRIC: metric}))
        number = self._number_of[key] = len(self._table.rows)
        self._table.rows.append(Series(encoded, fingerprint_bytes(encoded), metric, dict(labels)))
        return number

    def take(self) -> Taken | None:
        """All that waits, which is still queued until it is settled; None when nothing waits."""
        with self._changed:
            if not self._numbers:
                return None
            numbers, times, values = self._numbers, self._times, self._values
            table = self._table
            self._clear()
            if len(self._number_of) > self.most_series:
                self._forget()
        return Taken(
            table,
            np.array(numbers, np.int64),
            np.array(times, np.int64),
            np.array(values, np.float64),
        )

    def settle(self, samples: int, reason: ProduceReason | None = None) -> None:
        """Count queued samples as sent, or as dropped for a reason."""
        with self._changed:
            self._queued -= samples
            self._settled += samples
            if reason is None:
                self._sent += samples
            else:
                self._dropped[reason] += samples
            self._changed.notify_all()

    def close(self) -> None:
        """Drop what is recorded from now on."""
        with self._changed:
            self._closed = True

    def give_up(self) -> int:
        """Drop what is queued; how many samples that were."""
        with self._changed:
            given_up = self._queued
            self._clear()
        if given_up:
            self.settle(given_up, ProduceReason.CLOSED)
        return given_up

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until all that was recorded before is sent or dropped; whether that came in time."""
        with self._changed:
            goal = self._queued + self._settled
            return self._changed.wait_for(lambda: self._settled >= goal, timeout_seconds)

    def stats(self) -> Stats:
        """What became of the samples so far, every reason named."""
        with self._changed:
            dropped = {reason: self._dropped[reason] for reason in ProduceReason}
            return Stats(self._sent, self._queued, dropped)
