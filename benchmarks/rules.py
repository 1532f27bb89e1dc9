"""Rules: 50 rules over 100,000 series every 15 seconds, in a rule engine and in the real Prometheus.

Counters and gauges in equal parts, each series with a sample an interval; what is measured is the evaluation, not how
the samples got in. Memory is what the process of the engine has grown by, samples, label sets and rules together. Panes
are held against samples on series that have a sample a second. Run as a module, it is the process that is measured.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.judge import running_judge
from benchmarks.measure import Measured, measured_in_process, per_cpu_second, report
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas.labels import METRIC, TENANT, Labels, encode_labels, fingerprint_bytes, make_labels
from schemas.samples import Float64s
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules
from streams.rules.plan import Plan, compile_expression
from streams.rules.rule import RuleGroup
from streams.windows.series import SeriesStore

SERIES = 100_000
METRICS = 10
CODES = ("200", "204", "404", "500", "503")
PODS = 20
INTERVAL_MS = 15_000
PAST = 20
"""Samples of each series before the first evaluation: all windows are full."""
SAMPLES = 40
DENSE = 10_000
"""Series with a sample a second."""
DENSE_WINDOW_MS = 300_000
START_MS = 1_760_000_010_000
MOST_BYTES = 1e9
EVALUATIONS = {True: 2, False: 6}


def measure(setting: Setting, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    setting.say("rules: the engine")
    ours = measured_in_process("benchmarks.rules", ["cost", str(EVALUATIONS[setting.quick])])
    evaluated = 1 / ours.per_core_second
    setting.say("rules: Prometheus")
    theirs = _judged(setting)
    yield Row(
        "rules.evaluation",
        evaluated,
        "CPU s/interval",
        command,
        "Prometheus, the same rules and series",
        theirs,
        Goal("ratio", "<=", 0.1),
    )
    rate = measured_in_process("benchmarks.rules", ["rate", str(setting.seconds)])
    goal = Goal("value", ">=", 20e6)
    yield Row("rules.rate", rate.per_core_second, "series/s/core", command, goal=goal)
    ahead = measured_in_process("benchmarks.rules", ["ahead", str(EVALUATIONS[setting.quick])])
    yield Row("rules.rate_ahead", ahead.per_core_second, "series/s/core", command)
    taken = ours.notes["rss_bytes"]
    rules = len(list(_rules()))
    yield Row("rules.memory", taken / SERIES, "bytes/series", command)
    yield Row("rules.memory_per_rule", taken / SERIES / rules, "bytes/series/rule", command)
    by_panes, by_samples = (
        1 / measured_in_process("benchmarks.rules", [what, "3"]).per_core_second
        for what in ("panes", "samples")
    )
    yield Row(
        "rules.panes",
        by_panes,
        "CPU s/evaluation",
        command,
        "the same from samples",
        by_samples,
        Goal("ratio", "<=", 0.5),
    )
    goal = Goal("value", "<=", MOST_BYTES / 1e6)
    yield Row("rules.memory_total", ours.notes["peak_bytes"] / 1e6, "MB", command, goal=goal)


def _judged(setting: Setting) -> float:
    with TemporaryDirectory() as folder, running_judge(Path(folder)) as judge:
        # half of the samples are in the past, and half are yet to come
        times = setting.now_ms + (np.arange(SAMPLES) - SAMPLES // 2) * INTERVAL_MS
        judge.load(
            all_labels(), times, np.stack(list(islice(_values(SERIES // 2), SAMPLES)), axis=1)
        )
        cost = judge.evaluate(rule_file(), EVALUATIONS[setting.quick], INTERVAL_MS / 1000)
    return cost.cpu_seconds


def all_labels() -> list[Labels]:
    """Label sets: half counters, half gauges."""
    each = SERIES // METRICS
    found = []
    for metric in range(METRICS):
        half = METRICS // 2
        name = f"c{metric}_total" if metric < half else f"g{metric - half}"
        for number in range(each):
            pod, code = divmod(number, len(CODES))
            service, pod = divmod(pod, PODS)
            pairs = {
                METRIC: name,
                TENANT: "default",
                "service": f"service-{service:03}",
                "pod": f"pod-{service:03}-{pod:02}",
                "code": CODES[code],
            }
            found.append(make_labels(pairs))
    return found


def _one_name(labels: Labels) -> Labels:
    """The label set of a series that has the same name as all others."""
    pairs = dict(labels)
    return make_labels({**pairs, METRIC: "requests_total", "shard": pairs[METRIC]})


def _values(counters: int) -> Iterator[Float64s]:
    """Values of all series, interval by interval; the first are counters, the others gauges."""
    rng = np.random.default_rng(1)
    values = np.zeros(SERIES)
    while True:
        values[:counters] += rng.random(counters) * 10
        values[counters:] = rng.random(SERIES - counters)
        yield values.copy()


def _rules() -> Iterator[str]:
    for number in range(METRICS // 2):
        c, g = f"c{number}_total", f"g{number}"
        errors = f'sum by (service) (rate({c}{{code=~"5.."}}[5m]))'
        yield f"record: 'service:{c}:rate5m', expr: 'sum by (service) (rate({c}[5m]))'"
        yield (
            f"record: 'service_code:{c}:rate1m', "
            f"expr: 'sum by (service, code) (rate({c}{{code=~\"5..\"}}[1m]))'"
        )
        yield f"alert: Errors, expr: '{errors} / sum by (service) (rate({c}[5m])) > 0.9'"
        yield f"alert: Stuck, expr: 'rate({c}[2m]) == 0', for: 10m"
        yield f"alert: Jump, expr: 'increase({c}[5m]) > 1e12'"
        yield f"alert: High, expr: 'avg_over_time({g}[5m]) > 0.999'"
        yield f"alert: Peak, expr: 'max by (service) (max_over_time({g}[5m])) > 2'"
        yield f"alert: Now, expr: '{g} > 1.5'"
        yield f"record: 'service:{g}:avg', expr: 'avg by (service) ({g})'"
        yield f"alert: Low, expr: 'min_over_time({g}[2m]) < -1'"


def rule_file() -> str:
    """The rules as a file."""
    entries = "\n".join(f"  - {{{each}}}" for each in _rules())
    return f"groups:\n- name: g\n  interval: 15s\n  rules:\n{entries}\n"


def rule_groups() -> list[RuleGroup]:
    """The same, read."""
    groups, faults = parse_rules(rule_file(), "rules.yml")
    assert not faults, "the rules above are sound"
    return groups


class Feed:
    """Samples of all series, an interval at a time, each series at a time of its own within it."""

    def __init__(self, store: SeriesStore, labels: Sequence[Labels], counters: int) -> None:
        codes = [encode_labels(each) for each in labels]
        self._rows = store.rows(np.array(list(map(fingerprint_bytes, codes)), np.uint64), codes)
        self._order = np.argsort(self._rows)
        self._within = np.random.default_rng(2).integers(1, INTERVAL_MS, len(codes))
        self._values = _values(counters)
        self.t_ms = START_MS

    def step(self, engine: RuleEngine) -> None:
        """Append the next interval's samples."""
        times = self.t_ms + self._within
        self.t_ms += INTERVAL_MS
        values = next(self._values)
        at = self._order
        engine.append_sorted(self._rows[at], times[at], values[at])


