"""The whole of `tocsin.yaml`."""

from typing import Annotated, Self

from pydantic import Field, ValidationInfo, model_validator

from schemas.config.correlate import ChangesConfig, CorrelateConfig, TopologyConfig
from schemas.config.detect import DetectConfig
from schemas.config.intervals import TimeIntervalConfig
from schemas.config.kafka import KafkaConfig
from schemas.config.limits import LimitsConfig
from schemas.config.names import find_clashes
from schemas.config.notify import NotifyConfig
from schemas.config.record import MetricsConfig, RecordConfig
from schemas.config.remediate import PlaybookConfig
from schemas.config.route import InhibitRuleConfig, RootRoute, SilencesConfig
from schemas.config.scrub import ScrubConfig
from schemas.config.section import Section
from schemas.config.source import SourceConfig
from schemas.config.time import TimeConfig
from schemas.config.watchdog import WatchdogConfig


class Config(Section):
    """All sections; every one has defaults, so an empty file is a configuration.

    `rules` are paths or globs of Prometheus rule files, relative to the configuration file.
    `locality` names the labels whose series meet in one detect partition, `tenant` first.
    """

    kafka: KafkaConfig = KafkaConfig()
    sources: Annotated[tuple[SourceConfig, ...], Field(min_length=1)] = (SourceConfig(),)
    locality: tuple[str, ...] = ("tenant", "service")
    time: TimeConfig = TimeConfig()
    limits: LimitsConfig = LimitsConfig()
    scrub: ScrubConfig = ScrubConfig()
    rules: tuple[str, ...] = ()
    detect: DetectConfig = DetectConfig()
    correlate: CorrelateConfig = CorrelateConfig()
    topology: TopologyConfig = TopologyConfig()
    changes: ChangesConfig = ChangesConfig()
    notify: NotifyConfig = NotifyConfig()
    route: RootRoute | None = None
    inhibit_rules: tuple[InhibitRuleConfig, ...] = Field(default=())
    time_intervals: tuple[TimeIntervalConfig, ...] = Field(default=())
    silences: SilencesConfig = SilencesConfig()
    playbooks: tuple[PlaybookConfig, ...] = Field(default=())
    record: RecordConfig = RecordConfig()
    metrics: MetricsConfig = MetricsConfig()
    watchdog: WatchdogConfig = WatchdogConfig()

    @model_validator(mode="after")
    def _names_fit(self, info: ValidationInfo) -> Self:
        # what comes from a file is judged with its lines, see `document`
        clashes = [] if (info.context or {}).get("file") else find_clashes(self.model_dump())
        if clashes:
            raise ValueError("; ".join(what for _, what in clashes))
        return self
