"""Section `sources`: the telemetry topics, how to read them and whose they are."""

from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from schemas.config.options import OptionsConfig
from schemas.config.relabel import RelabelConfig
from schemas.config.section import Section
from schemas.config.tenant import TenantConfig
from schemas.errors import ConfigError
from schemas.wire import registry

DEFAULT = "native"


class SourceConfig(Section):
    """One telemetry topic.

    `keyed: true` says that producers key by locality, so that ingest and detect run fused, with no hop between them.
    `metrics`, where given, are the names that this topic carries: `tocsin check` holds the rules against them.
    """

    topic: str = "telemetry"
    format: str = DEFAULT
    options: OptionsConfig = Field(default=OptionsConfig(), validate_default=True)
    keyed: bool = False
    metrics: tuple[str, ...] = ()
    tenant: TenantConfig = TenantConfig()
    labels: dict[str, str] = {}
    relabel: tuple[RelabelConfig, ...] = ()

    @field_validator("format")
    @classmethod
    def _format_is_there(cls, name: str) -> str:
        try:
            registry.find_format(name)
        except ConfigError as error:
            raise ValueError("; ".join(error.problems)) from error
        return name

    @field_validator("options")
    @classmethod
    def _options_mean_something(cls, options: OptionsConfig, info: ValidationInfo) -> OptionsConfig:
        name = info.data.get("format")
        # without a name there is no such format, a fault already; the default is made before formats can be asked
        if name is None or (name == DEFAULT and not options.model_fields_set):
            return options
        taken = registry.find_format(name).options
        strange = sorted(options.model_fields_set - set(taken))
        if strange:
            known = f"it takes {', '.join(taken)}" if taken else "it takes none"
            raise ValueError(f"format '{name}' has no option {', '.join(strange)}: {known}")
        if name == registry.CONFLUENT and options.registry is None:
            raise ValueError(f"format '{name}' needs options.registry.url: where the schemas are")
        return options

    @model_validator(mode="after")
    def _topic_names_a_tenant(self) -> Self:
        if self.tenant.topic and self.tenant.of_topic(self.topic) is None:
            raise ValueError(
                f"tenant.topic {self.tenant.topic!r} finds no tenant in the topic {self.topic!r}"
            )
        return self

    @property
    def needs_headers(self) -> bool:
        """Whether records are to be read with their headers."""
        return bool(self.tenant.header) or self.format in registry.LOOK_AT_HEADERS
