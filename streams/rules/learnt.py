"""Learnt: what detectors learnt from history, for series that a worker sees for the first time.

`tocsin learn` runs history through the rules, by the code of the workers, and writes what their detectors know then, by
label set. A worker that meets a series for the first time gives it that; from then on the series' state is its own, and
its checkpoint's. So it does not hang on partitions, and a restart takes nothing back.

Refuses state of another detector, other parameters, another expression or interval: it is found by a hash of those.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.bank import Bank
from detectors.base import Detector, IntArray
from schemas.errors import CheckpointError
from schemas.labels import content_id, fingerprint_bytes

BankColumns = Mapping[str, NDArray[Any]]


def learnt_key(
    expr: str,
    interval_ms: int,
    detector: str,
    parameters: Mapping[str, object],
    *groups: str,
) -> str:
    """Under what the state of a rule's detector is found: all that it hangs on."""
    own = (f"{name}={value}" for name, value in sorted(parameters.items()))
    return content_id(" ".join(expr.split()), interval_ms, detector, *own, *groups)


class Learnt:
    """Rows of a bank, by label set; equal to another with the same `mark`, a hash of all of it."""

    def __init__(
        self,
        mark: str,
        encoded: Sequence[bytes],
        numbers: IntArray,
        columns: BankColumns,
        members: "Learnt | None" = None,
    ) -> None:
        """`encoded` label sets have the rows `numbers` of the bank whose snapshot is `columns`.

        `members`: where these are groups, what was learnt of their members.
        """
        self.mark = mark
        self.members = members
        self._columns = columns
        prints = (fingerprint_bytes(each) for each in encoded)
        self._rows = dict(zip(prints, numbers.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Learnt) and self.mark == other.mark

    def __hash__(self) -> int:
        return hash(self.mark)

    def give(self, bank: Detector, fresh: Sequence[tuple[int, bytes]]) -> int:
        """Let rows of a bank begin with what is known of their label sets; of how many something is.

        Raises:
            CheckpointError: it is the state of another bank.

        """
        found = [
            (row, self._rows[mark])
            for row, encoded in fresh
            if (mark := fingerprint_bytes(encoded)) in self._rows
        ]
        if found:
            at, source = np.array(found, np.int64).T
            put(bank, at, self._columns, source)
        return len(found)

    def try_on(self, bank: Detector) -> None:
        """Make sure that what is known fits a bank, which is thrown away then.

        Raises:
            CheckpointError: it is the state of another bank.

        """
        bank.grow(1)
        for source in list(self._rows.values())[:1]:
            put(bank, np.zeros(1, np.int64), self._columns, np.array([source]))


def put(bank: Detector, rows: IntArray, columns: BankColumns, source: IntArray) -> None:
    """Put rows of a snapshot into rows of a bank.

    Raises:
        CheckpointError: the snapshot is of another bank, or the bank's state is not one row for each series.

    """
    if isinstance(bank, Bank):
        bank.give(rows, columns, source)
    else:
        _exchange(bank, rows, columns, source)
    bank.freeze(rows, frozen=False)


def _exchange(bank: Detector, rows: IntArray, columns: BankColumns, source: IntArray) -> None:
    """Do the same to a bank of which nothing is known but the protocol."""
    now = dict(bank.snapshot())
    for name in sorted(now.keys() | columns.keys()):
        here, there = now.get(name), columns.get(name)
        if here is None or there is None or here.shape[1:] != there.shape[1:] or not here.ndim:
            raise CheckpointError(f"learnt by another detector: {name} does not fit")
    if len({len(column) for column in now.values()}) > 1:
        raise CheckpointError("a detector whose state is not by series cannot be given some")
    for name, column in now.items():
        column[rows] = columns[name][source]
    bank.restore(now)
