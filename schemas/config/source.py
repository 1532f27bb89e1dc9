"""Section `sources`: the telemetry topics, how to read them and whose they are."""

from typing import Literal

from schemas.config.section import Section


class TenantConfig(Section):
    """Whose a sample is: the value of a label, or one fixed name."""

    label: str = "tenant"
    default: str = "default"


class SourceConfig(Section):
    """One telemetry topic.

    `keyed: true` says that producers key by locality, so that ingest and detect run fused, with no hop between them.
    `metrics`, where given, are the names that this topic carries: `tocsin check` holds the rules against them.
    """

    topic: str = "telemetry"
    format: Literal["json"] = "json"
    keyed: bool = False
    metrics: tuple[str, ...] = ()
    tenant: TenantConfig = TenantConfig()
