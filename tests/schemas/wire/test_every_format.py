"""What every format must keep to, whatever bytes it is given; `python -m tests.fuzz` does the same a million times."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.wire.registry import names
from tests.fuzz.claims import check_chunk
from tests.fuzz.corpus import GOOD, mutate

FORMATS = sorted(names())


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """No bytes raise; each record is read, refused or passed over, in order; what stands beside a bad one is read."""
    seeds = st.integers(0, 2**32)
    good = GOOD.get(name) or [b""]
    record = st.one_of(
        st.none(),
        st.binary(max_size=80),
        st.text(max_size=40).map(str.encode),
        st.sampled_from(good),
        st.builds(lambda seed: mutate(random.Random(seed), good), seeds),
    )
    values = data.draw(st.lists(record, max_size=6))

    assert None is check_chunk(name, values)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_good_records_are_read(name: str) -> None:
    """Every record of the corpus that mutations begin with is read by its format."""
    assert None is check_chunk(name, GOOD[name], good=True)
