"""Tables of samples: which column is the time, which are values, and which are labels.

Long form has a column `metric`, a value, perhaps `labels` (a JSON object), and every other column
is a label. Wide form has no `metric`: each column of numbers is one metric, each other column a
label. A lone column `value` gives the file's name to the metric.
Refuses to guess a time among columns that are not named like one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import NamedTuple

import msgspec

from streams.produce.event_time import parse
from streams.produce.refusal import Refusal, RefusedError
from streams.produce.telemetry import Sample

Row = Mapping[str, object]

TIME_NAMES = ("timestamp", "time", "ts", "datetime", "date", "event_time", "@timestamp", "_time")
METRIC_NAMES = ("metric", "__name__")
VALUE_NAMES = ("value", "_value")
LABELS = "labels"
MISSING = frozenset({"", "-", "na", "n/a", "nan", "none", "null"})


class Columns(NamedTuple):
    """The columns that the user names; None is guessed."""

    time: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The part that each column of one file plays."""

    time: str
    metric: str | None  # long form
    values: tuple[str, ...]
    labels: tuple[str, ...]
    name: str  # of the metric when the only value column is called value


def layout(head: Sequence[Row], wanted: Columns, name: str) -> Layout:
    """Return the layout of a file from its first rows; RefusedError when it has none.

    A column is one of numbers when each of its cells in those rows is a number or missing, and
    at least one is a number.
    """
    columns = list(dict.fromkeys(column for row in head for column in row))
    time = _named(columns, wanted.time, TIME_NAMES)
    if time is None:
        raise RefusedError(
            Refusal.NO_TIME_COLUMN, f"none of {', '.join(columns)} is named like a time; use --time"
        )
    metric = _named(columns, None, METRIC_NAMES)
    others = [column for column in columns if column not in (time, metric)]
    numeric = [column for column in others if _is_numeric(head, column)]
    if metric is not None or wanted.value is not None:
        value = _named(others, wanted.value, VALUE_NAMES)
        values = [] if value is None else [value]
    else:
        values = numeric
    if not values:
        raise RefusedError(
            Refusal.NO_VALUE_COLUMN, f"none of {', '.join(columns)} holds the values; use --value"
        )
    # In long form a number beside the value (a core, a port) tells series apart. In wide form it
    # is another metric, though one that was not asked for.
    beside = [column for column in others if column not in values]
    labels = (
        beside if metric is not None else [column for column in beside if column not in numeric]
    )
    return Layout(time, metric, tuple(values), tuple(labels), clean(name))


def samples(row: Row, plan: Layout) -> list[Sample]:
    """Return the samples of one row, none for missing values; RefusedError for a bad cell."""
    try:
        ts_ms = parse(row.get(plan.time))
    except ValueError as error:
        raise RefusedError(Refusal.BAD_TIME, str(error)) from None
    labels = _labels(row, plan)
    found = []
    for column in plan.values:
        value = _value(row.get(column), column)
        if value is not None:
            found.append(Sample(_metric(row, column, plan), labels, ts_ms, value))
    return found


def clean(name: str) -> str:
    """Return a metric's name as Prometheus allows it; other characters become underscores."""
    allowed = re.sub(r"[^a-zA-Z0-9_:]", "_", name)
    return allowed if allowed and not allowed[0].isdigit() else f"_{allowed}"


def _named(columns: Sequence[str], wanted: str | None, usual: Sequence[str]) -> str | None:
    if wanted is not None:
        if wanted in columns:
            return wanted
        raise RefusedError(
            Refusal.NO_SUCH_COLUMN, f"there is no column {wanted!r} among {', '.join(columns)}"
        )
    lowered = {column.strip().lower(): column for column in reversed(columns)}
    return next((lowered[name] for name in usual if name in lowered), None)


def _is_numeric(head: Sequence[Row], column: str) -> bool:
    cells = [row.get(column) for row in head]
    present = [cell for cell in cells if not _is_missing(cell)]
    return bool(present) and all(_number(cell) is not None for cell in present)


def _is_missing(cell: object) -> bool:
    if isinstance(cell, float):
        return isnan(cell)
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING)


def _number(cell: object) -> float | None:
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        return None
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _value(cell: object, column: str) -> float | None:
    if _is_missing(cell):
        return None
    number = _number(cell)
    if number is None:
        raise RefusedError(Refusal.BAD_VALUE, f"{cell!r} in column {column} is no finite number")
    return number


def _metric(row: Row, column: str, plan: Layout) -> str:
    if plan.metric is None:
        return plan.name if column.strip().lower() in VALUE_NAMES else clean(column.strip())
    metric = row.get(plan.metric)
    if not isinstance(metric, str) or not metric.strip():
        raise RefusedError(Refusal.BAD_METRIC, f"{metric!r} is no name of a metric")
    return metric.strip()


def _labels(row: Row, plan: Layout) -> dict[str, str]:
    labels: dict[str, str] = {}
    for column in plan.labels:
        cell = row.get(column)
        if cell is None or cell == "":
            continue
        if column == LABELS:
            labels |= _label_set(cell)
        elif isinstance(cell, (dict, list)):
            raise RefusedError(Refusal.BAD_LABELS, f"column {column} holds more than one value")
        else:
            labels[clean(column.strip())] = _label(cell)
    return labels


def _label_set(cell: object) -> dict[str, str]:
    if isinstance(cell, str):
        try:
            cell = msgspec.json.decode(cell)
        except msgspec.DecodeError:
            raise RefusedError(Refusal.BAD_LABELS, f"{cell!r} is no JSON object") from None
    if not isinstance(cell, dict) or any(isinstance(part, (dict, list)) for part in cell.values()):
        raise RefusedError(Refusal.BAD_LABELS, f"{cell!r} is no JSON object of labels")
    return {str(name): _label(part) for name, part in cell.items() if part is not None}


def _label(cell: object) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
