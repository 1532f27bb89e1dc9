"""Judge: what a block of samples is thought to be, before any of it is learnt.

Novelty of the views and size of the residuals, each as the -log10 of a tail probability, join in one loudness; the
larger side speaks, so novelty cannot veto a residual, nor drown in it.

Refuses to change the state, but for the profile of the day, which the walk moves where many rows are walked at once.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.auto import alarms, sketch, tails
from detectors.auto.blocks import Block, stretch
from detectors.auto.state import CHANNELS, LEVEL_LEFT, SEASON, SEASON_LEFT, VIEWS, State
from detectors.auto.walk import SETTLED_VISITS, SLOTS, STATE, Path, shares, slots, walk
from detectors.base import BoolArray, CodeArray, FloatArray, Selector
from detectors.calibrate import BAND_TAIL, Direction

Small: TypeAlias = NDArray[np.float32]
After: TypeAlias = dict[str, NDArray[Any]]

# Votes of value, short mean, time of day and level: equal, for nothing that was chosen on half of the data held on
# the other half.
VOTES = (1.0, 1.0, 1.0, 1.0)
# Residuals weigh less: they are loud more often than what is new.
RESIDUAL_WEIGHT = 0.19
# Farther than this from the first value, in first steps, all is alike.
LARGEST = 1e30


@dataclass(frozen=True, slots=True)
class Thought:
    """Of each sample [m, n]; `views`, `distances`, `apart` have one more axis of views or channels.

    path       what was usual
    views      the four views; `apart` how far each is from what is kept of it
    settled    whether what hangs on the profile of the day means anything
    distances  what the rareness of each channel is of
    loudness, score, hushed  in the end; hushed: only the refractory keeps it from being told
    spoke      the view that was loudest, or VIEWS for the residuals
    state      what the row's columns hold after the block
    """

    path: Path
    views: Small
    apart: Small
    settled: BoolArray
    distances: Small
    loudness: FloatArray
    score: FloatArray
    hushed: BoolArray
    spoke: CodeArray
    state: After


def judge(columns: State, block: Block, side: Direction, warm_up: int) -> Thought:
    """What a block is thought to be; `warm_up` samples say nothing."""
    moved, state = _moved(columns, block)
    path, ends = _walked(columns, block, moved)
    views = np.empty((*moved.shape, VIEWS), np.float32)
    for number, view in enumerate((moved, path.after, moved - path.profile, moved - path.level)):
        views[:, :, number] = view
    distances, apart = _distances(columns, block, views, moved - path.fast)
    settled = path.visits >= SETTLED_VISITS
    if not settled.all():
        distances[~settled, SEASON] = 0.0
        distances[~settled, SEASON_LEFT] = 0.0
    step_ms = one(columns["step_ms"][block.at])[:, None]
    loudness, spoke = _loudness(columns, block.at, distances, settled, step_ms)
    if side != "both":
        away = moved - path.level
        loudness[away <= 0 if side == "up" else away >= 0] = 0.0
    begins, end_ms = stretch(columns, block.at, block.times[:, 0])
    now, before = columns["peak_now"][block.at], columns["peak_before"][block.at]
    if begins.any():
        now, before = np.where(begins, 0.0, now), np.where(begins, now, before)
    bar = alarms.standing(loudness, np.maximum(before, now), learns=block.learns)
    chance = alarms.per_week(loudness) * (step_ms / alarms.WEEK_MS)
    stands = loudness > bar
    score = np.where(stands, 1.0 - np.minimum(chance, 1.0), 0.0)
    hushed = ~stands & (chance < BAND_TAIL)
    if int(columns["samples"][block.at].min()) < warm_up:
        mute = block.ages(columns) < warm_up
        score[mute] = 0.0
        hushed &= ~mute
    state |= ends
    state |= {
        "stretch_end_ms": end_ms,
        "peak_before": before,
        "peak_now": np.maximum(now, span(loudness)[1]),
    }
    return Thought(path, views, apart, settled, distances, loudness, score, hushed, spoke, state)


def span(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the largest of each row of [m, n]; many short rows are dear, so one column stands for itself."""
    if values.shape[1] == 1:
        return values[:, 0], values[:, 0]
    return values.min(axis=1), values.max(axis=1)


def one(numbers: FloatArray) -> FloatArray:
    """The numbers [m], or one for all [1] where it is one."""
    return numbers[:1] if bool((numbers == numbers[0]).all()) else numbers


def _moved(columns: State, block: Block) -> tuple[FloatArray, After]:
    """Values less the first one, in units of the first step away from it."""
    born = columns["samples"][block.at] == 0
    origin = np.where(born, block.values[:, 0], columns["origin"][block.at])
    gap = block.values - origin[:, None]
    unit = columns["unit"][block.at].copy()
    if not unit.all():
        size = np.abs(gap)
        first = size[np.arange(len(size)), (size > 0).argmax(axis=1)]
        unit = np.where(unit > 0, unit, first)
    with np.errstate(over="ignore"):
        moved = gap / np.where(unit > 0, unit, 1.0)[:, None]
    return np.clip(moved, -LARGEST, LARGEST), {"origin": origin, "unit": unit}


