"""Bounds: what a metric's name and a label set must keep to, whatever wire format they came in."""

from collections.abc import Mapping

from schemas.config.limits import LimitsConfig
from schemas.reasons import DeadLetterReason


def find_breach(
    metric: str, labels: Mapping[str, str], limits: LimitsConfig
) -> tuple[DeadLetterReason, str] | None:
    """Which limit a metric's name or a label breaks as it was sent, and how; None when none."""
    if not metric:
        return DeadLetterReason.MISSING_METRIC, "the metric has no name"
    if len(metric.encode()) > limits.label_name_bytes:
        return (
            DeadLetterReason.BAD_METRIC,
            f"metric name of {len(metric)} characters, the limit is {limits.label_name_bytes} bytes",
        )
    if len(labels) > limits.labels_per_series:
        return (
            DeadLetterReason.TOO_MANY_LABELS,
            f"{len(labels)} labels, the limit is {limits.labels_per_series}",
        )
    for name, value in labels.items():
        if not name or name.startswith("__"):
            return (
                DeadLetterReason.BAD_LABEL,
                f"label name {name[:50]!r}: empty, or reserved because it begins with two underscores",
            )
        if len(name.encode()) > limits.label_name_bytes:
            return (
                DeadLetterReason.LABEL_TOO_LONG,
                f"label name of {len(name)} characters, the limit is {limits.label_name_bytes} bytes",
            )
        if len(value.encode()) > limits.label_value_bytes:
            detail = f"value of label {name!r} has {len(value)} characters"
            detail += f", the limit is {limits.label_value_bytes} bytes"
            return DeadLetterReason.LABEL_TOO_LONG, detail
    return None
