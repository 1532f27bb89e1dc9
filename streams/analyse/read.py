"""Read: files of series as columns: CSV, JSON lines, Parquet, npz or a range of Prometheus; the one place that reads.

A wide table has a column of numbers for each series. Columns of text are labels: their values tell series apart, as a
column `metric` does. Rows are put in order of time for each series; what was out of order, or came twice, is counted.
Refuses what it would have to guess, with file and line: no column of times, a text among numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from detectors.base import FloatArray, IntArray
from schemas.config.near import nearest
from schemas.errors import ConfigError
from streams.produce.columns import METRIC_NAMES, MISSING, TIME_NAMES, Columns, Layout, layout
from streams.produce.event_time import parse
from streams.produce.files import HEAD
from streams.produce.refusal import Refusal, RefusedError, ReplayError
from streams.rank.read import Series, read_columns
from streams.replay.ranges import is_range, read_range

# A number below the first bound is in seconds, below the second in ms, and so on (as in `event_time`).
_BOUNDS = (1e11, 1e14, 1e17, 1e20)
_FACTORS = np.array([1000.0, 1.0, 1e-3, 1e-6])


@dataclass(frozen=True)
class Frame:
    """Samples of all series of a file, series after series, each in order of time.

    Attributes:
        names: of the series.
        rows: int64[n], the place of each sample's series in `names`.
        times: int64[n], event times, ms.
        values: float64[n], NaN where there is none.
        unsorted: samples that stood behind a later one of their series.
        repeated: samples with the same time as the one before it of their series.

    """

    names: tuple[str, ...]
    rows: IntArray
    times: IntArray
    values: FloatArray
    unsorted: int = 0
    repeated: int = 0


def frame_of(names: Sequence[str], rows: IntArray, times: IntArray, values: FloatArray) -> Frame:
    """Put samples in order, and count what was not."""
    order = np.argsort(rows, kind="stable")
    rows, times, values = rows[order], times[order], values[order]
    same = rows[1:] == rows[:-1]
    unsorted = int(np.count_nonzero(same & (times[1:] < times[:-1])))
    if unsorted:
        order = np.lexsort((times, rows))
        rows, times, values = rows[order], times[order], values[order]
        same = rows[1:] == rows[:-1]
    repeated = int(np.count_nonzero(same & (times[1:] == times[:-1])))
    return Frame(tuple(names), rows, times, values, unsorted, repeated)


def read(
    path: Path, time: str | None = None, values: Sequence[str] = (), step_ms: int = 0
) -> Frame:
    """The series of one file; columns that are not named are guessed by their names and what they hold.

    Where no column is named like a time, rows are taken to be `step_ms` apart, if that is not 0.

    Raises:
        ReplayError: the file makes no sense.

    """
    if path.suffix == ".json" and is_range(path):
        return _range(path)
    columns = read_columns(path)
    count = max(map(len, columns.values()), default=0)
    if not count:
        raise ReplayError(path, 0, Refusal.BAD_ROW, "holds no rows")
    for name in (*([time] if time else []), *values):
        if name not in columns:
            detail = f"no column {name!r}; {nearest(name, list(columns))}"
            raise ReplayError(path, 0, Refusal.NO_SUCH_COLUMN, detail)
    plan, even = _plan(path, columns, time, values, step_ms)
    at = np.arange(count, dtype=np.int64) * step_ms if even else _times(path, columns[plan.time])
    data = np.array([_numbers(path, name, columns[name]) for name in plan.values])
    if not plan.labels and plan.metric is None:
        rows = np.repeat(np.arange(len(plan.values)), count)
        return frame_of(plan.values, rows, np.tile(at, len(plan.values)), data.reshape(-1))
    groups, group = _groups(columns, plan)
    names = [f"{value}{g}" if plan.metric is None else g for value in plan.values for g in groups]
    rows = (np.arange(len(plan.values))[:, None] * len(groups) + group).reshape(-1)
    return frame_of(names, rows, np.tile(at, len(plan.values)), data.reshape(-1))


def _range(path: Path) -> Frame:
    """The series of an answer of Prometheus's query_range."""
    try:
        found = read_range(path)
    except ConfigError as error:
        what = error.problems[0].removeprefix(f"{path}: ")
        raise ReplayError(path, 0, Refusal.BAD_ROW, what) from error
    if not found:
        raise ReplayError(path, 0, Refusal.BAD_ROW, "holds no samples")
    places: dict[str, int] = {}
    rows = [places.setdefault(_name(each.metric, each.labels), len(places)) for each in found]
    times = np.array([each.ts_ms for each in found], np.int64)
    values = np.array([each.value for each in found], np.float64)
    return frame_of(list(places), np.array(rows, np.int64), times, values)


def _name(metric: str, labels: Mapping[str, str]) -> str:
    pairs = ",".join(_pairs(list(labels), list(labels.values())))
    return f"{metric}{{{pairs}}}" if pairs else metric or "value"


