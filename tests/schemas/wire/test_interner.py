"""The interner: limits by tenant, silence, memory that comes back, and what outlives a restart."""

import numpy as np
import pytest

from schemas.config import LimitsConfig
from schemas.errors import CheckpointError, DecodeError
from schemas.labels import decode_labels, get_label
from schemas.reasons import DeadLetterReason as Why
from schemas.wire import tenants as module
from schemas.wire.interner import Identity, Interner


def make(**limits: int) -> Interner:
    return Interner(Identity(partitions=4), LimitsConfig(**limits))


def add(interner: Interner, tenant: str, *names: str, minute: int = 0) -> list[int]:
    """Ids of a tenant's series, heard in this minute."""
    interner.turn(minute)
    ids = [
        interner.intern("m", f"{tenant} {name}".encode(), {"tenant": tenant, "n": name})
        for name in names
    ]
    interner.hear(np.array(ids), minute)
    return ids


def refusal(interner: Interner, tenant: str, name: str) -> tuple[Why, str]:
    """Reason, and whose it is."""
    with pytest.raises(DecodeError) as found:
        add(interner, tenant, name)
    return found.value.reason, found.value.tenant


def test_each_id_knows_its_tenant() -> None:
    """Tenants have numbers in the order in which they came."""
    interner = make()
    ids = add(interner, "a", "1", "2") + add(interner, "b", "1")

    assert [0, 0, 1] == interner.tenant_numbers(np.array(ids)).tolist()
    assert ["a", "b"] == interner.tenants.names


def test_refused_series_leave_no_trace() -> None:
    """However many a tenant sends above its limit, nothing of them is remembered."""
    interner = make(series_per_tenant=2)
    add(interner, "a", "1", "2")

    assert {(Why.TOO_MANY_SERIES, "a")} == {refusal(interner, "a", str(n)) for n in range(3, 99)}
    assert 2 == len(interner) == interner.forms


def test_a_new_form_of_a_known_series_is_taken_at_the_limit() -> None:
    """The limit counts series, not the ways in which they are written."""
    interner = make(series_per_tenant=1)
    (known,) = add(interner, "a", "1")

    assert known == interner.intern("m", b"other form", {"n": "1", "tenant": "a", "empty": ""})
    assert known == interner.get("m", b"other form")


def test_a_flood_is_refused_unread_until_the_minute_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At its limit a tenant may have so many new forms read in a minute; what is remembered is always found."""
    monkeypatch.setattr(module, "MOST_LOOKS", 3)
    interner = make(series_per_tenant=1)
    (known,) = add(interner, "a", "1")
    for number in range(3):
        assert interner.no_room("a") is None
        refusal(interner, "a", f"new {number}")

    labels = {"n": "1", "tenant": "a"}
    assert (Why.TOO_MANY_SERIES, "a") == interner.no_room("a")
    with pytest.raises(DecodeError, match="too_many_series"):
        interner.intern("m", b"other form", labels)
    assert [known] == add(interner, "a", "1")
    assert [1] == add(make(), "b", "1", "2")[1:]
    interner.turn(1)
    assert known == interner.intern("m", b"other form", labels)


def test_forms_of_a_series_are_bounded() -> None:
    """A series that is written in ever new ways is found each time and fills no memory."""
    interner = make()
    ids = {interner.intern("m", str(n).encode(), {"tenant": "a", "n": "1"}) for n in range(1_000)}

    assert {0} == ids
    assert interner.forms < 100


def test_silent_series_go_and_their_memory_with_them() -> None:
    """After `compact` ids are dense again, the series that stayed are found, and the tenant without any is gone."""
    interner = make(series_per_tenant=5_000)
    add(interner, "a", *map(str, range(5_000)), minute=1)
    add(interner, "b", "1", "2", minute=5)
    before = interner.label_bytes.size_bytes
    prints = interner.fingerprints(np.arange(5_000, 5_002)).tolist()

    interner.retire(5)
    assert 5_002 == len(interner)
    assert "1" == get_label(decode_labels(interner.label_bytes[1]), "n")
    kept = interner.compact()

    assert kept is not None
    assert [1] == kept.tolist()
    assert ["b"] == interner.tenants.names
    assert prints == interner.fingerprints(np.arange(2)).tolist()
    assert [0, 1] == add(interner, "b", "1", "2")
    assert 2 == len(interner) == interner.forms
    assert interner.label_bytes.size_bytes < before / 10
    assert interner.compact() is None


def test_who_remembers_ids_is_told() -> None:
    """`resets` grows when series go and when ids change."""
    interner = make()
    add(interner, "a", "1", minute=1)
    add(interner, "a", "2", minute=9)
    seen = [interner.resets]
    interner.retire(5)
    seen.append(interner.resets)
    interner.compact()
    seen.append(interner.resets)

    assert [0, 1, 2] == seen


def test_retired_series_comes_back_under_another_id() -> None:
    """Between `retire` and `compact` the old id keeps its label set, and the series gets a new one."""
    interner = make(series_per_tenant=1)
    (old,) = add(interner, "a", "1", minute=1)
    interner.retire(5)
    (new,) = add(interner, "a", "1", minute=5)

    assert old != new
    assert interner.label_bytes[old] == interner.label_bytes[new]
    assert (Why.TOO_MANY_SERIES, "a") == refusal(interner, "a", "2")
    interner.compact()
    assert 1 == len(interner)


def test_a_restored_interner_knows_series_and_when_they_were_heard() -> None:
    """Limits and silence go on; label sets and partitions come back when a series is heard."""
    first, second = make(series_per_tenant=2), make(series_per_tenant=2)
    ids = np.array(add(first, "a", "1", minute=3) + add(first, "a", "2", minute=4))
    second.restore(first.snapshot(), 4)

    assert (Why.TOO_MANY_SERIES, "a") == refusal(second, "a", "3")
    assert [b"", b""] == list(second.label_bytes)
    assert [0] == add(second, "a", "1", minute=3)
    assert first.label_bytes[0] == second.label_bytes[0]
    assert first.partitions(ids)[0] == second.partitions(ids)[0]
    second.retire(4)
    second.compact()
    assert [0, 1] == add(second, "a", "2", "3")


@pytest.mark.parametrize(
    "changes",
    [
        {"fingerprints": np.zeros(3, np.uint64)},
        {"tenants": np.array([0, 7])},
        {"looks": np.zeros(5, np.int32)},
        {"names": np.frombuffer(b"[1]", np.uint8)},
        {"form_ids": np.array([0, 7])},
        {"form_ids": np.array([0])},
    ],
    ids=str,
)
def test_a_snapshot_that_does_not_fit_is_refused(changes: dict[str, np.ndarray]) -> None:
    """Lengths, tenants and names are checked."""
    interner = make()
    add(interner, "a", "1", "2")

    with pytest.raises(CheckpointError):
        make().restore(interner.snapshot() | changes, 0)
