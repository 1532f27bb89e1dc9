"""How the stretch is cut out of what was counted of each process."""

import pytest

from benchmarks.scaling import Stretch, rows, stretch


def test_only_what_all_did_together_counts() -> None:
    """It begins when the slowest has a tenth of its share, and ends with the looks; rates are sums over processes."""
    quick = [(float(at), 20.0 * at) for at in range(6)]
    slow = [(float(at), 10.0 * max(at - 1, 0)) for at in range(6)]
    cores = [(float(at), 0.5 * at) for at in range(6)]
    broker = [(float(at), 0.25 * at) for at in range(6)]

    found = stretch([quick, slow], [cores, cores], broker, 100.0)

    assert Stretch(30.0, 1.0, 0.25) == pytest.approx(found)


def test_two_cores_allow_what_worker_and_broker_take_of_them() -> None:
    """With a ninth of a worker's time for the broker, two processes can do 1.8 times what one does, and no more."""
    one, two = Stretch(90.0, 0.9, 0.1), Stretch(162.0, 1.62, 0.18)
    assert 180.0 == pytest.approx(one.most(2.0))

    found = {row.name: row for row in rows("scaling", one, two, "x")}

    assert 0.8 == pytest.approx(found["scaling.second_adds"].ratio)
    assert 1.0 == pytest.approx(found["scaling.two_per_core"].ratio)
