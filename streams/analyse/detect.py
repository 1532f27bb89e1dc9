"""Detect: one strictly online pass over columns of numbers, for notebooks and for `tocsin detect`.

Columns in are anything that numpy takes: its own arrays, lists, Arrow columns. Columns out are numpy's, or an Arrow
table. A sample is judged by what came before it, and learnt afterwards, so the answer for a prefix is the prefix of
the answer.

Refuses to keep state between two calls, unless it is handed the same `Watch` again.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from detectors.base import IntArray
from streams.analyse.answer import WEEK_MS, Detected
from streams.analyse.ask import ask
from streams.analyse.read import Frame, frame_of
from streams.analyse.together import Together
from streams.analyse.watch import Judged, Watch
from streams.rules.rule import EACH_SERIES

# The usual step is the median of so many: later samples must not change the answer for earlier ones.
STEP_SAMPLES = 60
# Samples between two words on how far it is.
CHUNK_SAMPLES = 20_000
_KINDS: dict[str, DTypeLike] = {"flag": np.bool_, "reason": np.int8}


def usual_step_ms(frame: Frame) -> int:
    """The median of the first steps between samples, over all series; a minute where there is none."""
    steps = np.diff(frame.times)
    inside = (np.diff(frame.rows) == 0) & (steps > 0)
    first = np.flatnonzero(np.append(True, np.diff(frame.rows) != 0))
    place = np.arange(steps.size) - first[frame.rows[:-1] if steps.size else ()]
    early = steps[inside & (place < STEP_SAMPLES)]
    return max(int(np.median(early)), 1) if early.size else 60_000


def learn(past: Frame, watch: Watch | Together) -> None:
    """Take in history."""
    if isinstance(watch, Together):
        watch.learn(past)
    else:
        watch.learn(watch.rows_of(past.names)[past.rows], past.times, past.values)


def run(
    frame: Frame, watch: Watch | Together, advance: Callable[[int], object] = lambda _: None
) -> Detected:
    """Judge a frame; `advance` hears how many samples more are done."""
    if isinstance(watch, Together):
        return watch.judge(frame, advance)
    rows = watch.rows_of(frame.names)[frame.rows] if frame.names else frame.rows
    parts = []
    for at in _chunks(frame, together=not watch.by_series):
        parts.append((at, watch.judge(rows[at], frame.times[at], frame.values[at])))
        advance(len(at))
    judged = Judged(**{name: _joined(parts, name, len(rows)) for name in Judged.__slots__})
    block = watch.block
    asked = block.false_alarms * WEEK_MS / block.per_ms
    if block.per != EACH_SERIES:
        asked /= max(len(watch.names), 1)
    return Detected(frame, judged, asked, watch.interval_ms, watch.views)


def _joined(parts: list[tuple[IntArray, Judged]], name: str, size: int) -> Any:
    whole: NDArray[Any] = np.empty(size, _KINDS.get(name, np.float64))
    for at, judged in parts:
        whole[at] = getattr(judged, name)
    return whole


def _chunks(frame: Frame, *, together: bool) -> list[IntArray]:
    """Places of samples to judge at once: series after series, or row after row of the table, none of them cut."""
    order = np.arange(len(frame.rows))
    cuts = np.arange(CHUNK_SAMPLES, len(order), CHUNK_SAMPLES)
    if together and len(frame.names) > 1:
        order = np.lexsort((frame.rows, frame.times))
        ends = np.flatnonzero(np.diff(frame.times[order])) + 1
        places = np.searchsorted(ends, cuts)
        cuts = np.unique(ends[places[places < ends.size]])
    return np.split(order, cuts)


def detect(
    times: ArrayLike,
    values: ArrayLike | Mapping[str, ArrayLike],
    *,
    detector: str | None = None,
    interval_ms: int | None = None,
    warm_start: tuple[ArrayLike, ArrayLike | Mapping[str, ArrayLike]] | None = None,
    watch: Watch | Together | None = None,
    group: bool = False,
    **settings: Any,
) -> Detected:
    """Judge columns of numbers in one online pass.

    `times` [n] are ms since the epoch UTC, or timestamps of numpy or Arrow. `values` is [n], or [n, series], or columns
    by name, an Arrow table too. `settings` are those of a rule's `detect:` block, such as `false_alarms="1 per week"`,
    and `parameters`. With `group` all columns are members of one group, and the answer is about the group.
    `warm_start` is history of the same form, learnt before. A `watch` goes on from where it is, with its own settings.

    Raises:
        ConfigError: a setting is wrong.
        ValueError: the columns do not fit together.

    """
    frame = _framed(times, values)
    if watch is None:
        block = ask(detector, **settings)
        kind = Together if group else Watch
        watch = kind(block, interval_ms=interval_ms or usual_step_ms(frame))
    elif detector or settings or interval_ms or group:
        raise ValueError("a watch has its own settings")
    if warm_start is not None:
        learn(_framed(*warm_start), watch)
    return run(frame, watch)


def _framed(times: ArrayLike, values: ArrayLike | Mapping[str, ArrayLike]) -> Frame:
    at = np.asarray(times)
    if at.dtype.kind == "M":
        at = at.astype("datetime64[ms]")
    at = at.astype(np.int64)
    if (names_of := getattr(values, "column_names", None)) is not None:
        table_of: Any = values
        values = {name: table_of.column(name) for name in names_of}
    if isinstance(values, Mapping):
        names = [str(name) for name in values]
        columns = [np.asarray(column, np.float64) for column in values.values()]
    else:
        table = np.asarray(values, np.float64)
        columns = [table] if table.ndim == 1 else list(table.T)
        names = ["value"] if table.ndim == 1 else [str(number) for number in range(len(columns))]
    if at.ndim != 1 or any(column.shape != at.shape for column in columns):
        raise ValueError("times and values must be of equal length")
    flat = np.concatenate(columns) if columns else np.zeros(0)
    return frame_of(names, np.repeat(np.arange(len(names)), at.size), np.tile(at, len(names)), flat)