def _walked(columns: State, block: Block, moved: FloatArray) -> tuple[Path, After]:
    count, length = moved.shape
    slot, weights = slots(block.times), shares(columns["samples"][block.at], length)
    start = [columns[name][block.at] for name in STATE]
    tables = columns["profile"], columns["visits"]
    if count == 1:
        # plain numbers: a numpy call for each would cost ten times as much
        begun = [float(value[0]) for value in start]
        own = [table[int(block.rows[0])].tolist() for table in tables]
        places = slot[0].tolist()
        out, ends = walk(
            moved[0].tolist(), places, weights, begun, own, single=True, follow=block.learns
        )
        state = {name: np.array([end]) for name, end in zip(STATE, ends, strict=True)}
        state |= {"profile": np.array([own[0]]), "visits": np.array([own[1]], np.uint8)}
        return Path(*(np.array([field]) for field in out)), state
    flat = [table.reshape(-1) for table in tables]
    place = block.begins(1, SLOTS) + slot
    out, ends = walk(
        list(moved.T), list(place.T), weights, start, flat, single=False, follow=block.learns
    )
    path = Path(*(f[0][:, None] if length == 1 else np.stack(f, axis=1) for f in out))
    return path, dict(zip(STATE, ends, strict=True))


def _distances(columns: State, block: Block, views: Small, fast: FloatArray) -> tuple[Small, Small]:
    """Distances by channel, and of the views to what is kept of them."""
    kept, begins = columns["kept"].reshape(-1), block.begins(VIEWS, sketch.SIZE)
    apart = sketch.distance(kept, columns.pivots, block.at, begins, views)
    before = columns["latest"][block.at][:, None, :]
    if block.learns:
        before = np.concatenate((before, views[:, :-1]), axis=1)
    # what was there a sample ago is not new, even if the block has not ended
    near = np.fmin(apart, np.abs(views - before))
    distances = np.empty((*views.shape[:2], CHANNELS), np.float32)
    known = np.isfinite(near)
    if not known.all():
        near[~known] = 0.0
    # channel after channel: short loops within long ones are dear
    for channel in range(VIEWS):
        distances[:, :, channel] = near[:, :, channel]
    distances[:, :, SEASON_LEFT] = np.abs(views[:, :, SEASON])
    distances[:, :, LEVEL_LEFT] = np.abs(views[:, :, SEASON + 1])
    distances[:, :, LEVEL_LEFT + 1] = np.abs(fast)
    return distances, apart


def _loudness(
    columns: State, at: Selector, distances: Small, settled: BoolArray, step_ms: FloatArray
) -> tuple[FloatArray, CodeArray]:
    """How loud each sample is, brought to the common step, and which view was the loudest."""
    count, length, _ = distances.shape
    parts = [columns[f"{name}{n}"][at] for name in ("knot", "slope") for n in range(4)]
    parts.append(columns["beyond"][at])
    if length > 1:
        parts = [np.repeat(part, length, axis=0) for part in parts]
    rare = tails.rareness(distances.reshape(-1, CHANNELS), parts[:4], parts[4:8], parts[8])
    # channel after channel, so that what follows runs in the order of memory
    voices = np.ascontiguousarray(rare.T)
    votes = np.square(tails.heavy(voices[: SEASON_LEFT + 1]), dtype=np.float64)
    v0, v1, v2, v3, usual = votes.reshape(-1, count, length)
    r0, r1, r2 = voices[SEASON_LEFT:].reshape(-1, count, length)
    daily = columns["daily"][at][:, None]
    # every value of a counter is new, so it says nothing
    plain = np.where(columns["counter"][at], 0.0, 1.0)[:, None]
    w0, w1, w2, w3 = plain * VOTES[0], plain * VOTES[1], VOTES[2], VOTES[3]
    usual *= tails.RESIDUAL_POWER**2
    novel = (w0 * v0 + w1 * v1 + w2 * v2 + w3 * v3 + daily * usual) / (w0 + w1 + w2 + w3 + daily)
    # odd is what none of the residuals explains
    least = np.minimum(r1, r2)
    np.minimum(least, r0, out=least, where=settled)
    odd = np.square(RESIDUAL_WEIGHT * least.astype(np.float64))
    loudness = np.sqrt(np.maximum(novel, odd))
    loudness += alarms.STEP_POWER * np.log10(step_ms / alarms.COMMON_STEP_MS)
    np.maximum(loudness, 0.0, out=loudness)
    spoke = np.where(v1 > v0, np.int8(1), np.int8(0))
    later = np.where(v3 > v2, np.int8(3), np.int8(2))
    front, back = np.maximum(v0, v1), np.maximum(v2, v3)
    spoke = np.where(back > front, later, spoke)
    np.copyto(spoke, np.int8(VIEWS), where=odd > novel)
    return loudness, spoke


def reach(columns: State, at: Selector) -> FloatArray:
    """How far from the slow level [m], in the row's unit, residuals alone make a sample leave the band."""
    step_ms = one(columns["step_ms"][at])
    need = alarms.loudness_of(BAND_TAIL * alarms.WEEK_MS / step_ms)
    need -= alarms.STEP_POWER * np.log10(step_ms / alarms.COMMON_STEP_MS)
    slope = columns["beyond"][at][:, LEVEL_LEFT].astype(np.float64)
    knot = columns["knot3"][at][:, LEVEL_LEFT].astype(np.float64)
    rest = np.maximum(need / RESIDUAL_WEIGHT - sum(tails.RISES), 0.0)
    return np.where(slope > 0, knot + rest / np.where(slope > 0, slope, 1.0), np.nan)
