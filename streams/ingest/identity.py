"""What a source's configuration says of whose its samples are and how they are called: interner, decoder, scrubber."""

from functools import partial

from schemas.config import Config, SourceConfig
from schemas.labelling import Labelling
from schemas.mapping import OTEL_LABELS
from schemas.scrub import Scrubber
from schemas.wire.columns import Decoder
from schemas.wire.identity import Identity
from schemas.wire.interner import Interner
from schemas.wire.registry import make_decoder
from streams.ingest.by_tenant import ByTenant


def make_scrubber(config: Config) -> Scrubber | None:
    """Scrubber as configured; None where nothing is to be scrubbed.

    Raises:
        ConfigError: the secret is not there.

    """
    scrub = config.scrub
    if not scrub.enabled:
        return None
    return Scrubber(
        (scrub.secret.reveal() or f"tocsin {config.kafka.prefix}").encode(),
        kinds=scrub.kinds,
        patterns=scrub.patterns,
        allow=scrub.allow,
        ip_labels=scrub.ip_labels,
    )


def make_identity(config: Config, source: SourceConfig, partitions: int) -> Identity:
    """How tenant and locality of a source's series are found; `partitions` is the number of detect partitions."""
    tenant = source.tenant
    return Identity(
        tenant.label if tenant.said_by_label else "",
        tenant.of_topic(source.topic) or tenant.default,
        config.locality[1:],
        partitions,
    )


def make_interner(config: Config, source: SourceConfig, *, partitions: int) -> Interner:
    """Interner of one source partition.

    Raises:
        ConfigError: the secret of `scrub` is not there.

    """
    labelling = Labelling(
        [each.rule for each in source.relabel],
        {**OTEL_LABELS, **source.labels},
        make_scrubber(config),
    )
    return Interner(make_identity(config, source, partitions), config.limits, labelling)


def make_source_decoder(config: Config, source: SourceConfig) -> Decoder:
    """Decoder of one source partition."""
    make = partial(make_decoder, source.format, config.limits, source.options)
    tenant = source.tenant
    if not tenant.header:
        return make()
    return ByTenant(tenant.header, tenant.default, config.limits, make)
