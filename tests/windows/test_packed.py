"""Label sets held without what thousands of them begin with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import METRIC, TENANT, encode_labels, make_labels
from streams.windows import packed
from streams.windows.packed import pack, unpack

TEXT = st.text(max_size=6) | st.sampled_from(['"],["', '","', '"]]', '\\"', "[[", "]"])
LABELS = st.dictionaries(TEXT, TEXT, max_size=5).map(make_labels)


def series(number: int, metric: str = "m") -> bytes:
    """Canonical bytes of one of many series."""
    return encode_labels(make_labels({METRIC: metric, TENANT: "t", "pod": f"pod-{number}"}))


@given(st.lists(LABELS, max_size=6))
def test_whatever_is_packed_comes_back(several: list[tuple[tuple[str, str], ...]]) -> None:
    """Names and values that look like JSON, no labels at all, few or many: the same bytes are read again."""
    encoded = [encode_labels(labels) for labels in several]
    assert encoded == [unpack(each) for each in map(pack, encoded)]


def test_series_of_one_metric_take_little_more_than_what_tells_them_apart() -> None:
    """Metric and tenant are not held again for each."""
    assert len('pod","pod-7') + 2 == len(pack(series(7)))


def test_only_so_many_beginnings_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no number left, label sets of yet another metric are held as they are, and read like the others."""
    known = pack(series(1, "known"))
    monkeypatch.setattr(packed, "MOST_HEADS", len(packed._heads))
    new = series(1, "seen_too_late")
    assert len(new) + 2 == len(pack(new))
    assert [new, series(1, "known")] == [unpack(pack(new)), unpack(known)]
    assert known == pack(series(1, "known"))


def test_a_long_beginning_is_not_remembered() -> None:
    """What a tenant can make as long as it likes takes no room for the life of the process."""
    long = series(1, "m" * packed.LONGEST_HEAD)
    assert len(long) + 2 == len(pack(long))
    assert long == unpack(pack(long))
