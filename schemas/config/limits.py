"""Section `limits`: caps, so that nothing grows without a bound."""

from schemas.config.section import Duration, Section


class LimitsConfig(Section):
    """Caps on what comes in; what is over one is refused with a reason and counted."""

    message_bytes: int = 1_048_576
    labels_per_series: int = 64
    label_name_bytes: int = 256
    label_value_bytes: int = 2_048
    series_per_tenant: int = 200_000
    samples_per_message: int = 100_000
    series_idle: Duration = 3_600_000
