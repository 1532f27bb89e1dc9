"""What stands in `tocsin.yaml`: one pydantic model file a section; strict keys, units in names."""

from schemas.config.correlate import ChangesConfig, CorrelateConfig, TopologyConfig
from schemas.config.document import Document, find_problems, load_document, read_document
from schemas.config.kafka import KafkaConfig
from schemas.config.limits import LimitsConfig
from schemas.config.notify import NotifyConfig, StdoutReceiver, WebhookReceiver
from schemas.config.record import MetricsConfig, RecordConfig
from schemas.config.remediate import PlaybookConfig
from schemas.config.root import Config
from schemas.config.source import SourceConfig
from schemas.config.time import TimeConfig
from schemas.config.watchdog import WatchdogConfig

__all__ = [
    "ChangesConfig",
    "Config",
    "CorrelateConfig",
    "Document",
    "KafkaConfig",
    "LimitsConfig",
    "MetricsConfig",
    "NotifyConfig",
    "PlaybookConfig",
    "RecordConfig",
    "SourceConfig",
    "StdoutReceiver",
    "TimeConfig",
    "TopologyConfig",
    "WatchdogConfig",
    "WebhookReceiver",
    "find_problems",
    "load_document",
    "read_document",
]
