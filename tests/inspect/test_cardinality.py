"""Cardinality: values of each label, and which of them look like identities."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from schemas.labels import make_labels
from streams.inspect.cardinality import MANY, label_reports


def test_values_and_series_are_counted() -> None:
    """A label tells its series, its values and the most frequent of them; the one with most values comes first."""
    sets = [make_labels({"__name__": "m", "a": str(n % 3), "b": "x"}) for n in range(7)]
    first, second = label_reports(sets)

    assert ("a", 7, 3, [("0", 3), ("1", 2), ("2", 2)], "") == (
        first.name,
        first.series,
        first.values,
        first.top,
        first.warning,
    )
    assert ("b", 1) == (second.name, second.values)


@pytest.mark.parametrize(
    ("value", "warned"),
    [
        (lambda n: f"{n:08x}-0000-4000-8000-000000000000", "identities"),
        (lambda n: sha256(str(n).encode()).hexdigest(), "identities"),
        (lambda n: str(1_000_000 + n), "identities"),
        (lambda n: f"<email:{n:012x}>", "identities"),
        (lambda n: f"/orders/{n}", "of its own"),
        (lambda n: f"/orders/{n % 60}", ""),
    ],
)
def test_labels_that_tell_no_two_series_alike_are_warned_of(
    value: Callable[[int], str], warned: str
) -> None:
    """Hashes, numbers and UUIDs look like identities; so does a label whose every value is new."""
    (found,) = label_reports(make_labels({"l": value(n)}) for n in range(400))

    assert warned in found.warning
    assert bool(warned) == bool(found.warning)


def test_few_values_are_no_trouble() -> None:
    """Under fifty values nothing is warned of."""
    (found,) = label_reports(make_labels({"l": str(10**6 + n)}) for n in range(MANY - 1))

    assert "" == found.warning
