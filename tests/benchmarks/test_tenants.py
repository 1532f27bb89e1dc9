"""The benchmark of tenants: the flood is what it says, and the others lose nothing."""

import json

from benchmarks.tenants import LIMIT, SERIES, TENANTS, WARM_UP_SECONDS, Senders, run


def test_each_sample_of_the_flood_has_a_series_of_its_own() -> None:
    """Twenty tenants send their series again, the flood sends none twice."""
    senders = Senders("random")
    sent = [json.loads(each) for second in range(2) for each in senders.second(second)]
    seen: dict[str, set[str]] = {}
    for each in sent:
        seen.setdefault(each["labels"]["tenant"], set()).add(each["labels"]["service"])

    assert 2 * SERIES * (TENANTS + 1) == len(sent)
    assert [SERIES] * TENANTS + [2 * SERIES] == [len(seen[tenant]) for tenant in sorted(seen)]


def test_only_the_flood_is_refused() -> None:
    """Above its limit the flood is refused; what is measured are the samples of the others."""
    measured = run("ingest", ["none", "random"], WARM_UP_SECONDS + 1)

    assert SERIES * (WARM_UP_SECONDS + 1) - LIMIT == measured.notes["refused"]
    assert TENANTS * SERIES == measured.messages
    assert {"none_cpu_us", "random_cpu_us"} < measured.notes.keys()
