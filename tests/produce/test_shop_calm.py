import numpy as np
import pytest
from numpy.typing import NDArray

from streams.produce.shop import NAMES, TENANTS, Shop
from streams.produce.shop.physics import BOUNDS_SECONDS, SPREAD, Tick

START_MS = 1_700_000_000_000
SEEDS = range(20)
STEPS = 380  # 95 minutes
WINDOW = 20  # steps: five minutes

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def calm() -> list[list[Tick]]:
    """Twenty shops without faults, begun at hours all over the day."""
    shops = [Shop(seed, START_MS + seed * 4_321_000, kinds=()) for seed in SEEDS]
    return [[shop.advance() for _ in range(STEPS)] for shop in shops]


def five_minutes(values: Array) -> Array:
    """Return the sums over each window of five minutes along the first axis."""
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    sums: Array = total[WINDOW:] - total[:-WINDOW]
    return sums


def requests(ticks: list[Tick]) -> Array:
    return np.array([tick.requests.sum(axis=2) for tick in ticks], dtype=np.float64)


def p99(buckets: Array) -> Array:
    """Estimate the quantile from buckets as Prometheus does, shape without the last axis."""
    below = buckets.cumsum(axis=-1)
    rank = 0.99 * below[..., -1:]
    place = np.minimum((below < rank).sum(axis=-1, keepdims=True), len(BOUNDS_SECONDS) - 1)
    floor = np.concatenate([[0.0], BOUNDS_SECONDS])[place]
    here = np.take_along_axis(buckets, place, axis=-1)
    before = np.take_along_axis(below, place, axis=-1) - here
    estimate: Array = floor + (BOUNDS_SECONDS[place] - floor) * (rank - before) / here
    return estimate[..., 0]


def test_traffic_stays_near_its_past(calm: list[list[Tick]]) -> None:
    """No service's requests in five minutes differ by a quarter from the five before."""
    for ticks in calm:
        counts = five_minutes(requests(ticks).sum(axis=-1))
        ratio = counts[WINDOW:] / counts[:-WINDOW]

        assert 0.75 < ratio.min()
        assert ratio.max() < 1.25


def test_errors_stay_few(calm: list[list[Tick]]) -> None:
    """In no five minutes does any service fail one request in fifty."""
    for ticks in calm:
        counts = five_minutes(requests(ticks))

        assert (counts[..., 2] / counts.sum(axis=-1)).max() < 0.02


def test_latency_stays_near_its_median(calm: list[list[Tick]]) -> None:
    """Mean and p99 over five minutes stay within a fifth of their median."""
    for ticks in calm:
        seconds = five_minutes(np.array([tick.seconds.sum(axis=2) for tick in ticks]))
        mean = seconds / five_minutes(requests(ticks).sum(axis=-1))
        tail = p99(five_minutes(np.array([tick.buckets.sum(axis=2) for tick in ticks])))

        for latency in (mean, tail):
            ratio = latency / np.median(latency, axis=0)
            assert 0.8 < ratio.min()
            assert ratio.max() < 1.2


def test_gauges_stay_low(calm: list[list[Tick]]) -> None:
    """Memory moves by a few percent, and no process or host is half busy."""
    for ticks in calm:
        memory = np.array([tick.memory_bytes for tick in ticks])

        assert np.abs(memory / np.median(memory, axis=0) - 1.0).max() < 0.08
        assert max(tick.cpu.max() for tick in ticks) < 0.5
        assert max(tick.host_cpu.max() for tick in ticks) < 0.5


def test_traffic_follows_the_hour() -> None:
    """A tenant has clearly more requests at its hour of peak than twelve hours later."""
    midnight_ms = START_MS - START_MS % 86_400_000
    counts = []
    for hour in (2, 14):
        shop = Shop(1, midnight_ms + hour * 3_600_000, kinds=())
        counts.append(requests([shop.advance() for _ in range(WINDOW)])[:, 0, 0].sum())

    assert 1.5 < counts[1] / counts[0] < 2.3


def test_the_histogram_and_the_sum_agree(calm: list[list[Tick]]) -> None:
    """Buckets count every request, and the sum of latencies lies where the buckets allow."""
    for ticks in calm[:3]:
        counts = requests(ticks).sum(axis=(0, 3))
        buckets = np.array([tick.buckets.sum(axis=2) for tick in ticks]).sum(axis=0)
        seconds = np.array([tick.seconds.sum(axis=2) for tick in ticks]).sum(axis=0)
        least = (buckets[..., 1:] * BOUNDS_SECONDS).sum(axis=-1)

        assert (counts == buckets.sum(axis=-1)).all()
        assert (least < seconds).all()
        assert seconds.shape == (len(TENANTS), len(NAMES))


def test_the_spread_is_that_of_the_distribution() -> None:
    """The closed form of the spread is the numeric one of a log-logistic with that shape."""
    part = (np.arange(4_000_000) + 0.5) / 4_000_000
    latency = (part / (1.0 - part)) ** 0.25

    assert SPREAD == pytest.approx(latency.std() / latency.mean(), rel=2e-3)
