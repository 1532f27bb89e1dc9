"""Tenants of a store: each has its limit, and refusing costs no memory."""

import numpy as np
import pytest

from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from streams.windows import tenants as module
from streams.windows.series import SeriesStore
from streams.windows.tenants import StoreTenants


def rows(store: SeriesStore, *series: tuple[str, int]) -> list[int]:
    """Rows of these series, each a tenant and a number."""
    encoded = [
        encode_labels(make_labels({"__name__": "m", "__tenant__": tenant, "n": str(number)}))
        for tenant, number in series
    ]
    prints = np.array([fingerprint_bytes(each) for each in encoded], np.uint64)
    return store.rows(prints, encoded).tolist()


def test_a_tenant_at_its_limit_takes_no_room_from_others() -> None:
    """Its further series get -1, those it has keep their rows, and another tenant's come in."""
    store = SeriesStore(max_series=10, max_per_tenant=2)

    assert [0, 1, -1, -1, 2, 0] == rows(
        store, ("a", 0), ("a", 1), ("a", 2), ("a", 3), ("b", 0), ("a", 0)
    )
    assert 3 == len(store)


def test_refusing_changes_nothing_that_rules_look_at() -> None:
    """The generation stays, so no selector looks for new series."""
    store = SeriesStore(max_series=10, max_per_tenant=1)
    rows(store, ("a", 0))
    before = store.generation

    assert [-1, -1] == rows(store, ("a", 1), ("a", 2))
    assert before == store.generation


def test_room_comes_back_when_series_go() -> None:
    """What was refused is taken once its tenant has room, also by a restored store."""
    store = SeriesStore(max_series=10, max_per_tenant=1)
    rows(store, ("a", 0))
    assert [-1] == rows(store, ("a", 1))
    restored = SeriesStore(max_series=10, max_per_tenant=1)
    restored.restore(store.snapshot())

    for each in (store, restored):
        assert [-1] == rows(each, ("a", 1))
        each.retire(1)
        assert [0, -1] == rows(each, ("a", 1), ("a", 0))


def test_what_is_remembered_of_refusals_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgotten ones are refused again all the same."""
    monkeypatch.setattr(module, "MOST_REFUSED", 4)
    tenants = StoreTenants(10, 1)
    tenants.resize(1)
    tenants.add(0, "a")

    assert not any(tenants.admits("a", n) for n in range(99))
    assert sum(map(tenants.refused, range(99))) <= 4


def test_tenants_without_series_are_forgotten_above_the_cap() -> None:
    """However many tenants come and go, those known are no more than may have series."""
    store = SeriesStore(max_series=3)
    rows(store, ("stays", 0))
    store.append(np.array([0]), np.array([100]), np.array([1.0]))
    for number in range(50):
        rows(store, (f"t{number}", 0))
        store.retire(50)

    assert len(store.tenants) <= 3
    assert "stays" in store.tenants
    assert [0] == rows(store, ("stays", 0))


def test_columns_get_shorter_when_most_series_have_gone() -> None:
    """A burst of series leaves no room behind; what lives keeps row and samples, and a restart too."""
    store = SeriesStore(max_series=100_000)
    (row,) = rows(store, ("a", 0))
    burst = np.array(rows(store, *(("b", n) for n in range(20_000))))
    store.append(burst, np.full(len(burst), 10), np.ones(len(burst)))
    store.append(np.array([row]), np.array([1_000]), np.array([7.0]))
    samples = len(store._arena.columns.times)
    store.retire(500)

    assert len(store.born) <= 2_048
    assert len(store._arena.columns.times) < samples / 50
    restored = SeriesStore(max_series=100_000)
    restored.restore(store.snapshot())
    for each in (store, restored):
        assert [row, row + 1] == rows(each, ("a", 0), ("c", 0))
        assert [7.0] == each.instant(np.array([row]), 1_000, 5_000).values.tolist()
