"""AlertSeries: the series `ALERTS` and `ALERTS_FOR_STATE` of one rule, as Prometheus writes them.

At each evaluation that succeeds, every alert that is pending or firing has a sample of 1 in
`ALERTS{alertname, alertstate, ...}` and one of the seconds since when its condition holds in `ALERTS_FOR_STATE{...}`; a
series written last time and not now is ended with a stale marker. An evaluation that fails writes nothing. Series carry
the alert's tenant, so tenants do not see each other's.

Refuses nothing: series without room in the store are counted by the caller.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import BoolArray, IntArray
from schemas.labels import (
    ALERTNAME,
    METRIC,
    Labels,
    decode_labels,
    encode_labels,
    fingerprint_bytes,
    make_labels,
)
from schemas.reasons import AlertState
from schemas.samples import STALE_BITS
from streams.rules.checkpoint import AnyColumns
from streams.rules.rule import Rule
from streams.rules.selectors import Selection
from streams.windows.columns import pack_label_bytes, unpack_label_bytes
from streams.windows.series import SeriesStore

ALERTS, ALERTS_FOR_STATE = "ALERTS", "ALERTS_FOR_STATE"
SPARE_ALERTS = 1024
"""So many more alerts than there are may be remembered before their names are cleared."""


class _Names(NamedTuple):
    """Canonical bytes of the label sets of one alert's series."""

    pending: bytes
    firing: bytes
    since: bytes


class AlertSeries:
    """What one rule has written last."""

    def __init__(self, rule: Rule) -> None:
        # Prometheus begins with the rule's labels as they stand in the file, and where one expands to nothing it stays
        self._written = {name: text for name, text in rule.labels.items() if text}
        self._names: dict[bytes, _Names] = {}
        self._last: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._last)

    def write(
        self,
        store: SeriesStore,
        alerts: Sequence[bytes],
        firing: BoolArray,
        active_at: IntArray,
        t_ms: int,
    ) -> int:
        """Samples of these alerts (canonical label sets) at a time in ms; how many series the store had no room for."""
        if len(self._names) > 2 * len(alerts) + SPARE_ALERTS:
            self._names.clear()
        names = [self._names.get(alert) or self._name(alert) for alert in alerts]
        now = [n.firing if on else n.pending for n, on in zip(names, firing.tolist(), strict=True)]
        now += [each.since for each in names]
        gone = sorted(self._last.difference(now))
        self._last = set(now)
        values = np.concatenate((np.ones(len(names)), (active_at // 1000).astype(float)))
        return write_series(store, now, values, t_ms) + end_series(store, gone, t_ms)

    def _name(self, alert: bytes) -> _Names:
        pairs = {**self._written, **dict(decode_labels(alert))}

        def state(state: AlertState) -> bytes:
            return encode_labels(make_labels({**pairs, METRIC: ALERTS, "alertstate": state.value}))

        since = encode_labels(make_labels({**pairs, METRIC: ALERTS_FOR_STATE}))
        names = _Names(state(AlertState.PENDING), state(AlertState.FIRING), since)
        self._names[alert] = names
        return names

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """The series that were written last."""
        return pack_label_bytes(sorted(self._last))

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: the columns are not those of a snapshot.

        """
        # the first version wrote no such series
        self._last = set(unpack_label_bytes(columns)) if "label_offsets" in columns else set()


def selects_alerts(selection: Selection, alertname: str) -> bool:
    """Whether a selector may pick series of the alerts of this name."""
    names: tuple[Labels, ...] = (
        make_labels({METRIC: ALERTS, ALERTNAME: alertname}),
        make_labels({METRIC: ALERTS_FOR_STATE, ALERTNAME: alertname}),
    )
    fixed = [each for each in selection.matchers if each.name in (METRIC, ALERTNAME)]
    return any(all(each.matches(labels) for each in fixed) for labels in names)


def write_series(
    store: SeriesStore, codes: Sequence[bytes], values: NDArray[np.float64], t_ms: int
) -> int:
    """A sample for each canonical label set, all at one time; how many the store had no room for."""
    if not codes:
        return 0
    prints = np.array([fingerprint_bytes(code) for code in codes], np.uint64)
    rows = store.rows(prints, codes)
    order = np.argsort(rows, kind="stable")
    store.append(rows[order], np.full(len(rows), t_ms, np.int64), values[order])
    return int(np.count_nonzero(rows < 0))


def end_series(store: SeriesStore, codes: Sequence[bytes], t_ms: int) -> int:
    """A stale marker for each canonical label set; how many the store had no room for."""
    stale = np.full(len(codes), STALE_BITS, np.int64).view(np.float64)
    return write_series(store, codes, stale, t_ms)
