"""Learning: history through the rules, for what their detectors know in the end.

It is the way of a backtest, by the code of the workers, in one partition; results of a rule's expression, such as a
range of Prometheus, go straight to its detector.
Refuses a range of results where it is not said of which rule they are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy as np

from schemas.config import Config, SourceConfig
from schemas.errors import ConfigError
from schemas.labels import TENANT, make_labels
from streams.produce.columns import Columns, layout, samples
from streams.produce.refusal import Refusal, RefusedError, ReplayError
from streams.produce.telemetry import Sample, record
from streams.rank.read import read_columns
from streams.replay.backtest import Backtest
from streams.replay.pipeline import Recorded
from streams.replay.ranges import is_range, read_range
from streams.replay.sources import open_files
from streams.rules.detect import DetectRule
from streams.rules.grouped import detect_rule
from streams.rules.rule import Rule, RuleGroup
from streams.rules.vector import LabelSpace, Vector

Known = list[tuple[Rule, DetectRule]]
HEAD = 100
"""Rows that tell what the columns of a table are."""


def learn(
    config: Config,
    groups: Sequence[RuleGroup],
    source: SourceConfig,
    records: Iterable[Recorded],
    progress: Callable[[int], None] = lambda _: None,
) -> Known:
    """Rules with a detector, and what it knows after these records of a source, all of one partition."""
    backtest = Backtest(in_one(config, source), groups)
    backtest.run(records, progress=progress)
    return backtest.detectors


def in_one(config: Config, source: SourceConfig | None = None) -> Config:
    """One partition, and one source, the first where none is given: a file stands for a topic."""
    kafka = config.kafka.model_copy(update={"partitions": 1})
    return config.model_copy(update={"kafka": kafka, "sources": (source or config.sources[0],)})


def read_past(paths: Sequence[Path], topic: str, columns: Columns) -> Iterator[Recorded]:
    """Records of files of one kind: ranges of Prometheus, Parquet, or whatever `produce replay` reads.

    Raises:
        ConfigError: a file cannot be read, or the kinds are mixed.

    """
    if all(is_range(path) for path in paths):
        found = [sample for path in paths for sample in read_range(path)]
        if any(not sample.metric for sample in found):
            what = "these are results without a name: say with --rule whose they are"
            raise ConfigError([f"{paths[0]}: {what}"])
        yield from as_records(found, topic)
    elif all(path.suffix == ".parquet" for path in paths):
        try:
            found = [sample for path in paths for sample in _table(path, columns)]
        except ReplayError as error:
            raise ConfigError([str(error)]) from error
        yield from as_records(found, topic)
    else:
        yield from in_order(open_files(paths, topic, columns))


def in_order(records: Iterable[Recorded]) -> Iterator[Recorded]:
    """The records of all partitions in one, in the order in which they come."""
    for offset, found in enumerate(records):
        yield found._replace(partition=0, offset=offset)


def as_records(found: Iterable[Sample], topic: str) -> Iterator[Recorded]:
    """Samples as records of one partition, in order of time."""
    ordered = sorted(found, key=attrgetter("ts_ms"))
    for offset, (ts_ms, group) in enumerate(groupby(ordered, key=attrgetter("ts_ms"))):
        yield Recorded(topic, 0, offset, ts_ms, record(list(group)).value)


def learn_results(rule: Rule, found: Sequence[Sample], tenant: str, max_series: int) -> DetectRule:
    """What the detector of a rule knows after results of its expression."""
    if rule.detect is None:
        raise ConfigError([f"rule '{rule.name}' has no detector"])
    detect = detect_rule(rule.detect, interval_ms=rule.interval_ms, max_series=max_series)
    space = LabelSpace()
    ordered = sorted(found, key=attrgetter("ts_ms"))
    rows = [space.row(make_labels({TENANT: tenant, **each.labels})) for each in ordered]
    times = np.array([each.ts_ms for each in ordered], np.int64)
    values = np.array([each.value for each in ordered], np.float64)
    of = np.array(rows, np.int64)
    if rule.detect.by is None:
        detect.update(space, of, times, values)
        return detect
    # the members of a group are judged together, evaluation by evaluation
    for at in np.split(np.arange(len(times)), np.flatnonzero(np.diff(times)) + 1):
        t_ms = int(times[at[0]])
        judged = detect.gathered(space, Vector(of[at], values[at]), t_ms)
        detect.update(space, judged.rows, np.full(len(judged.rows), t_ms), judged.values)
        detect.settle(space, judged.rows)
    return detect


def _table(path: Path, wanted: Columns) -> Iterator[Sample]:
    columns = read_columns(path)
    names = list(columns)
    rows = [dict(zip(names, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    if not rows:
        raise ReplayError(path, 0, Refusal.BAD_ROW, "holds no rows")
    try:
        plan = layout(rows[:HEAD], wanted, path.stem)
        for row in rows:
            moment = row[plan.time]
            shown = moment.isoformat() if hasattr(moment, "isoformat") else moment
            yield from samples({**row, plan.time: shown}, plan)
    except RefusedError as error:
        raise ReplayError(path, 0, error.reason, error.detail) from error
