"""ProducerCollector: a producer's figures for a service's own Prometheus metrics.

    REGISTRY.register(ProducerCollector(producer))

Labels are reasons from an enum, and every reason is there from the start.
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.produce.client import Producer


class ProducerCollector(Collector):
    """Samples sent, dropped and queued."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def collect(self) -> Iterator[Metric]:
        """Yield the figures as they are now."""
        stats = self._producer.stats()
        yield CounterMetricFamily(
            "tocsin_producer_sent_samples", "Samples that the brokers have.", value=stats.sent
        )
        dropped = CounterMetricFamily(
            "tocsin_producer_dropped_samples", "Samples given up.", labels=["reason"]
        )
        for reason, count in stats.dropped.items():
            dropped.add_metric([reason.value], count)
        yield dropped
        yield GaugeMetricFamily(
            "tocsin_producer_queued_samples", "Samples on their way.", value=stats.queued
        )
