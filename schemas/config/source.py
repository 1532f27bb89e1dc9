"""Section `sources`: the telemetry topics, how to read them and whose they are."""

from pydantic import field_validator

from schemas.config.section import Section
from schemas.errors import ConfigError
from schemas.wire import registry


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
    format: str = "native"
    keyed: bool = False
    metrics: tuple[str, ...] = ()
    tenant: TenantConfig = TenantConfig()

    @field_validator("format")
    @classmethod
    def _format_is_there(cls, name: str) -> str:
        try:
            registry.find_format(name)
        except ConfigError as error:
            raise ValueError("; ".join(error.problems)) from error
        return name
