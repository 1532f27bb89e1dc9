"""The quota: token buckets over columns give what one bucket after the other gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from streams.ingest import quota as module
from streams.ingest.quota import Quota

arrivals = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=60)


def columns(found: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Tenant and second of each sample; the second numbers are steps."""
    tenants, steps = zip(*found, strict=True)
    return list(tenants), np.cumsum(steps).tolist()


def admitted(quota: Quota, tenants: list[int], seconds: list[int]) -> list[bool]:
    mask = quota.admit(np.array(tenants, np.int32), np.array(seconds, np.int64))
    return [True] * len(tenants) if mask is None else mask.tolist()


def one_by_one(tenants: list[int], seconds: list[int], rate: int, burst: int) -> list[bool]:
    """The definition: a bucket a tenant, a sample at a time."""
    buckets: dict[int, tuple[int, int]] = {}
    out = []
    for tenant, second in zip(tenants, seconds, strict=True):
        tokens, at = buckets.get(tenant, (rate * burst, 0))
        tokens = min(rate * burst, tokens + rate * (second - at))
        out.append(tokens > 0)
        buckets[tenant] = tokens - out[-1], second
    return out


@given(arrivals, st.integers(1, 4), st.integers(1, 3))
def test_columns_are_judged_as_sample_by_sample(
    found: list[tuple[int, int]], rate: int, burst: int
) -> None:
    """The verdict of each sample is that of a plain bucket."""
    tenants, seconds = columns(found)

    assert one_by_one(tenants, seconds, rate, burst) == admitted(
        Quota(rate, burst), tenants, seconds
    )


@given(arrivals, st.data())
def test_cuts_and_restarts_change_no_verdict(
    found: list[tuple[int, int]], data: st.DataObject
) -> None:
    """In pieces of any size, each read by a quota restored from the one before, the verdicts are the same."""
    tenants, seconds = columns(found)
    expected = admitted(Quota(2, 2), tenants, seconds)
    got: list[bool] = []
    quota = Quota(2, 2)
    while len(got) < len(tenants):
        end = len(got) + data.draw(st.integers(1, len(tenants)))
        got += admitted(quota, tenants[len(got) : end], seconds[len(got) : end])
        state, quota = quota.snapshot(), Quota(2, 2)
        quota.restore(**state)

    assert expected == got


@given(arrivals)
def test_many_tenants_and_seconds_are_looked_at_in_halves(found: list[tuple[int, int]]) -> None:
    """However few cells fit, the verdicts are the same."""
    tenants, seconds = columns(found)
    expected = admitted(Quota(1, 2), tenants, seconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_CELLS", 2)

        assert expected == admitted(Quota(1, 2), tenants, seconds)


def test_newest_are_refused_and_others_untouched() -> None:
    """Of a second's samples those go that came last; another tenant's all stay."""
    tenants, seconds = [0, 1, 0, 0, 1, 0], [0] * 6

    assert [True, True, True, False, True, False] == admitted(Quota(2, 1), tenants, seconds)


def test_a_bucket_is_refilled_each_second_and_never_over_its_burst() -> None:
    """After a long pause a tenant may send its burst at once, and no more."""
    quota = Quota(2, 3)

    assert [True] * 6 + [False] == admitted(quota, [0] * 7, [0] * 7)
    assert [True] * 2 + [False] == admitted(quota, [0] * 3, [1] * 3)
    assert [True] * 6 + [False] == admitted(quota, [0] * 7, [100] * 7)


def test_tenants_that_go_leave_the_others_their_tokens() -> None:
    """After `keep` the numbers are new, the buckets those of before, and a number used again finds a full one."""
    quota = Quota(2, 1)
    admitted(quota, [0, 1, 1, 2], [5] * 4)
    quota.keep(np.array([1, 2]))

    assert [False, True, False, True, True, False] == admitted(quota, [0, 1, 1, 2, 2, 2], [5] * 6)


def test_lower_limit_holds_at_once_after_a_restart() -> None:
    """Tokens saved under a higher limit are cut to the new one."""
    before = Quota(100, 1)
    admitted(before, [0], [0])
    quota = Quota(1, 1)
    quota.restore(**before.snapshot())

    assert [True, False] == admitted(quota, [0, 0], [0, 0])


def test_columns_that_do_not_fit_are_refused() -> None:
    """A snapshot with columns of different lengths is none."""
    with pytest.raises(CheckpointError, match="lengths"):
        Quota(1, 1).restore(np.zeros(1, np.int64), np.zeros(2, np.int64))
