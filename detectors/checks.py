"""The conformance suite: what every detector promises, ours or a user's.

Each check takes a factory that makes the same detector again and again, without rows, and raises AssertionError
with the promise that was broken. `CHECKS` lists them; run them all over a new detector before trusting it.
The samples are two and a half days at a quarter of an hour for three series, from a formula: no randomness at run time.

Refuses to judge quality: a detector that never speaks passes.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from detectors.base import Detector, FloatArray, IntArray, Reason, Scores

Factory: TypeAlias = Callable[[], Detector]
Check: TypeAlias = Callable[[Factory], None]
Samples: TypeAlias = tuple[IntArray, IntArray, FloatArray]

SERIES = 3
STEPS = 240
STEP_MS = 900_000
FIELDS = ("raw", "score", "expected", "low", "high", "reason")


def samples(seed: int = 1) -> Samples:
    """Return noise on a daily rhythm with a few spikes, three series in turn, in time order."""
    random = np.random.default_rng(seed)
    step = np.arange(STEPS)
    daily = 10.0 * np.sin(2 * np.pi * step / 96)
    values = 100.0 + daily[:, None] + random.normal(size=(STEPS, SERIES))
    values[random.integers(0, STEPS, 6), random.integers(0, SERIES, 6)] += 40.0
    rows = np.tile(np.arange(SERIES), STEPS)
    return rows, np.repeat(step * STEP_MS, SERIES), values.ravel()


def part(given: Samples, chosen: IntArray | slice) -> Samples:
    """Return some of the samples."""
    rows, times, values = given
    return rows[chosen], times[chosen], values[chosen]


def made(factory: Factory, capacity: int = SERIES) -> Detector:
    """Return a new detector with rows."""
    detector = factory()
    detector.grow(capacity)
    return detector


def fed(detector: Detector, given: Samples, cuts: list[int]) -> Scores:
    """Feed `given` in calls that end at `cuts`, and join the scores."""
    ends = [*cuts, given[0].size]
    calls = [slice(start, end) for start, end in zip([0, *cuts], ends, strict=True)]
    scores = [detector.update(*part(given, call)) for call in calls]
    return Scores(*(np.concatenate([getattr(s, field) for s in scores]) for field in FIELDS))


def equal(expected: Scores, actual: Scores, promise: str) -> None:
    """Assert that all fields are the same bits, NaN being like NaN."""
    for field in FIELDS:
        same = np.array_equal(
            getattr(expected, field), getattr(actual, field), equal_nan=field != "reason"
        )
        assert same, f"{promise}: {field} differs"


def taken(scores: Scores, chosen: IntArray | slice) -> Scores:
    """Return the scores of some samples."""
    return Scores(*(getattr(scores, field)[chosen] for field in FIELDS))


def cuts_change_nothing(factory: Factory) -> None:
    """One call, a call per sample and any other cut give the same scores."""
    given = samples()
    whole = fed(made(factory), given, [])
    size = given[0].size
    equal(whole, fed(made(factory), given, list(range(1, size))), "sample by sample")
    uneven = np.unique(np.random.default_rng(2).integers(1, size, 40)).tolist()
    equal(whole, fed(made(factory), given, uneven), "uneven calls")


def order_of_series_changes_nothing(factory: Factory) -> None:
    """Samples of different series may be mixed in any order, as long as each series keeps its own."""
    given = samples()
    whole = fed(made(factory), given, [])
    by_series = np.argsort(given[0], kind="stable")
    sorted_scores = made(factory).update(*part(given, by_series))
    equal(taken(whole, by_series), sorted_scores, "series by series")


def rows_are_alike(factory: Factory) -> None:
    """Which row a series has changes nothing, and neither do its neighbours."""
    rows, times, values = samples()
    whole = fed(made(factory), (rows, times, values), [])
    moved = fed(made(factory, 9), (np.array([7, 0, 4])[rows], times, values), [])
    equal(whole, moved, "other rows")
    alone = rows == 1
    equal(
        taken(whole, np.flatnonzero(alone)),
        made(factory).update(rows[alone], times[alone], values[alone]),
        "a series alone",
    )


def the_future_changes_nothing(factory: Factory) -> None:
    """Scores of a prefix do not hang on what follows it."""
    rows, times, values = samples()
    half = rows.size // 2
    whole = made(factory).update(rows, times, values)
    changed = np.concatenate([values[:half], values[half:] * -3.0])
    other = made(factory).update(rows, times, changed)
    equal(taken(whole, slice(half)), taken(other, slice(half)), "no look-ahead")


def snapshots_restore(factory: Factory) -> None:
    """A detector restored from a snapshot goes on exactly as the one it was taken from."""
    given = samples()
    half = given[0].size // 2
    whole = fed(made(factory), given, [])
    first = made(factory)
    first.update(*part(given, slice(half)))
    kept = first.snapshot()
    first.update(*part(given, slice(half, None)))
    second = factory()
    second.restore(kept)
    rest = second.update(*part(given, slice(half, None)))
    equal(taken(whole, slice(half, None)), rest, "restored")


def growing_keeps(factory: Factory) -> None:
    """More rows change nothing for those that were there, and fewer are never made."""
    given = samples()
    half = given[0].size // 2
    whole = fed(made(factory), given, [])
    detector = made(factory)
    first = detector.update(*part(given, slice(half)))
    detector.grow(50)
    detector.grow(10)
    rest = detector.update(*part(given, slice(half, None)))
    equal(taken(whole, slice(half)), first, "before growing")
    equal(taken(whole, slice(half, None)), rest, "after growing")
    detector.update(np.array([49]), np.array([0]), np.array([1.0]))


def frozen_rows_do_not_learn(factory: Factory) -> None:
    """What a frozen row is fed leaves no trace once it is free again."""
    rows, times, values = samples()
    half = rows.size // 2
    rest = rows[half:], times[half:], values[half:]
    plain, detector = made(factory), made(factory)
    for bank in (plain, detector):
        bank.update(rows[:half], times[:half], values[:half])
    one = np.array([1])
    detector.freeze(one, frozen=True)
    strange = detector.update(np.repeat(one, 9), np.repeat(times[half], 9), np.arange(9.0) * 1e3)
    assert np.isfinite(strange.score).all(), "frozen rows are scored"
    detector.freeze(one, frozen=False)
    equal(plain.update(*rest), detector.update(*rest), "after the thaw")


def reset_rows_forget(factory: Factory) -> None:
    """A reset row, frozen before or not, scores like a new one, and its neighbours as before."""
    rows, times, values = samples()
    whole = made(factory).update(rows, times, values)
    detector = made(factory)
    one = np.array([1])
    detector.update(np.repeat(one, 99), np.arange(99) * STEP_MS, np.arange(99.0))
    detector.freeze(one, frozen=True)
    detector.reset(one)
    equal(whole, detector.update(rows, times, values), "after the reset")


def taken_rows_go_on(factory: Factory) -> None:
    """Rows that are taken go on under their new numbers, and a row behind them is a new one."""
    given = samples()
    rows, half = given[0], given[0].size // 2
    past, future = part(given, slice(None, half)), part(given, slice(half, None))
    whole = made(factory)
    whole.update(*past)
    expected = whole.update(*future)
    fewer = made(factory)
    fewer.update(*past)
    kept = np.array([2, 0])
    fewer.take(kept, 3)
    for number, row in enumerate(kept.tolist()):
        chosen = np.flatnonzero(rows[half:] == row)
        _, times, values = part(future, chosen)
        actual = fewer.update(np.full(len(chosen), number), times, values)
        equal(taken(expected, chosen), actual, "after taking rows")
    chosen = np.flatnonzero(rows == 1)
    _, times, values = part(given, chosen)
    first = made(factory).update(np.zeros(len(chosen), np.int64), times, values)
    equal(first, fewer.update(np.full(len(chosen), 2), times, values), "behind the taken rows")


def missing_values_leave_no_trace(factory: Factory) -> None:
    """NaN, infinities and the largest doubles get no score, and the samples around them the same as without."""
    rows, times, values = samples()
    whole = made(factory).update(rows, times, values)
    holes = np.arange(0, rows.size, 7)
    bad = np.resize([np.nan, np.inf, -np.inf, 1e308, -1e308], holes.size)
    mixed = made(factory).update(
        np.insert(rows, holes, rows[holes]),
        np.insert(times, holes, times[holes]),
        np.insert(values, holes, bad),
    )
    places = holes + np.arange(holes.size)
    assert np.isnan(mixed.score[places]).all(), "bad values have no score"
    missing = np.where(np.isnan(bad), Reason.MISSING, Reason.OUT_OF_RANGE)
    assert np.array_equal(missing, mixed.reason[places]), "bad values have a reason"
    good = np.setdiff1d(np.arange(mixed.score.size), places)
    equal(whole, taken(mixed, good), "beside bad values")


def odd_series_are_survived(factory: Factory) -> None:
    """Constants, zeros, huge steps, tiny numbers and time running backwards raise and warn of nothing."""
    step = np.arange(STEPS)
    odd = np.column_stack(
        [
            np.zeros(STEPS),
            np.full(STEPS, 1e300),
            np.full(STEPS, 0.1),
            np.where(step == STEPS // 2, 1e149, 0.0),
            np.where(step % 2, 1e-308, -1e-308),
            np.where(step < STEPS // 2, 1.0, 1e6),
            np.sin(step),
        ]
    )
    series = odd.shape[1]
    times = np.repeat(step * STEP_MS, series)
    rows = np.tile(np.arange(series), STEPS)
    with np.errstate(all="raise", under="ignore"):
        detector = made(factory, series)
        forward = detector.update(rows, times, odd.ravel())
        backward = detector.update(rows, times[::-1], odd.ravel())
        empty = detector.update(rows[:0], times[:0], odd.ravel()[:0])
    for scores in (forward, backward):
        said = scores.score[~np.isnan(scores.score)]
        assert ((said >= 0) & (said <= 1)).all(), "scores lie in 0 to 1"
        assert not np.isinf(scores.raw).any(), "raw numbers are finite"
    assert empty.score.size == 0, "no samples, no scores"
    constant = (rows == 0) | (rows == 2)
    assert (forward.score[constant] < 0.999).all(), "a constant is never odd"


def units_do_not_matter(factory: Factory) -> None:
    """A thousand times the values gives the same scores, but for rounding."""
    rows, times, values = samples()
    plain = made(factory).update(rows, times, values)
    large = made(factory).update(rows, times, values * 1000.0)
    apart = np.abs(plain.score - large.score)
    assert np.nanmax(apart) < 1e-6, f"scores move by up to {np.nanmax(apart)}"


def memory_is_bounded(factory: Factory) -> None:
    """What a detector keeps does not grow with the samples it has seen, and the same seed gives the same again."""
    rows, times, values = samples()
    detector = made(factory)
    half = rows.size // 2
    first = detector.update(rows[:half], times[:half], values[:half])
    kept = sum(column.nbytes for column in detector.snapshot().values())
    rest = detector.update(rows[half:], times[half:], values[half:])
    grown = sum(column.nbytes for column in detector.snapshot().values())
    # Models of others are kept as text of their numbers, which may be a digit longer.
    assert grown <= 1.2 * kept, f"{kept} bytes have become {grown}"
    whole = made(factory).update(rows, times, values)
    equal(taken(whole, slice(half)), first, "the same seed")
    equal(taken(whole, slice(half, None)), rest, "the same seed")


def bands_hold(factory: Factory) -> None:
    """A value just outside the band has a tail probability under 0.001, one just inside has not."""
    rows, times, values = samples()
    detector = made(factory)
    detector.update(rows, times, values)
    every = np.arange(SERIES)
    detector.freeze(every, frozen=True)
    now = np.full(SERIES, STEPS * STEP_MS)
    kept = detector.snapshot()
    band = detector.update(every, now, values[-SERIES:])
    for edge, outwards in ((band.low, -1.0), (band.high, 1.0)):
        known = np.isfinite(edge) & (band.score > 0)
        # A detector of one side alone has nothing to say of the other.
        gap = np.abs(edge - band.expected) * 1e-3
        near = np.where(known, edge, values[-SERIES:])
        copies = []
        for sign in (outwards, -outwards):
            twin = factory()
            twin.restore(kept)
            copies.append(twin.update(every, now, near + sign * np.where(known, gap, 0.0)))
        outside, inside = copies
        speaks = known & (outside.score > 0) & (outside.raw > 0)
        assert (outside.score[speaks] >= 1 - 1.001e-3).all(), "outside the band is odd"
        assert (inside.score[speaks] <= 1 - 0.999e-3).all(), "inside the band is not"


def unknown_rows_are_refused(factory: Factory) -> None:
    """Rows outside the capacity raise IndexError and change nothing."""
    given = samples()
    detector = made(factory)
    for row in (-1, SERIES):
        try:
            detector.update(np.array([0, row]), np.array([0, 0]), np.array([1.0, 1.0]))
        except IndexError:
            continue
        raise AssertionError(f"row {row} was accepted")
    equal(made(factory).update(*given), detector.update(*given), "after a refusal")


CHECKS: tuple[Check, ...] = (
    cuts_change_nothing,
    order_of_series_changes_nothing,
    rows_are_alike,
    the_future_changes_nothing,
    snapshots_restore,
    growing_keeps,
    frozen_rows_do_not_learn,
    reset_rows_forget,
    taken_rows_go_on,
    missing_values_leave_no_trace,
    odd_series_are_survived,
    units_do_not_matter,
    memory_is_bounded,
    bands_hold,
    unknown_rows_are_refused,
)
