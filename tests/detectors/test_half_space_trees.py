"""Half-space trees: rare combinations, told apart by members."""

import numpy as np
import pytest

from detectors import Detector, Reason, create
from detectors.half_space_trees import planted

PARAMS = {"trees": 40, "height": 6, "window_samples": 200}


def made(members: int, **params: object) -> Detector:
    """A detector of one group."""
    detector = create("half_space_trees", {**PARAMS, **params}, seed=3)
    detector.grow(members)
    detector.assign(np.arange(members), np.zeros(members, np.int64))  # type: ignore[attr-defined]  # over groups
    return detector


def fed(detector: Detector, values: np.ndarray, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Raw numbers and reasons, [steps, members]."""
    steps, members = values.shape
    rows, times = np.tile(np.arange(members), steps), np.repeat(np.arange(steps) + first, members)
    said = detector.update(rows, times, values.ravel())
    return said.raw.reshape(values.shape), said.reason.reshape(values.shape)


def pairs(steps: int, seed: int = 1) -> np.ndarray:
    """Two members that are both high or both low, and one that is neither."""
    random = np.random.default_rng(seed)
    side = random.choice([-3.0, 3.0], steps)
    noise = 0.3 * random.normal(size=(steps, 3))
    return 20 + np.column_stack([side, side, 3 * random.normal(size=steps)]) + noise


def test_a_combination_that_never_was_is_odder_than_all_that_were() -> None:
    """One high and the other low, each as usual by itself: the parts of the two are far over those of calm sections."""
    values = pairs(900)
    values[850] = [23.0, 17.0, 20.0]
    raw, _ = fed(made(3), values)
    assert raw[850, :2].max() > np.quantile(raw[600:850], 0.99)
    assert raw[850, :2].sum() > raw[600:850, :2].sum(axis=1).max()


def test_the_parts_add_up_to_the_mass_score() -> None:
    """With every cut told, the sum over members is the logarithm of the share of mass that the boxes have lost."""
    detector = made(2, trees=3, height=2, window_samples=50)
    random = np.random.default_rng(2)
    fed(detector, random.normal(size=(60, 2)))
    kept = detector.snapshot()
    mass = kept["group_known"][0].reshape(3, 7)
    paths = detector._paths(np.array([0]), np.array([[0.5, 0.6]]), 2)  # type: ignore[attr-defined]  # its own
    parts = detector._parts(np.array([0]), np.array([[0.5, 0.6]]), 2)  # type: ignore[attr-defined]  # its own
    told = 0.0
    for tree in range(3):
        for parent, child in zip(paths[0, tree, :-1], paths[0, tree, 1:], strict=True):
            if mass[tree, parent] >= 0.05 * 50:
                told += np.log2((mass[tree, parent] + 1) / (2 * (mass[tree, child] + 0.5)))
    assert parts.sum() == pytest.approx(told / 3)
    assert mass[:, 0].tolist() == [50.0] * 3


def test_the_first_window_says_nothing() -> None:
    """Masses are used when a window of them is full, and a new member waits for the next one."""
    detector = made(4)
    detector.reset(np.array([3]))
    values = np.random.default_rng(3).normal(size=(700, 4))
    _, reason = fed(detector, values[:, :3])
    assert (reason[:200] == Reason.WARM_UP).all()
    assert (reason[500:] != Reason.WARM_UP).all()
    detector.assign(np.array([3]), np.array([0]))  # type: ignore[attr-defined]  # over groups
    _, reason = fed(detector, values[:300], 700)
    assert (reason[:100, 3] == Reason.WARM_UP).all()


def test_members_beyond_the_most_are_not_judged() -> None:
    """The trees look at so many members and no more; the others say nothing."""
    _, reason = fed(made(4, most_members=2), np.random.default_rng(4).normal(size=(500, 4)))
    assert (reason[:, 2:] == Reason.WARM_UP).all()
    assert (reason[450:, :2] != Reason.WARM_UP).any()


def test_cuts_halve_what_a_box_spans() -> None:
    """A cut of a member lies within what the cuts above it have left of it, and the same seed plants the same trees."""
    forest = planted(3, 5, 4, 8, 1)
    again = planted.__wrapped__(3, 5, 4, 8, 1)
    assert np.array_equal(forest.place, again.place)
    for tree in range(5):
        for box in range(1, 15):
            parent, member = (box - 1) // 2, forest.member[tree, box]
            if forest.member[tree, parent] == member:
                above = forest.place[tree, box] > forest.place[tree, parent]
                assert above == (box == 2 * parent + 2)
