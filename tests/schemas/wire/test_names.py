"""Names as Telegraf's serializer for Prometheus makes them; its own cases are in convert_test.go beside it."""

import pytest

from schemas.errors import DecodeError
from schemas.wire.names import field_metric, label_name, label_set, metric_name


@pytest.mark.parametrize(
    ("name", "metric", "label"),
    [
        ("cpu_time", "cpu_time", "cpu_time"),
        ("a:b", "a:b", "a_b"),
        ("disk.io-total", "disk_io_total", "disk_io_total"),
        ("5xx", "xx", "xx"),
        ("_kept_", "_kept_", "_kept_"),
        ("-trimmed-", "trimmed", "trimmed"),
        ("größe", "gr__e", "gr__e"),
        ("--", "", ""),
        ("", "", ""),
    ],
)
def test_what_is_no_name_becomes_one(name: str, metric: str, label: str) -> None:
    """A name stays; of any other the bad first character goes, and each other bad one becomes an underscore."""
    assert (metric, label) == (metric_name(name), label_name(name))


def test_a_field_stands_behind_its_measurement() -> None:
    """Measurement and field make the metric; those of Prometheus's own have it in the field."""
    assert ("cpu_usage_idle", "go_threads") == (
        field_metric("cpu", "usage.idle"),
        field_metric("prometheus", "go_threads"),
    )


def test_two_names_that_become_one_are_refused() -> None:
    """Nobody can tell which of the two values is meant."""
    with pytest.raises(DecodeError, match="another label has the same name"):
        label_set({"a.b": "1", "a-b": "2"})
    with pytest.raises(DecodeError, match="nothing is left"):
        label_set({"--": "1"})
