"""Cut: a part of an expression that every detect partition evaluates by itself, and what it sends of the result.

A cut is known by the text of its rule and its place therein, so both stages name it alike without speaking to each
other. Refuses native histograms in what is summed or sent as it is: they do not travel.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from schemas.errors import RuleError
from schemas.labels import (
    METRIC,
    TENANT,
    Labels,
    encode_labels,
    fingerprint_bytes,
    get_label,
    make_labels,
)
from schemas.samples import STALE_BITS, Float64s
from streams.rules.aggregate import Groups
from streams.rules.partial.forms import Form
from streams.rules.plan import Plan
from streams.rules.vector import LabelSpace, Projection
from streams.windows.arena import stretch_index
from streams.windows.series import SeriesStore

CODE = "__code__"
SENDER = "__sender__"
GIVEN_METRIC = "__given_name__"
TENANTS = "partial:tenants"
"""Name of the series that tell which tenants there are, for what a rule says of those without series."""
FAILED = 1 << 30
"""Code of what stands for a result that could not be had."""

# The label spaces may outgrow the series that there are by this much before they are cleared.
SPARE_LABEL_SETS = 1024


class Encoded(NamedTuple):
    """A series of tocsin.partials: canonical label bytes, their fingerprint, and whose it is."""

    label_bytes: bytes
    fingerprint: int
    tenant: str


class Found(NamedTuple):
    """What a cut came to at an event time in ms; `step` is when late samples have changed it, None where none have."""

    t_ms: int
    series: list[Encoded]
    values: Float64s
    step: int | None = None

    def changed_to(self, now: "Found", step: int) -> "Found":
        """What is different now; what is no longer there has ended, as a stale marker says."""
        ended = np.full(len(self.series), STALE_BITS, np.int64)
        was = dict(zip(self.series, self.values.view(np.int64).tolist(), strict=True))
        becomes = dict(zip(self.series, ended.tolist(), strict=True))
        becomes |= zip(now.series, now.values.view(np.int64).tolist(), strict=True)
        told = {series: bits for series, bits in becomes.items() if was.get(series) != bits}
        values = np.array(list(told.values()), np.int64).view(np.float64)
        return Found(now.t_ms, list(told), values, step)


class Cut:
    """One cut of one rule.

    Attributes:
        id: the same in every partition and both stages.
        plan: what is evaluated.
        form: what is sent of it.
        offset_ms: the rule's `query_offset`.

    """

    def __init__(
        self,
        identity: str,
        plan: Plan,
        form: Form,
        grouping: Callable[[Labels], Labels],
        *,
        offset_ms: int,
    ) -> None:
        self.id = identity
        self.plan = plan
        self.form = form
        self.offset_ms = offset_ms
        self._target = LabelSpace()
        self._groups = Groups(Projection(plan.space, self._target, grouping))
        self._names: dict[tuple[int, int], Encoded] = {}

    def evaluate(self, store: SeriesStore, t_ms: int, sender: int) -> Found:
        """What this partition, known by its number, has to say at an event time.

        Raises:
            RuleError: the series at this time do not allow it.

        """
        if len(self.plan.space) > 2 * len(store) + SPARE_LABEL_SETS:
            self.plan.space.clear()
            self._target.clear()
            self._names.clear()
        (rows, values), bag = self.plan.evaluate_all(store, t_ms - self.offset_ms)
        mask = bag.mask(values)
        if mask is not None and self.form.blind:
            rows, values = rows[~mask], values[~mask]
        elif mask is not None and not self.form.indifferent:
            raise RuleError("native histograms are not sent from partition to partition")
        groups = self._groups
        groups.arrange(rows)
        sizes = groups.high - groups.low
        order = groups.order[stretch_index(groups.low, sizes)]
        ends = np.cumsum(sizes)
        with np.errstate(all="ignore"):
            parts = self.form.part(values[order], ends - sizes, ends)
        targets = groups.targets[parts.groups]
        if len(self._names) > 4 * len(targets) + SPARE_LABEL_SETS:
            self._names.clear()
        series = [
            self._names.get(key) or self._name(*key, sender)
            for key in zip(targets.tolist(), parts.codes.tolist(), strict=True)
        ]
        return Found(t_ms, series, parts.values)

    def failed(self, store: SeriesStore, t_ms: int, sender: int) -> Found:
        """That this partition has no result at an event time, for each tenant that it knows."""
        return _of_tenants(self.id, FAILED, store, t_ms, sender)

    def _name(self, row: int, code: int, sender: int) -> Encoded:
        made = encoded_series(self.id, self._target.labels[row], code, sender)
        self._names[row, code] = made
        return made


def tenants_at(store: SeriesStore, t_ms: int, sender: int) -> Found:
    """The tenants that a partition knows."""
    return _of_tenants(TENANTS, 0, store, t_ms, sender)


def _of_tenants(name: str, code: int, store: SeriesStore, t_ms: int, sender: int) -> Found:
    series = [encoded_series(name, ((TENANT, each),), code, sender) for each in store.tenants]
    return Found(t_ms, series, np.ones(len(series)))


def encoded_series(cut: str, labels: Labels, code: int, sender: int) -> Encoded:
    """The series of tocsin.partials for a part of a group with these labels."""
    pairs = {
        **dict(labels),
        METRIC: cut,
        GIVEN_METRIC: get_label(labels, METRIC),
        CODE: str(code),
        SENDER: str(sender),
    }
    encoded = encode_labels(make_labels(pairs))
    return Encoded(encoded, fingerprint_bytes(encoded), get_label(labels, TENANT))


def given_labels(labels: Labels) -> Labels:
    """The labels of the group that a series of tocsin.partials stands for."""
    pairs = dict(labels)
    return make_labels(
        {
            **{n: v for n, v in pairs.items() if n not in (METRIC, GIVEN_METRIC, CODE, SENDER)},
            METRIC: pairs.get(GIVEN_METRIC, ""),
        }
    )
