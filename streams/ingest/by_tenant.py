"""ByTenant: a decoder for sources whose records say in a header whose they are.

Each tenant has a decoder of its own, so nothing that one remembers of a tenant's bytes is ever read for another. Of
more tenants than `MOST_TENANTS` the one that was silent for longest is forgotten: its label sets are read once more,
and what its decoder was adding up begins anew.

It refuses records whose header is no text, or longer than a label may be.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, repeat

import numpy as np
from numpy.typing import NDArray

from schemas.config import LimitsConfig
from schemas.errors import CheckpointError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.asking import Answers, Asking
from schemas.wire.columns import WHOLE, Columns, Decoder, Refusal, Remembering
from schemas.wire.format import of_chunk
from schemas.wire.interner import Interner

MOST_TENANTS = 256
LEAST_SERIES_BYTES = 2
"""An Arrow row with codes of one byte for its value and one label; every other format takes more."""
_NAMES = "tenants"


class ByTenant:
    """Decoder of records whose tenant stands in a header."""

    def __init__(
        self, header: str, default: str, limits: LimitsConfig, make: Callable[[], Decoder]
    ) -> None:
        """`default` is the tenant of records without the header; `make` gives a decoder of the source's format."""
        self._header = header.lower()
        self._default = default
        self._limits = limits
        self._most_bytes = limits.label_value_bytes
        self._make = make
        self._decoders: OrderedDict[str, Decoder] = OrderedDict()
        self._asked: list[Asking] = []
        self._place = ("", 0)

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values, in their order."""
        parts: list[Columns] = []
        refused: list[Refusal] = []
        for tenant, rows in self._groups(values, interner, headers):
            if tenant is None:
                detail = f"header {self._header!r} is no UTF-8, or over {self._most_bytes} bytes"
                refused += [Refusal(at, WHOLE, DeadLetterReason.BAD_LABEL, detail) for at in rows]
                continue
            interner.tenant = tenant
            mine = None if headers is None else [headers[at] for at in rows]
            part = self._decoder(tenant).decode([values[at] for at in rows], interner, mine)
            part.records = np.array(rows, np.intp)[part.records]
            refused += [r._replace(record=rows[r.record]) for r in part.refused]
            parts.append(part)
        # not before: what a decoder was told of this chunk must not be forgotten on the way
        while len(self._decoders) > MOST_TENANTS:
            self._decoders.popitem(last=False)
        whole = of_chunk(parts, refused)
        order = np.argsort(whole.records, kind="stable")
        return whole if len(parts) < 2 else whole.keep(order)

    def _groups(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        headers: Sequence[Headers] | None,
    ) -> list[tuple[str | None, list[int]]]:
        """Records by tenant, None where it cannot be read: all of a tenant together where no limit is near."""
        told = self._tenants(len(values), headers)
        if self._all_fit(values, interner):
            return _together(told)
        # run by run, in the order of the log: at a limit the first come is served
        runs = groupby(range(len(told)), key=told.__getitem__)
        return [(tenant, list(run)) for tenant, run in runs]

    def _tenants(self, count: int, headers: Sequence[Headers] | None) -> list[str | None]:
        return list(map(self._tenant, headers or repeat((), count)))

    def _all_fit(self, values: Sequence[bytes | None], interner: Interner) -> bool:
        """Whether all series that these records can bring have room: each takes two bytes at least."""
        limits, tenants = self._limits, interner.tenants
        size = sum(len(value) for value in values if value)
        series_fit = size // LEAST_SERIES_BYTES <= limits.series - tenants.total
        return series_fit and len(values) <= limits.tenants - tenants.live

    def wanted(
        self, values: Sequence[bytes | None], headers: Sequence[Headers] | None = None
    ) -> set[int]:
        """Ids of schemas that the tenants' decoders need and do not know."""
        ids: set[int] = set()
        self._asked.clear()
        for tenant, rows in _together(self._tenants(len(values), headers)):
            decoder = None if tenant is None else self._decoder(tenant)
            if isinstance(decoder, Asking):
                mine = None if headers is None else [headers[at] for at in rows]
                wanted = decoder.wanted([values[at] for at in rows], mine)
                if wanted:
                    self._asked.append(decoder)
                ids |= wanted
        return ids

    def learn(self, answers: Answers) -> None:
        """Take in what was found out; only those that asked are told."""
        for decoder in self._asked:
            decoder.learn(answers)
        self._asked.clear()

    def _tenant(self, headers: Headers) -> str | None:
        for name, value in headers:
            if name.lower() == self._header and value:
                try:
                    return value.decode() if len(value) <= self._most_bytes else None
                except UnicodeDecodeError:
                    return None
        return self._default

    def _decoder(self, tenant: str) -> Decoder:
        found = self._decoders.get(tenant)
        if found is None:
            found = self._decoders[tenant] = self._make()
            if isinstance(found, Remembering):
                found.begin(*self._place)
        self._decoders.move_to_end(tenant)
        return found

    def begin(self, topic: str, partition: int) -> None:
        """Say where the next values stand."""
        self._place = topic, partition
        for _, decoder in self._remembering():
            decoder.begin(topic, partition)

    def _remembering(self) -> list[tuple[str, Remembering]]:
        return [(t, d) for t, d in self._decoders.items() if isinstance(d, Remembering)]

    def snapshot(self) -> Mapping[str, NDArray[np.generic]]:
        """What the tenants' decoders have added up."""
        found = self._remembering()
        names = json.dumps([tenant for tenant, _ in found]).encode()
        columns: dict[str, NDArray[np.generic]] = {_NAMES: np.frombuffer(names, np.uint8)}
        for at, (_, decoder) in enumerate(found):
            columns |= {f"{at}.{name}": column for name, column in decoder.snapshot().items()}
        return columns

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot."""
        self._decoders.clear()
        if _NAMES not in columns:
            return
        try:
            names: list[str] = json.loads(columns[_NAMES].tobytes())
        except ValueError as error:
            raise CheckpointError(f"tenants of a decoder's checkpoint: {error}") from error
        for at, tenant in enumerate(names):
            decoder = self._decoder(tenant)
            if isinstance(decoder, Remembering):
                prefix = f"{at}."
                own = {
                    n.removeprefix(prefix): c for n, c in columns.items() if n.startswith(prefix)
                }
                decoder.restore(own)


def _together(told: Sequence[str | None]) -> list[tuple[str | None, list[int]]]:
    """Numbers of the records of each tenant, in the order in which tenants come up."""
    rows: dict[str | None, list[int]] = {}
    for at, tenant in enumerate(told):
        rows.setdefault(tenant, []).append(at)
    return list(rows.items())
