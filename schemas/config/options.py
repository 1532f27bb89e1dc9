"""Section `sources[].options`: what a format has to be told about its producer.

Every key has a default, and a format refuses the keys that mean nothing to it.
"""

from typing import Literal

from schemas.config.section import Count, Secret, SecretText, Section, Span

TimeUnit = Literal["auto", "s", "ms", "us", "ns"]


class RegistryConfig(Section):
    """A schema registry of Confluent's protocol.

    Attributes:
        url: where it is; schemas are asked for at `/schemas/ids/{id}` below it.
        username: for HTTP basic authentication; empty for none.
        password: may name `${env:NAME}` or `${file:PATH}`.
        timeout: how long one question may take.
        forget_after: how long an id that the registry does not know is not asked for again.

    """

    url: str
    username: str = ""
    password: SecretText = Secret("")
    timeout: Span = 5_000
    forget_after: Span = 60_000


class FieldsConfig(Section):
    """Which fields of a record are what; a path into nested records has dots.

    Attributes:
        time: field of the event time; by default the first of `ts`, `timestamp`, `time`, `event_time`,
            `timestamp_ms`, `time_ms` that the record has.
        metric: field that holds the metric's name; by default `metric`, `name` or `metric_name`. Where there is none,
            the metric is named by the record's schema, or `prefix`.
        values: fields that hold values; by default `value`, or else every number that is nothing else.
        labels: fields that are labels, or maps of labels; by default every text, and every map of texts.
        prefix: name of the metric where no field holds one; by default the name of the record's schema.

    """

    time: str = ""
    metric: str = ""
    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    prefix: str = ""


class OptionsConfig(Section):
    """What a format has to be told about its producer.

    Attributes:
        time_unit: unit of times that are numbers; `auto` goes by their size, which is right from March 1973 on.
        registry: where the schemas are, for `confluent`.
        fields: which fields are what, for `confluent`.
        schemas: how many schemas are remembered in each partition.

    """

    time_unit: TimeUnit = "auto"
    registry: RegistryConfig | None = None
    fields: FieldsConfig = FieldsConfig()
    schemas: Count = 1_000
