"""Fields: which fields of a record are its time, metric, values and labels, as configured or as their names tell.

Without a word of configuration: the time is the first of `TIMES` that is there, the metric that of `METRICS`, the
value `value` or else every number, and labels are all other texts and maps of texts.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from schemas.config.options import FieldsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.names import field_metric, label_set, metric_name

TIMES = ("ts", "timestamp", "time", "event_time", "timestamp_ms", "time_ms")
METRICS = ("metric", "name", "metric_name")
VALUE = "value"


class Sorted(NamedTuple):
    """A record by what its fields are.

    Attributes:
        time: a number or an RFC 3339 text.
        values: by the name of their field, in the order of the record.
        metric: its name, empty where no field has one.
        labels: the texts among the other fields, by their names.

    """

    time: float | str
    values: dict[str, float]
    metric: str
    labels: dict[str, str]


class Fields:
    """Sorts the fields of records of one schema."""

    def __init__(self, config: FieldsConfig, schema_name: str) -> None:
        self._config = config
        self._prefix = config.prefix or schema_name

    def sort(self, record: Mapping[str, Any]) -> Sorted:
        """A record by what its fields are; raises DecodeError."""
        time_field, time = self._one(record, self._config.time, TIMES)
        if isinstance(time, bool) or not isinstance(time, int | float | str):
            reason = DeadLetterReason.MISSING_TIME if time is None else DeadLetterReason.WRONG_TYPE
            raise DecodeError(reason, _told("time", time_field or ", ".join(TIMES), time))
        if not isinstance(time, str):
            time = _float(time_field, time)
        metric_field, metric = self._one(record, self._config.metric, METRICS)
        if not isinstance(metric, str | None):
            raise DecodeError(DeadLetterReason.WRONG_TYPE, _told("metric", metric_field, metric))
        if self._config.metric and not metric:
            detail = _told("metric", metric_field, metric)
            raise DecodeError(DeadLetterReason.MISSING_METRIC, detail)
        values = dict(self._values(record, {time_field}))
        if not values:
            raise DecodeError(DeadLetterReason.MISSING_VALUE, "no field is a number")
        used = {time_field, metric_field, *values}
        return Sorted(time, values, metric or "", label_set(dict(self._labels(record, used))))

    def metrics(self, found: Sorted) -> list[str]:
        """Names of the metrics of a record's values, in their order."""
        name = found.metric or self._prefix
        if len(found.values) == 1 and (
            found.metric or self._config.prefix or VALUE in found.values
        ):
            return [metric_name(name)]
        return [field_metric(name, field.replace(".", "_")) for field in found.values]

    def _one(
        self, record: Mapping[str, Any], configured: str, guesses: tuple[str, ...]
    ) -> tuple[str, Any]:
        """Name and content of a field, None where it is not there."""
        if configured:
            return configured, _at(record, configured)
        name = next((guess for guess in guesses if record.get(guess) is not None), "")
        return name, record.get(name)

    def _values(self, record: Mapping[str, Any], used: set[str]) -> Iterator[tuple[str, float]]:
        names = self._config.values
        if not names:
            names = (VALUE,) if _is_number(record.get(VALUE)) else tuple(record)
        for name in names:
            content = _at(record, name)
            if _is_number(content) and name not in used:
                yield name, _float(name, content)
            elif self._config.values and content is not None:
                raise DecodeError(DeadLetterReason.WRONG_TYPE, _told("value", name, content))

    def _labels(self, record: Mapping[str, Any], used: set[str]) -> Iterator[tuple[str, str]]:
        for name in self._config.labels or record:
            content = _at(record, name)
            if isinstance(content, str):
                if name not in used:
                    yield name, content
            elif isinstance(content, Mapping):
                yield from ((k, v) for k, v in content.items() if isinstance(v, str))
            elif self._config.labels and content is not None:
                yield name, _text(name, content)


def _text(name: str, content: object) -> str:
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, int | float):
        _float(name, content)
        return f"{content}"
    raise DecodeError(DeadLetterReason.WRONG_TYPE, _told("label", name, content))


def _at(record: Mapping[str, Any], path: str) -> Any:
    """What stands in a record at a path with dots; None where nothing does."""
    if path in record:
        return record[path]
    found: Any = record
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def _is_number(content: object) -> bool:
    return isinstance(content, int | float) and not isinstance(content, bool)


def _float(name: str, content: float) -> float:
    """A number as a float; raises DecodeError where none can hold it."""
    try:
        return float(content)
    except OverflowError as error:
        detail = f"{name!r} is a whole number that no float can hold"
        raise DecodeError(DeadLetterReason.WRONG_TYPE, detail) from error


def _told(what: str, name: str, content: object) -> str:
    if content is None:
        return f"no {what} in {name}"
    return f"{what} {name!r} is {type(content).__name__}"
