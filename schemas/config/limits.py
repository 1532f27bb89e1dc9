"""Section `limits`: caps, so that nothing grows without a bound."""

from schemas.config.section import Count, Section, Span


class LimitsConfig(Section):
    """Caps on what comes in; what is over one is refused with a reason and counted."""

    message_bytes: Count = 1_048_576
    labels_per_series: Count = 64
    label_name_bytes: Count = 256
    label_value_bytes: Count = 2_048
    series: Count = 1_000_000
    series_per_tenant: Count = 200_000
    tenants: Count = 10_000
    samples_per_second: Count = 1_000_000
    burst: Span = 10_000
    samples_per_message: Count = 100_000
    series_idle: Span = 3_600_000
    dead_letters_per_minute: Count = 100
