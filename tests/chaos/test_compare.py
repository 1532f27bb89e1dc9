"""That the comparison sees what it is there to see."""

import json
from collections.abc import Sequence

from tests.chaos.compare import Written, compare
from tests.chaos.report import as_json, as_text, sound
from tests.chaos.run import Result


def record(revision: int, title: str = "cart", *, provisional: bool = False) -> bytes:
    told = {
        "id": "1f",
        "revision": revision,
        "title": title,
        "provisional": provisional,
        "group_key": "acme/cart",
        "announce": None if revision % 2 else "first",
    }
    return json.dumps(told).encode()


def written(records: Sequence[bytes], pages: dict[str, list[bytes]] | None = None) -> Written:
    return Written.of(records, pages or {})


def test_repetitions_and_provisional_records_are_no_difference() -> None:
    """What identities absorb is counted, and not held against the run."""
    calm = written([record(1), record(2), record(3)])
    storm = written(
        [record(1), record(2), record(9, provisional=True), record(1), record(2), record(3)]
    )
    assert [] == compare(calm, storm)
    assert (0, 2) == (calm.repeated, storm.repeated)


def test_a_lost_record_is_told() -> None:
    """Which it is, and that the disturbed run has nothing there."""
    (found,) = compare(written([record(1), record(2)]), written([record(1)]))
    assert "incident 1f, record 2" == found.what
    assert "+(nothing)" in str(found)
    assert '-  "revision": 2,' in str(found) or '- "revision": 2,' in str(found)


def test_a_record_with_other_bytes_is_told_by_both_sides() -> None:
    """The lines that differ stand in the report, as in a diff."""
    (found,) = compare(written([record(1, "cart")]), written([record(1, "web")]))
    assert '- "title": "cart"' in str(found)
    assert '+ "title": "web"' in str(found)


def test_two_versions_of_one_record_are_told() -> None:
    """A worker that went on after it had lost its partitions would write the second."""
    (found,) = compare(written([record(1)]), written([record(1), record(1, "web")]))
    assert "incident 1f, record 1" == found.what


def test_an_old_record_behind_a_newer_one_is_told() -> None:
    """The last record of a key is the incident: a zombie's must not lie there."""
    (found,) = compare(written([record(1), record(2)]), written([record(1), record(2), record(1)]))
    assert "incident 1f: the last record is not the newest" == found.what
    assert ("2", "1") == (found.calm, found.storm)


def test_a_page_too_many_too_few_or_another_one_is_told() -> None:
    """Pages are held against each other by key and body."""
    calm = written([], {"a": [b"1"], "b": [b"2"], "d": [b"4"]})
    storm = written([], {"a": [b"1"], "b": [b"2", b"3"], "c": [b"3"]})
    assert ["page b", "page c", "page d"] == [found.what for found in compare(calm, storm)]


def test_a_report_with_a_difference_is_not_sound() -> None:
    """Exit code, text and JSON say so; the first difference is printed."""
    bad = Result("7/1", calm=written([record(1)]), storm=written([]))
    bad.differences = compare(bad.calm, bad.storm)
    text = as_text([bad], ["broker's disk full: only root may mount one"])
    assert "differences 1\n" in text
    assert "!!! left out: broker's disk full: only root may mount one !!!" in text
    assert "incident 1f, record 1" in text
    assert not sound([bad])
    told = json.loads(as_json([bad], []))
    assert not told["sound"]
    assert 1 == len(told["runs"][0]["differences"])


def test_a_standstill_over_the_limit_is_not_sound() -> None:
    """Nothing differs, and yet the run is not good."""
    assert sound([Result("1")])
    assert not sound([Result("1"), Result("2", stalls=1)])
