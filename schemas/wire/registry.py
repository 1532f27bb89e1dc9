"""Formats by name: our own, and those that installed packages offer under the entry points `tocsin.formats`.

An entry point names a `schemas.wire.format.Format`. Our names cannot be taken over. It is loaded when a source asks
for it, so that nobody pays for a format that is not used.

Refuses an unknown name with the nearest known one, and a format whose packages are not installed.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from schemas.config.near import nearest
from schemas.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:  # the configuration asks for names before the formats can be imported
    from schemas.config.limits import LimitsConfig
    from schemas.config.options import OptionsConfig
    from schemas.wire.columns import Decoder
    from schemas.wire.format import Format

GROUP = "tocsin.formats"
AUTO = "auto"
"""The one that looks at each record, and at its headers where it is given them."""
CLOUD_EVENTS = "cloud_events"
CONFLUENT = "confluent"
LOOK_AT_HEADERS = frozenset({AUTO, CLOUD_EVENTS, CONFLUENT})
"""Those that ask a record's headers."""
OURS = {
    "arrow": "schemas.wire.arrow:ARROW",
    AUTO: "schemas.wire.auto:AUTO",
    CLOUD_EVENTS: "schemas.wire.auto:CLOUD_EVENTS",
    CONFLUENT: "schemas.wire.confluent.decoder:CONFLUENT",
    "debezium": "schemas.wire.debezium:DEBEZIUM",
    "influx": "schemas.wire.influx:INFLUX",
    "native": "schemas.wire.format:NATIVE",
    "otlp": "schemas.wire.otlp.records:OTLP",
    "otlp_logs": "schemas.wire.otlp.records:LOGS",
    "otlp_metrics": "schemas.wire.otlp.records:METRICS",
    "otlp_traces": "schemas.wire.otlp.records:TRACES",
    "prometheus_adapter": "schemas.wire.prometheus_adapter:PROMETHEUS_ADAPTER",
    "remote_write": "schemas.wire.remote_write.decoder:REMOTE_WRITE",
    "samples": "schemas.wire.samples:SAMPLES",
    "telegraf": "schemas.wire.telegraf:TELEGRAF",
    "vector": "schemas.wire.vector:VECTOR",
}


@cache
def _known() -> Mapping[str, EntryPoint]:
    theirs = {point.name: point for point in entry_points(group=GROUP)}
    return theirs | {name: EntryPoint(name, path, GROUP) for name, path in OURS.items()}


def names() -> list[str]:
    """Return all names, sorted."""
    return sorted(_known())


def find_format(name: str) -> "Format":
    """The format of this name.

    Raises:
        ConfigError: there is none, or it cannot be loaded; says why.

    """
    if name not in _known():
        raise ConfigError([f"unknown format '{name}': {nearest(name, names())}"])
    try:
        found: Format = _known()[name].load()
    except MissingExtraError as error:
        raise ConfigError([str(error)]) from error
    except (ImportError, AttributeError) as error:
        raise ConfigError([f"format '{name}' cannot be loaded: {error}"]) from error
    return found


def make_decoder(
    name: str, limits: "LimitsConfig", options: "OptionsConfig | None" = None
) -> "Decoder":
    """Decoder of the format of this name; raises ConfigError as `find_format` does."""
    found = find_format(name)
    if found.configured is None or options is None:
        return found.make(limits)
    return found.configured(limits, options)
