"""PCA: the common movements of a group are found, and what does not follow them is odd."""

import numpy as np
import pytest

from detectors import Scores, create

STEPS, MEMBERS = 1500, 10


def group(seed: int = 1) -> np.ndarray:
    """Two hidden movements of which each member has a share of its own, and noise of a tenth."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(STEPS, 2))
    shares = random.normal(size=(2, MEMBERS))
    return 50 + hidden @ shares + 0.1 * random.normal(size=(STEPS, MEMBERS))


def judged(values: np.ndarray, **params: object) -> tuple[Scores, dict[str, np.ndarray]]:
    """What the detector says of one group, and its state."""
    steps, members = values.shape
    detector = create("pca", params)
    detector.grow(members)
    detector.assign(np.arange(members), np.zeros(members, np.int64))  # type: ignore[attr-defined]  # over groups
    rows, times = np.tile(np.arange(members), steps), np.repeat(np.arange(steps), members)
    said = detector.update(rows, times, values.ravel())
    return said, dict(detector.snapshot())


def test_the_components_are_those_of_the_covariance() -> None:
    """The first two span what the eigenvectors of the correlation of all samples span, to a few degrees."""
    values = group()
    _, kept = judged(values, components=2)
    found, _ = np.linalg.qr(kept["loading"])
    exact = np.linalg.eigh(np.corrcoef(values.T))[1][:, -2:]
    angles = np.linalg.svd(found.T @ exact, compute_uv=False)
    assert angles.min() > 0.99


def test_a_member_is_foretold_by_the_others() -> None:
    """What is expected is within two tenths of the value where the value moves by one."""
    values = group(2)
    said, _ = judged(values, components=2)
    error = (said.expected.reshape(STEPS, MEMBERS) - values)[800:]
    moves = values[800:].std(axis=0)
    assert np.median(np.sqrt(np.mean(error**2, axis=0)) / moves) < 0.3


def test_a_value_that_is_usual_by_itself_is_odd_beside_the_others() -> None:
    """One member that takes another's place is an alarm, though its value lies in the middle of its past."""
    values = group(3)
    member = int(np.argmax(values.std(axis=0)))
    at = 1000 + int(np.argmax(np.abs(values[1000:, member] - 50)))
    values[at, member] = 50.0
    alone = create("ewma", {})
    alone.grow(1)
    by_itself = alone.update(np.zeros(STEPS, np.int64), np.arange(STEPS), values[:, member])
    said, _ = judged(values, components=2)
    score = said.score.reshape(STEPS, MEMBERS)
    assert np.argmax(said.raw.reshape(STEPS, MEMBERS)[at]) == member
    assert score[at, member] > 0.9999
    assert by_itself.score[at] < 0.99


def test_the_own_value_does_not_explain_itself() -> None:
    """Without member i the scores are those of the ridge regression of the others' standings, written out."""
    values = group(4)[:400]
    said, kept = judged(values[:399], components=2)
    detector = create("pca", {"components": 2})
    detector.restore(kept)
    told = detector.update(np.arange(MEMBERS), np.full(MEMBERS, 399), values[399])
    scale = np.maximum(np.sqrt(kept["variance"]), 1e-4 * np.abs(kept["mean"]))
    u = (values[399] - kept["mean"]) / scale
    strength = np.linalg.norm(kept["loading"], axis=0)
    unit = kept["loading"] / strength
    weight = kept["trust"] * 3 / np.maximum(np.abs(u), 3)
    prior = np.diag(kept["residual_square"].mean() / strength)
    others = np.arange(MEMBERS) != 3
    part = unit[others] * weight[others, None]
    y = np.linalg.solve(part.T @ unit[others] + prior, part.T @ u[others])
    assert told.expected[3] == pytest.approx(kept["mean"][3] + scale[3] * (unit[3] @ y), rel=1e-9)
    assert said.expected.size == values[:399].size


def test_a_fault_that_lasts_is_not_taken_for_the_movement() -> None:
    """A member that went wrong does not drag the others' expectations along from the second sample on."""
    values = group(5)
    values[1000:1010, 0] += 8 * values[:, 0].std()
    said, _ = judged(values, components=2)
    score = said.score.reshape(STEPS, MEMBERS)[1001:1010]
    assert (score[:, 0] > 0.99).all()
    assert (score[:, 1:] > 0.999).mean() < 0.1
