"""The formats `auto`, each record in its own format, and `cloud_events`, the same around events.

Every known format takes part that says how its records are told (`recognition`); one whose packages are not installed
does not. An event of CloudEvents is opened first. What no format claims is refused, and so is what two claim. Samples
come out in the order of the log, whatever the formats around them.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby, repeat

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.config.options import OptionsConfig
from schemas.errors import ConfigError, DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.asking import Answers, Asking
from schemas.wire.cloud_events import SHAPE, STRUCTURED, content_type_of, is_event, unwrap
from schemas.wire.columns import WHOLE, Columns, Decoder, Refusal, Remembering
from schemas.wire.format import Format, of_chunk, size_fault
from schemas.wire.interner import Interner
from schemas.wire.recognition import Recognition
from schemas.wire.registry import AUTO as NAME
from schemas.wire.registry import CLOUD_EVENTS as EVENTS
from schemas.wire.registry import CONFLUENT, find_format, make_decoder, names


class Auto:
    """Decoder of records of several formats."""

    def __init__(
        self,
        limits: LimitsConfig,
        options: OptionsConfig | None = None,
        *,
        events_only: bool = False,
    ) -> None:
        """`events_only` refuses what is no event."""
        self._limits = limits
        self._events_only = events_only
        self._has_registry = options is not None and options.registry is not None
        self._decoders: dict[str, Decoder] = {}
        formats: dict[str, Format] = {EVENTS: Format(Auto, shapes=(SHAPE,))}
        for name in names():
            if name in (NAME, EVENTS):
                continue
            try:
                formats[name] = find_format(name)
            except ConfigError:  # its packages are not here, so its records are refused
                continue
            self._decoders[name] = make_decoder(name, limits, options)
        self._recognition = Recognition(formats)

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values; without their headers only their bytes tell the format."""
        name = "" if headers and any(headers) else self._recognition.same(values, self._limits)
        if name in self._decoders and not self._events_only:
            return self._decoders[name].decode(values, interner, headers)
        refused: list[Refusal] = []
        told: list[str] = []
        opened = list(values)
        for at, (value, of) in enumerate(zip(values, headers or repeat(()), strict=False)):
            name = ""
            try:
                name, opened[at] = self._tell(value, of)
            except DecodeError as error:
                refused.append(Refusal(at, WHOLE, error.reason, error.detail))
            told.append(name)
        parts: list[Columns] = []
        first = 0
        # run by run, in the order of the log: at a limit the first come is served
        for name, run in groupby(told):
            last = first + sum(1 for _ in run)
            if name:
                mine = None if headers is None else headers[first:last]
                part = self._decoders[name].decode(opened[first:last], interner, mine)
                if first:
                    part.records += first
                refused += [r._replace(record=r.record + first) for r in part.refused]
                parts.append(part)
            first = last
        if len(parts) == 1:
            parts[0].refused = refused
            return parts[0]
        return of_chunk(parts, refused)

    def _tell(self, value: bytes | None, headers: Headers) -> tuple[str, bytes]:
        """Format and bytes of a record; raises DecodeError."""
        if (fault := size_fault(value, self._limits)) is not None:
            raise DecodeError(*fault)
        assert value is not None
        content_type = content_type_of(headers) if headers else ""
        name = ""
        event = is_event(headers, content_type) if headers else False
        if not event:
            name = self._recognition.name(value, content_type)
            event = name == EVENTS
        if not event:
            if self._events_only:
                raise DecodeError(DeadLetterReason.UNKNOWN_FORMAT, "no event of CloudEvents")
            return name, value
        inner, content_type = unwrap(value, headers, STRUCTURED if name else content_type)
        if (fault := size_fault(inner, self._limits)) is not None:
            raise DecodeError(*fault)
        assert inner is not None
        name = self._recognition.name(inner, content_type)
        if name == EVENTS:
            raise DecodeError(DeadLetterReason.UNKNOWN_FORMAT, "an event inside an event")
        return name, inner

    def wanted(
        self, values: Sequence[bytes | None], headers: Sequence[Headers] | None = None
    ) -> set[int]:
        """Ids of schemas that these records name and that are not known."""
        found = self._decoders.get(CONFLUENT)
        if not self._has_registry or not isinstance(found, Asking):
            return set()
        return found.wanted(values, headers)

    def learn(self, answers: Answers) -> None:
        """Take in what the registry said."""
        found = self._decoders.get(CONFLUENT)
        if isinstance(found, Asking):
            found.learn(answers)

    def begin(self, topic: str, partition: int) -> None:
        """Say where the next values stand."""
        for decoder in self._remembering().values():
            decoder.begin(topic, partition)

    def snapshot(self) -> Mapping[str, NDArray[np.generic]]:
        """What the decoders have added up, each under its format's name."""
        return {
            f"{name}.{column}": content
            for name, decoder in self._remembering().items()
            for column, content in decoder.snapshot().items()
        }

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none of these decoders.

        """
        for name, decoder in self._remembering().items():
            prefix = f"{name}."
            own = {k.removeprefix(prefix): c for k, c in columns.items() if k.startswith(prefix)}
            decoder.restore(own)

    def _remembering(self) -> dict[str, Remembering]:
        return {n: d for n, d in self._decoders.items() if isinstance(d, Remembering)}


def _events(limits: LimitsConfig, options: OptionsConfig | None = None) -> Auto:
    return Auto(limits, options, events_only=True)


_OPTIONS = ("time_unit", "registry", "fields", "schemas")


def _make(limits: LimitsConfig) -> Auto:
    return Auto(limits)


def _make_events(limits: LimitsConfig) -> Auto:
    return _events(limits)


AUTO = Format(_make, configured=Auto, options=_OPTIONS)
CLOUD_EVENTS = Format(_make_events, configured=_events, options=_OPTIONS)
