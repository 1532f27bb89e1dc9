"""Explain: why a value is odd, in one sentence: expected value, band, rarity, rank among what was seen, who spoke.

The rank is the calibrated one: a score s among n learnt samples says that about (1 - s) n of them were as odd or odder.
Refuses to say more than the detector knows: a detector without an expected value has a sentence without one.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from schemas.config.section import format_duration

MOST_EVALUATIONS = 1e9
"""Beyond this, nothing that was seen says how rare something is."""


class Insight(NamedTuple):
    """What a detector knows beside its five numbers.

    Attributes:
        samples: how many it has learnt of the series.
        view: name of the view that spoke, for detectors with several; empty for those with one.
        why: what it has chosen for the series, and why.
        blame: members of a group that are to blame, in order.

    """

    samples: int = 0
    view: str = ""
    why: str = ""
    blame: str = ""


def insight_of(samples: float, view: float, views: Sequence[str], why: str = "") -> Insight:
    """From the facts `samples` and `view`, NaN where they are not known, and the names of the views."""
    named = not math.isnan(view) and int(view) < len(views)
    seen = 0 if math.isnan(samples) else int(samples)
    return Insight(seen, views[int(view)] if named else "", why)


def rank_of(score: float, samples: int) -> int:
    """Place of a value among what was seen, 1 for the oddest."""
    return int((1.0 - score) * samples) + 1


def sentence(facts: Sequence[float], interval_ms: int, insight: Insight) -> str:
    """Why a value is odd; `facts` begin with value, score, expected, low, high; the interval is between evaluations."""
    value, score, expected, low, high = facts[:5]
    said = f"The value {value:.4g} is odd"
    if not math.isnan(expected):
        side = "above" if value > expected else "below"
        said = f"The value {value:.4g} is {side} the expected {expected:.4g} (usual {low:.4g} to {high:.4g})"
    return "; ".join((said, rarity(score, interval_ms), *_seen(score, insight)))


def rarity(score: float, interval_ms: int) -> str:
    """How often such a value comes."""
    tail = max(1 - score, 1 / MOST_EVALUATIONS)
    evaluations = 1 / tail
    more = "more than " if tail == 1 / MOST_EVALUATIONS else ""
    told = f"a value as odd as this comes once in {more}{evaluations:.3g} evaluations"
    span_ms = int(evaluations) * interval_ms
    seconds = span_ms // 1000
    if not interval_ms or seconds >= 31_536_000:
        return told
    unit = next((u for u in (86_400, 3_600, 60) if seconds >= 2 * u), 1)
    return f"{told}, {format_duration(max(seconds // unit * unit, 1) * 1000)}"


def _seen(score: float, insight: Insight) -> list[str]:
    said = []
    if insight.samples:
        more = rank_of(score, insight.samples) - 1
        among = f"of {insight.samples} seen before"
        said.append(f"{more} {among} were as odd" if more else f"none {among} was as odd")
    if insight.view:
        said.append(f"seen by its {insight.view}")
    if insight.why:
        said.append(insight.why)
    if insight.blame:
        said.append(f"to blame: {insight.blame}")
    return said