def _plan(
    path: Path, columns: Series, time: str | None, values: Sequence[str], step_ms: int
) -> tuple[Layout, bool]:
    """The part of each column, and whether the rows have no times but steps."""
    head = [
        {name: cells[row] for name, cells in columns.items()}
        for row in range(min(HEAD, len(next(iter(columns.values())))))
    ]
    empty = [name for name in columns if all(_is_missing(row[name]) for row in head)]
    late = [name for name in empty if _mostly_numbers(columns[name])]
    head = _filled(head, late)
    wanted = Columns(time or ("index" if "index" in columns else None), next(iter(values), None))
    try:
        plan, even = layout(head, wanted, path.stem), False
    except RefusedError as error:
        if error.reason is Refusal.NO_TIME_COLUMN and step_ms:
            unheard = object()
            stepped = [{**row, "time": unheard} for row in head]
            plan, even = layout(stepped, wanted, path.stem), True
        elif error.reason is Refusal.NO_VALUE_COLUMN and empty:
            # a series of which nothing is known is one all the same
            plan, even = layout(_filled(head, empty), wanted, path.stem), False
        else:
            raise _refused(path, columns, error) from error
    named = tuple(values) or plan.values
    labels = tuple(name for name in plan.labels if name not in named)
    if plan.metric is None:
        broken = [name for name in labels if _mostly_numbers(columns[name])]
        named = named if values else (*named, *broken)
        labels = tuple(name for name in labels if name not in broken)
    return Layout(plan.time, plan.metric, named, labels, plan.name), even


def _filled(head: list[dict[str, object]], names: Sequence[str]) -> list[dict[str, object]]:
    """Rows with numbers in these columns, which have none there."""
    return [{**row, **dict.fromkeys(names, 0.0)} for row in head]


def _refused(path: Path, columns: Series, error: RefusedError) -> ReplayError:
    """The error with its place; a column that would be one of numbers, but for one cell, is told by that cell."""
    if error.reason is Refusal.NO_VALUE_COLUMN:
        for name, cells in columns.items():
            if name.strip().lower() not in METRIC_NAMES and _mostly_numbers(cells):
                try:
                    _numbers(path, name, cells)
                except ReplayError as found:
                    return found
    hint = ", or --interval" if error.reason is Refusal.NO_TIME_COLUMN else ""
    if error.reason is Refusal.NO_VALUE_COLUMN:
        named = (n for n in columns if n.strip().lower() not in (*TIME_NAMES, *METRIC_NAMES))
        hint = "".join(
            f"; {columns[name][0]!r} under {name} is no number" for name in islice(named, 1)
        )
    return ReplayError(path, 0, error.reason, error.detail + hint)


def _mostly_numbers(cells: Sequence[object]) -> bool:
    present = list(islice((cell for cell in cells if not _is_missing(cell)), HEAD))
    return 2 * sum(_float(cell) is not None for cell in present) > len(present)


def _groups(columns: Series, plan: Layout) -> tuple[list[str], IntArray]:
    """Names of all label sets, and the place of each row's set among them."""
    marks = [columns[name] for name in plan.labels]
    first = columns[plan.metric] if plan.metric is not None else [""] * len(marks[0])
    places: dict[str, int] = {}
    spelt: dict[tuple[str, ...], int] = {}
    group = np.empty(len(first), np.int64)
    for row, cells in enumerate(zip(first, *marks, strict=True)):
        key = tuple(map(str, cells))
        if key not in spelt:
            pairs = ",".join(_pairs(plan.labels, cells[1:]))
            spelt[key] = places.setdefault(
                f"{cells[0]}{{{pairs}}}" if pairs else str(cells[0]), len(places)
            )
        group[row] = spelt[key]
    return list(places), group


def _pairs(names: Sequence[str], cells: Sequence[object]) -> list[str]:
    pairs = []
    for name, cell in zip(names, cells, strict=True):
        if isinstance(cell, Mapping):
            pairs += [f"{key}={part}" for key, part in cell.items()]
        elif not _is_missing(cell):
            pairs.append(f"{name}={cell}")
    return sorted(pairs)


def _times(path: Path, cells: Sequence[object]) -> IntArray:
    try:
        numbers = np.array(cells, np.float64)
    except (TypeError, ValueError):
        return _parsed(path, cells)
    scale = np.searchsorted(_BOUNDS, np.abs(numbers), side="right")
    if not bool((scale < len(_FACTORS)).all()):  # NaN and infinities too
        return _parsed(path, cells)
    times: IntArray = np.rint(numbers * _FACTORS[scale]).astype(np.int64)
    return times


def _parsed(path: Path, cells: Sequence[object]) -> IntArray:
    times = np.empty(len(cells), np.int64)
    for row, cell in enumerate(cells):
        try:
            times[row] = parse(cell.isoformat() if hasattr(cell, "isoformat") else cell)
        except ValueError as error:
            raise ReplayError(path, _line(path, row), Refusal.BAD_TIME, f"{error}") from error
    return times


def _numbers(path: Path, name: str, cells: Sequence[object]) -> FloatArray:
    try:
        return np.array(cells, np.float64)
    except (TypeError, ValueError):
        pass
    numbers = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        if _is_missing(cell):
            continue
        number = _float(cell)
        if number is None:
            detail = f"{cell!r} under {name} is no number"
            raise ReplayError(path, _line(path, row), Refusal.BAD_VALUE, detail)
        numbers[row] = number
    return numbers


def _float(cell: object) -> float | None:
    if not isinstance(cell, (str, int, float)):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None


def _is_missing(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING)


def _line(path: Path, row: int) -> int:
    """The line of a row in a file of text, 0 in one of bytes."""
    if path.suffix in {".npz", ".parquet"}:
        return 0
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    filled = [number for number, line in enumerate(lines, start=1) if line.strip()]
    heads = 0 if lines[filled[0] - 1].startswith("{") else 1
    return filled[row + heads]
