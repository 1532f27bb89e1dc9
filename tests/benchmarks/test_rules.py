"""The benchmark of rules: what is given to Prometheus is what is given to the engine."""

import cramjam
import numpy as np

from benchmarks.judge import write_request
from benchmarks.rules import METRICS, SERIES, all_labels, rule_groups
from schemas.config import LimitsConfig
from schemas.labels import TENANT, decode_labels, make_labels
from schemas.wire.identity import Identity
from schemas.wire.interner import Interner
from schemas.wire.remote_write.decoder import RemoteWrite


def test_the_body_of_a_remote_write_holds_the_samples() -> None:
    """Read by our own decoder: label sets without the tenant, times and values."""
    labels = [
        make_labels({"__name__": "x", TENANT: "default", "n": str(number) * 200})
        for number in range(3)
    ]
    times = 1_760_000_000_000 + np.arange(4) * 15_000
    values = np.arange(12.0).reshape(3, 4) / 7
    body = bytes(cramjam.snappy.compress_raw(write_request(labels, times, values)))
    interner = Interner(Identity(), LimitsConfig())

    found = RemoteWrite(LimitsConfig()).decode([body], interner)

    order = np.lexsort((found.times, found.series))
    assert np.tile(times, 3).tolist() == found.times[order].tolist()
    assert values.ravel().tolist() == found.values[order].tolist()
    first = found.series[order][::4].tolist()
    assert labels == [decode_labels(interner.label_bytes[at]) for at in first]


def test_there_are_as_many_rules_and_series_as_is_said() -> None:
    """50 sound rules over 100,000 different series of ten metrics."""
    labels = all_labels()

    assert 100_000 == SERIES == len(set(labels))
    assert METRICS == len({dict(each)["__name__"] for each in labels})
    assert 50 == len(rule_groups()[0].rules)
