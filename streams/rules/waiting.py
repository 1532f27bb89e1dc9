"""Waiting: how long until a detector may speak of a series, and how much it has seen of it.

A bank knows how many samples it needs of a row yet, and how long it says nothing of a new one, whatever comes. What was
learnt after a frozen time or a gap counts as ever.
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


def waits_of(bank: Detector, rows: IntArray, seen: IntArray, interval_ms: int) -> IntArray:
    """Time in ms until each of these rows may be spoken of; 0: now. `seen`: when each was last seen, event time."""
    if not isinstance(bank, Bank):
        return np.zeros(len(rows), np.int64)
    waits = bank.waits(rows) * interval_ms
    if bank.blind_ms:
        known = samples_of(bank, rows) > 0
        age = np.where(known, seen - bank.columns["first_ms"][rows], 0)
        waits = np.maximum(waits, bank.blind_ms - age)
    return waits
