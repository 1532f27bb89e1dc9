"""LearntFile: what detectors learnt from history, as a file: a checked frame of columns, as checkpoints are.

A file holds the state of any number of rules, each under the hash of what it hangs on (`learnt_key`).
Refuses a file that is cut, changed, of another version or kind.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.labels import fingerprint_bytes
from streams.rules.checkpoint import placed, under
from streams.rules.detect import DetectRule
from streams.rules.grouped import parts
from streams.rules.learnt import BankColumns, Learnt
from streams.rules.rule import Rule
from streams.state.codec import decode, encode
from streams.windows.columns import unpack_label_bytes

KIND = "learnt"
VERSION = 1


def write_learnt(path: Path, known: Iterable[tuple[Rule, DetectRule]]) -> None:
    """Write what the detectors of these rules know."""
    columns: dict[str, NDArray[np.generic]] = {}
    for rule, detect in known:
        mine, *members = map(_written, parts(detect))
        for each in members:
            mine |= placed("members", each)
        columns |= placed(rule.learnt_key, mine)
    path.write_bytes(encode(columns, kind=KIND, version=VERSION))


def _written(detect: DetectRule) -> dict[str, NDArray[Any]]:
    return {
        **placed("roster", detect.roster.snapshot()),
        **placed("bank", detect.banks.usual.snapshot()),
    }


def read_learnt(path: Path) -> dict[str, Learnt]:
    """What stands in such a file, by `learnt_key`.

    Raises:
        OSError: it cannot be read.
        CheckpointError: it is none.

    """
    data = path.read_bytes()
    columns: Mapping[str, Any] = decode(data, kind=KIND, version=VERSION).columns
    mark = str(fingerprint_bytes(data))
    keys = sorted({name.partition("/")[0] for name in columns})
    parts = {key: under(key, columns) for key in keys}
    return {key: _read(mark, part) for key, part in parts.items()}


def _read(mark: str, part: BankColumns) -> Learnt:
    roster, members = under("roster", part), under("members", part)
    return Learnt(
        mark,
        unpack_label_bytes(roster),
        roster["numbers"].astype(np.int64),
        under("bank", part),
        _read(mark, members) if members else None,
    )
