"""States: how many series the detectors of rules wait for, may speak of, and do not learn from now.

Refuses nothing.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from schemas.reasons import DetectorState
from streams.rules.detect import DetectRule
from streams.rules.rule import Rule
from streams.stage import Figure

SERIES = "detector_series"
WAIT = "detector_wait_ms"


def detector_figures(detectors: Iterable[tuple[Rule, DetectRule]]) -> Iterator[Figure]:
    """Series by state (`SERIES`), and the longest time, ms, until a series of a rule may be spoken of (`WAIT`)."""
    for rule, detect in detectors:
        waits = detect.waits()
        if not waits.size:
            continue
        waiting = int(np.count_nonzero(waits))
        yield Figure(SERIES, DetectorState.WAITING.value, waiting)
        yield Figure(SERIES, DetectorState.READY.value, waits.size - waiting)
        frozen = int(np.count_nonzero(detect.rows["frozen"]))
        yield Figure(SERIES, DetectorState.FROZEN.value, frozen)
        yield Figure(WAIT, rule.id, int(waits.max()))
