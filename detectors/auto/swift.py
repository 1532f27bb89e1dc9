"""Swift: a block judged, told and learnt by compiled code; the same bits as `judge`, `Auto` and `learn` give.

Refuses the end of a block, which is theirs.
"""

import numpy as np

from detectors.auto import alarms, tails
from detectors.auto.blocks import Block
from detectors.auto.judge import RESIDUAL_WEIGHT, one
from detectors.auto.learn import end
from detectors.auto.parts import Machine, parts_of
from detectors.auto.scores import ViewedScores
from detectors.auto.state import State
from detectors.base import Reason
from detectors.calibrate import BAND_TAIL, Direction
from schemas.compiled import Lazily

MACHINE = Lazily[Machine]("detectors.auto.machine", "MACHINE")
SIDES: dict[Direction, int] = {"both": 0, "up": 1, "down": -1}
KNEE = np.float32(sum(tails.RISES))
# Of two ways to the loudness at which a sample is rare one may be off by its rounding.
MARGIN = 1e-6


def take_in(
    machine: Machine, columns: State, block: Block, side: Direction, mute: int, least: int
) -> ViewedScores:
    """What is told of a block, and learnt; `mute` samples say nothing, and below `least` a row warms up."""
    # copies are all of one kind, as compiled functions want them
    rows, times, values = block.rows.copy(), block.times.copy(), block.values.copy()
    walks, sketches, tail, clocks = parts_of(columns)
    steps_ms = columns["step_ms"][block.at]
    step_ms = one(steps_ms)
    needs = alarms.loudness_of(BAND_TAIL * alarms.WEEK_MS / step_ms)
    shifts = alarms.STEP_POWER * np.log10(step_ms / alarms.COMMON_STEP_MS)
    rests = np.maximum((needs - shifts) / RESIDUAL_WEIGHT - sum(tails.RISES), 0.0)
    young = int(columns["samples"][block.at].min()) < least
    warming = block.ages(columns).reshape(-1) < least if young else None
    learns = block.learns
    seen = machine.glance(rows, times, values, learns, SIDES[side], rests, walks, sketches, tail)
    seen.rare.reshape(-1)[seen.places] = np.log(seen.beyond) / tails.HEAVY + KNEE
    found = machine.weigh(rows, times, learns, mute, shifts, needs - MARGIN, seen, clocks)
    score = np.zeros(values.size)
    reason = np.full(values.size, Reason.OK if learns else Reason.FROZEN, np.int8)
    some = found.doubtful
    some_ms = step_ms if step_ms.size == 1 else step_ms[some // values.shape[1]]
    chance = alarms.per_week(found.loudness[some]) * (some_ms / alarms.WEEK_MS)
    chances = np.where(found.stands, 1.0 - np.minimum(chance, 1.0), 0.0)
    score[some] = chances
    above = values.reshape(-1)[some] > seen.expected[some]
    said = np.where(above, Reason.ABOVE, Reason.BELOW)
    said = np.where(chances > 1.0 - BAND_TAIL, said, reason[some])
    reason[some] = np.where(~found.stands & (chance < BAND_TAIL), Reason.REFRACTORY, said)
    if warming is not None:
        reason[warming] = Reason.WARM_UP
    if found.ended.size:
        end(columns, rows[found.ended], found.sizes)
    return ViewedScores(
        found.loudness, score, seen.expected, seen.low, seen.high, reason, found.spoke
    )