def _new_engine(groups: list[RuleGroup]) -> RuleEngine:
    return RuleEngine(groups, max_series=4 * SERIES, max_per_tenant=4 * SERIES)


def _cost(evaluations: int) -> Measured:
    before = _memory("VmRSS")
    engine = _new_engine(rule_groups())
    feed = Feed(engine.store, all_labels(), SERIES // 2)
    for _ in range(PAST):
        feed.step(engine)
        engine.tick(feed.t_ms)
    spent, began = 0.0, time.perf_counter()
    for _ in range(evaluations):
        feed.step(engine)
        start = time.process_time()
        engine.tick(feed.t_ms)
        spent += time.process_time() - start
    assert not engine.failures, "every rule is evaluated"
    notes = {"rss_bytes": _memory("VmRSS") - before, "peak_bytes": _memory("VmHWM")}
    return Measured(evaluations, spent, time.perf_counter() - began, notes)


def _filled() -> tuple[RuleEngine, Feed, Plan]:
    """All series under one name with full windows, and their rate."""
    engine = _new_engine([])
    engine.store.retain(400_000)
    feed = Feed(engine.store, [_one_name(each) for each in all_labels()], SERIES)
    for _ in range(PAST):
        feed.step(engine)
    return engine, feed, compile_expression("rate(requests_total[5m])")


def _rate(seconds: float) -> Measured:
    engine, feed, plan = _filled()

    def work() -> int:
        return len(plan.evaluate(engine.store, feed.t_ms).rows)

    began = time.perf_counter()
    return Measured(int(per_cpu_second(work, seconds)), 1.0, time.perf_counter() - began)


def _ahead(evaluations: int) -> Measured:
    """The same with new samples before each evaluation, so that all windows have moved and no cache is warm."""
    engine, feed, plan = _filled()
    plan.evaluate(engine.store, feed.t_ms)
    done, spent, began = 0, 0.0, time.perf_counter()
    for number in range(1 + evaluations):
        feed.step(engine)
        start = time.process_time()
        rows = plan.evaluate(engine.store, feed.t_ms).rows
        # the first step is not foreseen
        if number:
            spent += time.process_time() - start
            done += len(rows)
    return Measured(done, spent, time.perf_counter() - began)


def _dense(evaluations: int, interval_ms: int) -> Measured:
    """Averages of five minutes of many series with a sample a second."""
    engine = _new_engine([])
    engine.store.retain(2 * DENSE_WINDOW_MS)
    codes = [encode_labels(make_labels({METRIC: "dense", "n": str(n)})) for n in range(DENSE)]
    rows = engine.store.rows(np.array(list(map(fingerprint_bytes, codes)), np.uint64), codes)
    plan = compile_expression("avg_over_time(dense[5m])", interval_ms=interval_ms)
    within, rng = np.arange(1_000, INTERVAL_MS + 1, 1_000), np.random.default_rng(3)
    spent, began = 0.0, time.perf_counter()
    for number in range(1 + DENSE_WINDOW_MS // INTERVAL_MS + evaluations):
        t_ms = START_MS + number * INTERVAL_MS
        values = rng.random(DENSE * len(within))
        times = np.tile(t_ms + within, DENSE)
        engine.append_sorted(np.repeat(np.sort(rows), len(within)), times, values)
        start = time.process_time()
        plan.evaluate(engine.store, t_ms + INTERVAL_MS)
        if number > DENSE_WINDOW_MS // INTERVAL_MS:
            spent += time.process_time() - start
    return Measured(evaluations, spent, time.perf_counter() - began)


def _memory(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(what))


def main() -> None:
    """The process that is measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["cost", "rate", "ahead", "panes", "samples"])
    parser.add_argument("amount", type=float)
    given = parser.parse_args()
    if given.what == "cost":
        report(_cost(int(given.amount)))
    elif given.what == "rate":
        report(_rate(given.amount))
    elif given.what == "ahead":
        report(_ahead(int(given.amount)))
    else:
        report(_dense(int(given.amount), INTERVAL_MS if given.what == "panes" else 0))


if __name__ == "__main__":
    main()
