"""Waiting: how long until a detector may speak of a series, and how much it has seen of it.

A bank that knows says it by `waits` (samples, by row); of others the warm-up is taken, less what was learnt. What was
learnt after a frozen time or a gap counts as ever: it is samples that a detector waits for, not time.
Refuses to guess for detectors that keep neither: they may speak at once, as far as anybody can tell.
"""

import numpy as np

from detectors.bank import Bank
from detectors.base import Detector, IntArray


def samples_of(bank: Detector, rows: IntArray) -> IntArray:
    """How many samples a bank has learnt of these rows, 0 where it does not say."""
    if isinstance(bank, Bank) and "samples" in bank.columns.forms:
        return bank.columns["samples"][rows]
    return np.zeros(len(rows), np.int64)


def waits_of(bank: Detector, rows: IntArray) -> IntArray:
    """Samples until each of these rows may be spoken of; 0: now."""
    own = getattr(bank, "waits", None)
    if own is not None:
        found: IntArray = own(rows)
        return found
    return np.maximum(warm_up(bank) - samples_of(bank, rows), 0)


def warm_up(bank: Detector) -> int:
    """Samples of a series without which a bank says nothing of it."""
    return bank.settings.warm_up_samples if isinstance(bank, Bank) else 0
