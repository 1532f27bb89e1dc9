"""How the stretch is cut out of what was counted of each process."""

import pytest

from benchmarks.scaling import Stretch, stretch


def test_only_what_all_did_together_counts() -> None:
    """It begins when the slowest has a tenth of its share, and ends with the looks; rates are sums over processes."""
    quick = [(float(at), 20.0 * at) for at in range(6)]
    slow = [(float(at), 10.0 * max(at - 1, 0)) for at in range(6)]
    cores = [(float(at), 0.5 * at) for at in range(6)]
    broker = [(float(at), 0.25 * at) for at in range(6)]

    found = stretch([quick, slow], [cores, cores], broker, 100.0)

    assert Stretch(30.0, 1.0, 0.25) == pytest.approx(found)
