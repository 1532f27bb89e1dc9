"""The conformance suite: what every detector promises, ours or a user's.

Each check takes a factory that makes the same detector again and again, without rows, and raises AssertionError with
the promise that was broken. `CHECKS` lists them; run them all over a new detector before trusting it. Detectors over
groups, known by their method `assign`, are held to the same promises with whole sections in place of single samples.

Refuses to judge quality: a detector that never speaks passes.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from detectors.base import Reason
from detectors.trial import (
    SAME,
    SERIES,
    STEP_MS,
    Factory,
    equal,
    fed,
    grouped,
    made,
    part,
    samples,
    steps,
    taken,
    told,
    width,
)

Check: TypeAlias = Callable[[Factory], None]


def cuts_change_nothing(factory: Factory) -> None:
    """One call, a call per sample and any other cut give the same scores."""
    given = samples(factory)
    whole = fed(made(factory), given, [])
    size, least = given[0].size, width(factory) if grouped(factory) else 1
    equal(whole, fed(made(factory), given, list(range(least, size, least))), "sample by sample")
    uneven = np.unique(np.random.default_rng(2).integers(1, size // least, 40)) * least
    equal(whole, fed(made(factory), given, uneven.tolist()), "uneven calls")


def order_of_series_changes_nothing(factory: Factory) -> None:
    """Samples of different series may be mixed in any order, as long as each series (or group) keeps its own."""
    given = samples(factory)
    whole = fed(made(factory), given, [])
    owner = given[0] // SERIES if grouped(factory) else given[0]
    by_series = np.argsort(owner, kind="stable")
    sorted_scores = made(factory).update(*part(given, by_series))
    equal(taken(whole, by_series), sorted_scores, "series by series")
    turned = np.lexsort((-given[0], given[1]))
    equal(taken(whole, turned), made(factory).update(*part(given, turned)), "in another order")


def rows_are_alike(factory: Factory) -> None:
    """Which row a series has changes nothing, and neither do its neighbours, or those of its group."""
    rows, times, values = samples(factory)
    whole = fed(made(factory), (rows, times, values), [])
    elsewhere = np.array([7, 0, 4, 11, 3, 9])[: width(factory)]
    moved = fed(made(factory, elsewhere), (elsewhere[rows], times, values), [])
    equal(whole, moved, "other rows", within=SAME if grouped(factory) else 0.0)
    alone = rows // SERIES == 1 if grouped(factory) else rows == 1
    equal(
        taken(whole, np.flatnonzero(alone)),
        made(factory).update(rows[alone], times[alone], values[alone]),
        "a series alone",
    )


def the_future_changes_nothing(factory: Factory) -> None:
    """Scores of a prefix do not hang on what follows it."""
    rows, times, values = samples(factory)
    half = rows.size // 2
    whole = made(factory).update(rows, times, values)
    changed = np.concatenate([values[:half], values[half:] * -3.0])
    other = made(factory).update(rows, times, changed)
    equal(taken(whole, slice(half)), taken(other, slice(half)), "no look-ahead")


def snapshots_restore(factory: Factory) -> None:
    """A detector restored from a snapshot goes on exactly as the one it was taken from."""
    given = samples(factory)
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
    given = samples(factory)
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
    rows, times, values = samples(factory)
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
    rows, times, values = samples(factory)
    whole = made(factory).update(rows, times, values)
    detector = made(factory)
    one = np.array([1])
    detector.update(np.repeat(one, 99), np.arange(99) * STEP_MS, np.arange(99.0))
    detector.freeze(one, frozen=True)
    mates = np.arange(SERIES) if grouped(factory) else one
    detector.reset(mates)
    told(detector, mates, mates // SERIES)
    equal(whole, detector.update(rows, times, values), "after the reset")


def taken_rows_go_on(factory: Factory) -> None:
    """Rows that are taken go on under their new numbers, and those behind them are new ones."""
    given = samples(factory)
    rows, half = given[0], given[0].size // 2
    past, future = part(given, slice(None, half)), part(given, slice(half, None))
    whole = made(factory)
    whole.update(*past)
    expected = whole.update(*future)
    fewer = made(factory)
    fewer.update(*past)
    kept, others = (
        (np.array([5, 3, 4]), np.arange(3)) if grouped(factory) else np.array([[2, 0], [1, 1]])
    )
    fresh = np.arange(kept.size, kept.size + np.unique(others).size)
    fewer.take(kept, int(fresh[-1]) + 1)
    told(fewer, fresh, np.full(fresh.size, 7))
    near = SAME if grouped(factory) else 0.0
    numbers = np.zeros(width(factory), np.int64)
    numbers[kept] = np.arange(kept.size)
    chosen = np.flatnonzero(np.isin(rows[half:], kept))
    had, times, values = part(future, chosen)
    equal(taken(expected, chosen), fewer.update(numbers[had], times, values), "taken", within=near)
    numbers[np.unique(others)] = fresh
    had, times, values = part(given, np.flatnonzero(np.isin(rows, others)))
    first = made(factory).update(numbers[had] - kept.size, times, values)
    actual = fewer.update(numbers[had], times, values)
    equal(first, actual, "behind the taken rows", within=near)


def given_rows_go_on(factory: Factory) -> None:
    """Rows that are given what others knew in a snapshot go on as these would have."""
    given = samples(factory)
    half = given[0].size // 2
    past, (rows, times, values) = part(given, slice(half)), part(given, slice(half, None))
    every = np.arange(width(factory))
    elsewhere = np.roll(every, SERIES if grouped(factory) else 1)
    whole, other = made(factory), made(factory, elsewhere)
    give = getattr(other, "give", None)
    if give is None:
        return
    whole.update(*past)
    give(elsewhere, whole.snapshot(), every)
    expected = whole.update(rows, times, values)
    actual = other.update(elsewhere[rows], times, values)
    equal(expected, actual, "given", within=SAME if grouped(factory) else 0.0)


def missing_values_leave_no_trace(factory: Factory) -> None:
    """NaN, infinities and the largest doubles get no score, and the samples around them the same as without."""
    rows, times, values = samples(factory)
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
    count = steps(factory)
    step = np.arange(count)
    odd = np.column_stack(
        [
            np.zeros(count),
            np.full(count, 1e300),
            np.full(count, 0.1),
            np.where(step == count // 2, 1e149, 0.0),
            np.where(step % 2, 1e-308, -1e-308),
            np.where(step < count // 2, 1.0, 1e6),
            np.sin(step),
        ]
    )
    series = odd.shape[1]
    times = np.repeat(step * STEP_MS, series)
    rows = np.tile(np.arange(series), count)
    with np.errstate(all="raise", under="ignore"):
        detector = made(factory, np.arange(series))
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
    rows, times, values = samples(factory)
    plain = made(factory).update(rows, times, values)
    large = made(factory).update(rows, times, values * 1000.0)
    apart = np.abs(plain.score - large.score)
    assert np.nanmax(apart) < 1e-6, f"scores move by up to {np.nanmax(apart)}"


def memory_is_bounded(factory: Factory) -> None:
    """What a detector keeps does not grow with the samples it has seen."""
    rows, times, values = samples(factory)
    detector = made(factory)
    half = rows.size // 2
    detector.update(rows[:half], times[:half], values[:half])
    kept = sum(column.nbytes for column in detector.snapshot().values())
    detector.update(rows[half:], times[half:], values[half:])
    grown = sum(column.nbytes for column in detector.snapshot().values())
    # Models of others are kept as text of their numbers, which may be a digit longer.
    assert grown <= 1.2 * kept, f"{kept} bytes have become {grown}"


def bands_hold(factory: Factory) -> None:
    """A value just outside the band has a tail probability under 0.001, one just inside has not."""
    rows, times, values = samples(factory)
    detector = made(factory)
    detector.update(rows, times, values)
    series = width(factory)
    every = np.arange(series)
    detector.freeze(every, frozen=True)
    now = np.full(series, steps(factory) * STEP_MS)
    kept, last = detector.snapshot(), values[-series:]
    band = detector.update(every, now, last)
    # Where members judge each other, one is moved at a time.
    turns = [every == row for row in range(series)] if grouped(factory) else [every >= 0]
    for edge, outwards in ((band.low, -1.0), (band.high, 1.0)):
        # A detector of one side alone has nothing to say of the other.
        known = np.isfinite(edge) & (band.score > 0)
        gap = np.abs(edge - band.expected) * 1e-3
        for moved in turns:
            copies = []
            for sign in (outwards, -outwards):
                twin = factory()
                twin.restore(kept)
                near = np.where(known & moved, edge + sign * gap, last)
                copies.append(twin.update(every, now, near))
            outside, inside = copies
            speaks = known & moved & (outside.score > 0) & (outside.raw > 0)
            assert (outside.score[speaks] >= 1 - 1.001e-3).all(), "outside the band is odd"
            assert (inside.score[speaks] <= 1 - 0.999e-3).all(), "inside the band is not"


def first_samples_say_nothing(factory: Factory) -> None:
    """A single sample of a new row is judged without complaint, and is no news."""
    for value in (0.0, 1e-300, -3.5, 1e150):
        with np.errstate(all="raise", under="ignore"):
            said = made(factory).update(np.array([1]), np.array([STEP_MS]), np.array([value]))
        assert said.score.tolist() == [0.0], f"a first sample has the score {said.score}"
        assert said.reason.tolist() == [Reason.WARM_UP], "a first sample is warm-up"


def seeds_repeat(factory: Factory) -> None:
    """Two detectors from the same factory, one after the other, say the same."""
    given = samples(factory, seed=5)
    equal(fed(made(factory), given, []), fed(made(factory), given, []), "the same seed")


def unknown_rows_are_refused(factory: Factory) -> None:
    """Rows outside the capacity raise IndexError and change nothing."""
    given = samples(factory)
    detector = made(factory)
    for row in (-1, width(factory)):
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
    given_rows_go_on,
    missing_values_leave_no_trace,
    odd_series_are_survived,
    units_do_not_matter,
    memory_is_bounded,
    bands_hold,
    first_samples_say_nothing,
    seeds_repeat,
    unknown_rows_are_refused,
)
