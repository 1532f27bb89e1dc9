"""The whole of `tocsin.yaml`."""

from typing import Self

from pydantic import Field, model_validator

from schemas.config.correlate import CorrelateConfig, TopologyConfig
from schemas.config.kafka import KafkaConfig
from schemas.config.limits import LimitsConfig
from schemas.config.notify import NotifyConfig
from schemas.config.record import MetricsConfig, RecordConfig
from schemas.config.remediate import PlaybookConfig
from schemas.config.section import Section
from schemas.config.source import SourceConfig
from schemas.config.time import TimeConfig


class Config(Section):
    """All sections; every one has defaults, so an empty file is a configuration.

    `rules` are paths or globs of Prometheus rule files, relative to the configuration file.
    `locality` names the labels whose series meet in one detect partition, `tenant` first.
    """

    kafka: KafkaConfig = KafkaConfig()
    sources: tuple[SourceConfig, ...] = (SourceConfig(),)
    locality: tuple[str, ...] = ("tenant", "service")
    time: TimeConfig = TimeConfig()
    limits: LimitsConfig = LimitsConfig()
    rules: tuple[str, ...] = ()
    correlate: CorrelateConfig = CorrelateConfig()
    topology: TopologyConfig = TopologyConfig()
    notify: NotifyConfig = NotifyConfig()
    playbooks: tuple[PlaybookConfig, ...] = Field(default=())
    record: RecordConfig = RecordConfig()
    metrics: MetricsConfig = MetricsConfig()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        if not self.locality or self.locality[0] != "tenant":
            raise ValueError(
                "locality must begin with 'tenant', so that no two tenants are ever joined"
            )
        names = [r.name for r in self.notify.receivers]
        for route in self.notify.routes:
            if route.receiver not in names:
                raise ValueError(
                    f"route to unknown receiver {route.receiver!r}; there are {', '.join(names)}"
                )
        for what, given in (
            ("receiver", names),
            ("playbook", [p.name for p in self.playbooks]),
            ("source topic", [s.topic for s in self.sources]),
        ):
            for name in {n for n in given if given.count(n) > 1}:
                raise ValueError(f"two entries for {what} {name!r}")
        return self
