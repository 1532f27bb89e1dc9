"""Records: the formats `otlp`, `otlp_metrics`, `otlp_logs` and `otlp_traces`, record by record.

A record is one export: `MetricsData`, `LogsData` or `TracesData`, which have the same bytes as the requests of OTLP.
JSON is told by its first brace, and what a record holds by the items in it, so a header is not needed. One with no
items is no fault. Each signal is read by its own part, which refuses what it must.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns, Refusal
from schemas.wire.format import Format, of_chunk, size_fault
from schemas.wire.interner import Interner
from schemas.wire.otlp.logs import Logs
from schemas.wire.otlp.metrics import Metrics
from schemas.wire.otlp.spans import Spans
from schemas.wire.otlp.transcript import ROOTS, transcribe
from schemas.wire.otlp.walk import Signal, signal_of, walk

_SIGNALS: dict[str, Signal] = {
    "resourceMetrics": "metrics",
    "resourceLogs": "logs",
    "resourceSpans": "traces",
}
_OPENS = b"{"
_BLANK = b" \t\r\n"


class Part(Protocol):
    """What reads the records of one signal."""

    def begin(self, place: str) -> None:
        """Say which source partition the next records are of."""
        ...

    def follow(self, interner: Interner) -> None:
        """Take note of the interner before the records of a chunk."""
        ...

    def read(self, record: int, value: bytes, interner: Interner) -> Columns:
        """Columns of one record; raises DecodeError where it is refused whole."""
        ...

    def snapshot(self) -> Mapping[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        ...

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; raises CheckpointError where it is none."""
        ...


_PARTS: dict[Signal, Callable[[LimitsConfig], Part]] = {
    "metrics": Metrics,
    "logs": Logs,
    "traces": Spans,
}


class Otlp:
    """Decoder of OTLP; of one signal only where that is given."""

    def __init__(self, limits: LimitsConfig, signal: Signal | None = None) -> None:
        self._limits = limits
        self._signal = signal
        self._parts: dict[Signal, Part] = {
            name: make(limits) for name, make in _PARTS.items() if signal in (None, name)
        }

    def begin(self, topic: str, partition: int) -> None:
        """Say where the next values stand."""
        for part in self._parts.values():
            part.begin(f"{topic}-{partition}")

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        _headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values."""
        for part in self._parts.values():
            part.follow(interner)
        parts: list[Columns] = []
        refused: list[Refusal] = []
        for at, value in enumerate(values):
            fault = size_fault(value, self._limits)
            if fault is not None:
                refused.append(Refusal(at, WHOLE, *fault))
                continue
            try:
                found = self._read(at, value or b"", interner)
            except DecodeError as error:
                refused.append(Refusal(at, WHOLE, error.reason, error.detail, error.tenant))
                continue
            if found is not None:
                refused += found.refused
                parts.append(found)
        return of_chunk(parts, refused)

    def _read(self, record: int, value: bytes, interner: Interner) -> Columns | None:
        """Columns of a record, None where it holds nothing; raises DecodeError where it is refused."""
        signal = signal_of(value)
        # a line feed may begin a message as well as a text, and a brace may be its length
        if signal is None and value.lstrip(_BLANK)[:1] == _OPENS:
            key, value = transcribe(value)
            signal = None if key is None else _SIGNALS[key]
        if signal is None:
            if any(items for _, _, items in walk(value, len(value))):
                raise DecodeError(DeadLetterReason.MALFORMED, "neither metrics, logs nor spans")
            return None
        if self._signal not in (None, signal):
            detail = f"{signal} instead of {self._signal}"
            raise DecodeError(DeadLetterReason.WRONG_TYPE, detail)
        return self._parts[signal].read(record, value, interner)

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        return {
            f"{signal}.{name}": column
            for signal, part in self._parts.items()
            for name, column in part.snapshot().items()
        }

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; from nothing where there are no columns.

        Raises:
            CheckpointError: it is none of this decoder.

        """
        if not columns:
            return
        for signal, part in self._parts.items():
            prefix = f"{signal}."
            part.restore(
                {k.removeprefix(prefix): c for k, c in columns.items() if k.startswith(prefix)}
            )


def claims(value: bytes) -> bool:
    """Whether bytes look like OTLP in protobuf."""
    return value[:1] == b"\x0a" and signal_of(value) is not None


OTLP = Format(Otlp, shapes=tuple(frozenset({key}) for key in ROOTS), claims=claims)
METRICS = Format(partial(Otlp, signal="metrics"))
LOGS = Format(partial(Otlp, signal="logs"))
TRACES = Format(partial(Otlp, signal="traces"))
