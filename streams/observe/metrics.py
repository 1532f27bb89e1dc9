"""Metrics of the workers in Prometheus's form, read from the runners when somebody asks.

Labels are stages and reasons from enums, never values from data; only of the few tenants with most refusals the names
are shown.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from schemas.config import MetricsConfig
from schemas.errors import ConfigError
from schemas.reasons import (
    CommandReason,
    DeadLetterReason,
    DeliveryReason,
    DetectorState,
    Gate,
    IgnoreReason,
    RemediationReason,
)
from streams.app import Workers
from streams.correlate.reasons import DropReason
from streams.detect.states import SERIES, WAIT
from streams.stage import Counting, Figure

MOST_TENANTS = 10
"""So many tenants are shown by name, those with the most refusals."""

_BY_REASON: dict[str, tuple[str, type[StrEnum]]] = {
    "refused": ("Records and samples refused.", DeadLetterReason),
    "dead_letters": ("Refusals written to tocsin.dead-letters.", DeadLetterReason),
    "ignored": ("What of records is left out on purpose.", IgnoreReason),
    "samples_dropped": ("Samples dropped by detect.", DeadLetterReason),
    "alerts_dropped": ("Alerts without effect on any incident.", DropReason),
    "alerts_stopped": ("Alerts that a gate kept from being told.", Gate),
    "commands_refused": ("Commands that were not carried out.", CommandReason),
    "notifications": ("Decisions and attempts to tell somebody.", DeliveryReason),
    "remediations": ("Decisions and results of playbooks.", RemediationReason),
}


class WorkersCollector(Collector):
    """Figures of all runners of this process."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Every metric with all of its series, those at 0 too."""
        runners = self._workers.host.runners
        for name, text in (
            ("chunks", "Chunks applied."),
            ("records", "Records applied."),
            ("outputs", "Records sent."),
            ("lost_records", "Records that were gone from the log before they were read."),
        ):
            family = CounterMetricFamily(f"tocsin_{name}", text, labels=["stage"])
            for stage, runner in runners.items():
                family.add_metric([stage], getattr(runner.stats, name))
            yield family
        yield GaugeMetricFamily(
            "tocsin_loop_longest_pause_seconds",
            "Longest pause of the event loop in the last one to two minutes.",
            value=self._workers.host.pauses.longest_seconds,
        )
        poisoned = CounterMetricFamily(
            "tocsin_poisoned_records",
            "Records set aside because the stage failed on them.",
            labels=["stage"],
        )
        lag = GaugeMetricFamily("tocsin_lag_records", "Records not applied yet.", labels=["stage"])
        saves = CounterMetricFamily(
            "tocsin_checkpoints", "Checkpoints committed.", labels=["stage"]
        )
        series = GaugeMetricFamily("tocsin_series", "Series known.", labels=["stage"])
        for stage, runner in runners.items():
            vitals = runner.vitals()
            poisoned.add_metric([stage], runner.rereading.poisoned)
            series.add_metric([stage], runner.series)
            lag.add_metric([stage], vitals.lag)
            saves.add_metric([stage], vitals.saves)
        yield poisoned
        yield lag
        yield saves
        yield series
        counts: Counter[tuple[str, str]] = Counter()
        figures = list(self._figures())
        for figure in figures:
            counts[figure.name, figure.reason] += figure.total
        yield from _late(counts, runners)
        for name, (text, reasons) in _BY_REASON.items():
            family = CounterMetricFamily(f"tocsin_{name}", text, labels=["reason"])
            for reason in reasons:
                family.add_metric([reason.value], counts[name, reason.value])
            yield family
        yield _scrubbed(counts)
        yield from _detectors(figures)
        yield from self._reloads()
        refused = CounterMetricFamily(
            "tocsin_tenant_refused",
            f"Records and samples refused, of the {MOST_TENANTS} tenants with most.",
            labels=["tenant"],
        )
        by_tenant = Counter(
            {tenant: n for (name, tenant), n in counts.items() if name == "tenant_refused"}
        )
        for tenant, count in by_tenant.most_common(MOST_TENANTS):
            refused.add_metric([tenant], count)
        yield refused

    def _reloads(self) -> Iterator[Metric]:
        reloads = self._workers.reloads
        family = CounterMetricFamily(
            "tocsin_rules_reloads", "Attempts to take over changed rule files.", labels=["reason"]
        )
        for reason, total in reloads.counts.items():
            family.add_metric([reason.value], total)
        yield family
        yield GaugeMetricFamily(
            "tocsin_rules_reload_failed",
            "1 while the rule files have faults and older rules are at work.",
            value=reloads.failed,
        )

    def _figures(self) -> Iterator[Figure]:
        for runner in self._workers.host.runners.values():
            for partition in list(runner.checkpointer.partitions.values()):
                if isinstance(partition.stage, Counting):
                    yield from partition.stage.figures()


def _detectors(figures: Sequence[Figure]) -> Iterator[Metric]:
    """Series are added up over the partitions; of waits the longest counts."""
    known = GaugeMetricFamily(
        "tocsin_detector_series",
        "Series of rules with a detector: it waits to know them, may speak of them; and does not learn from now.",
        labels=["state"],
    )
    for state in DetectorState:
        found = (f.total for f in figures if (f.name, f.reason) == (SERIES, state.value))
        known.add_metric([state.value], sum(found))
    yield known
    yield GaugeMetricFamily(
        "tocsin_detector_longest_wait_seconds",
        "Time until the last series that there is may be spoken of by its detector.",
        value=max((f.total for f in figures if f.name == WAIT), default=0) / 1000,
    )


def _late(counts: Counter[tuple[str, str]], stages: Collection[str]) -> Iterator[Metric]:
    """What came late, by the stage that counts it."""
    for name, text, stage, counted in (
        ("alerts_late", "Alerts taken in out of order.", "correlate", "alerts_late held_too_many"),
        ("samples_late", "Late samples that took their places.", "detect", "samples_late taken"),
        (
            "samples_unjudged",
            "Of these, seen by no detector and no rule on arrival.",
            "detect",
            "samples_late unjudged",
        ),
    ):
        family = CounterMetricFamily(f"tocsin_{name}", text, labels=["stage"])
        if stage in stages:
            figure, reason = counted.split()
            family.add_metric([stage], counts[figure, reason])
        yield family


def _scrubbed(counts: Counter[tuple[str, str]]) -> Metric:
    """Label names are those of the first few label sets that were changed, all others are one."""
    family = CounterMetricFamily(
        "tocsin_scrubbed",
        "Labels of new series, and annotations, in which personal data was replaced.",
        labels=["kind", "label"],
    )
    for (name, what), count in counts.items():
        if name == "scrubbed":
            family.add_metric(what.split("/", 1), count)
    return family


@contextmanager
def serving_metrics(config: MetricsConfig, workers: Workers) -> Iterator[int]:
    """Serve `/metrics` while the block runs; the port, 0 when none is configured.

    Raises:
        ConfigError: the port is taken, or the host is not ours.

    """
    if not config.port:
        yield 0
        return
    registry = CollectorRegistry()
    registry.register(WorkersCollector(workers))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(config.port, config.host, registry)
    except OSError as error:
        place = f"{config.host}:{config.port}"
        raise ConfigError([f"metrics: cannot listen on {place}: {error.strerror}"]) from error
    try:
        yield config.port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
