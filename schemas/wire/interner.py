"""Interner: label sets to small integers, so that a label set is canonicalised once and not once a sample.

A decoder looks a series up by its metric and whatever raw form is cheapest for it (its labels' bytes on the wire); only
an unknown raw form is parsed, checked and hashed. Ids are dense; they hold until `compact`, which gives back the
memory of silent series and numbers the others anew.

It refuses what breaks a limit, and remembers nothing of what it refused. Which series a tenant at its limit may have
hangs on the log alone: it outlives a restart in the snapshot, though label sets do not. Of what a tenant at its limit
writes in new forms, so much is read in a minute, for it may be a known series; the rest is refused unread, so a flood
of new series costs little.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import CheckpointError, DecodeError
from schemas.fingerprints import FingerprintIndex
from schemas.labelling import AS_WRITTEN, Labelling
from schemas.labels import fingerprint_bytes
from schemas.reasons import DeadLetterReason
from schemas.texts import TextArena
from schemas.wire.bounds import find_breach
from schemas.wire.forms import Forms
from schemas.wire.identity import NOWHERE, Identity, Named, place
from schemas.wire.series import SeriesColumns, make_series
from schemas.wire.tenants import Tenants

SPARE = 8
"""There is room for one more id for each so many."""
GONE = -(2**31)
"""Minute of a series that has gone."""
LEAST = 1024
"""Ids that there is place for at first."""
FORMS_PER_SERIES = 4
"""So many raw forms of a tenant's series are remembered, on average; a producer has one way to write a label set."""
SPARE_FORMS = 64


class Interner:
    """Dense ids of label sets, with fingerprint, detect partition and tenant of each as columns.

    Attributes:
        label_bytes: canonical bytes of each id's label set, empty where it was not seen since a restart.
        identity: how tenant and locality are found.
        tenants: numbers of the tenants, and how much they have here.
        labelling: how labels are made ours.
        drops: whether there is anything that a rule drops.
        resets: grows when ids get other label sets, or are no longer found.

    """

    def __init__(
        self, identity: Identity, limits: LimitsConfig, labelling: Labelling = AS_WRITTEN
    ) -> None:
        self.identity = identity
        self._tenant: str | None = None
        self.drops = False
        self._limits = limits
        self.labelling = labelling
        label = identity.tenant_label
        self._tenant_moves = label != "" and labelling.may_write(label)
        self.resets = 0
        self.label_bytes = TextArena()
        self.tenants = Tenants()
        self._forms = Forms()
        self._index = FingerprintIndex()
        self._columns = make_series(LEAST)
        self._any_gone = False
        self._minute = 0

    def __len__(self) -> int:
        return len(self.label_bytes)

    @property
    def tenant(self) -> str | None:
        """Tenant of all that is interned now, where its record says it; None where its labels do."""
        return self._tenant

    @tenant.setter
    def tenant(self, tenant: str | None) -> None:
        self._tenant = tenant
        self._forms.belong(tenant)

    def find(self, metrics: Sequence[str], raws: Sequence[bytes]) -> NDArray[np.intp]:
        """Id of each of these raw forms of labels, of the metrics beside them; -1 where it is not known."""
        return self._forms.find(metrics, raws)

    def find_hashed(self, hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The same of forms that are hashed already, as `Forms` does."""
        return self._forms.find_hashed(hashes)

    def get(self, metric: str, raw: bytes) -> int:
        """Id of one raw form, -1 where it is not known."""
        return self._forms.get(metric, raw)

    @property
    def forms(self) -> int:
        """How many raw forms are remembered."""
        return len(self._forms.ids)

    @property
    def mapped(self) -> Collection[str]:
        """Names of labels that the source gives other names, for decoders that leave out what nobody asks for."""
        return self.labelling.mapped

    def fingerprints(self, ids: NDArray[np.intp]) -> NDArray[np.uint64]:
        """Fingerprint of each id."""
        return self._index.fingerprints(ids)

    def partitions(self, ids: NDArray[np.intp]) -> NDArray[np.int32]:
        """Detect partition of each id; `NOWHERE` for what a rule drops."""
        return self._columns.partitions[ids]

    def tenant_numbers(self, ids: NDArray[np.intp]) -> NDArray[np.int32]:
        """Number in `tenants` of each id."""
        return self._columns.tenants[ids]

    def tenant_of(self, labels: Mapping[str, str]) -> str:
        """Tenant of a label set, after mapping and rules."""
        if self.tenant is not None:
            return self.tenant
        return labels.get(self.identity.tenant_label) or self.identity.default_tenant

    def intern(self, metric: str, raw: bytes, labels: Mapping[str, str]) -> int:
        """Id of a series; `raw` is remembered as a form of its labels.

        Raises:
            DecodeError: the metric or a label breaks a limit, or there is no room for another series or tenant.

        """
        remembered = self._forms.get(metric, raw)
        if remembered >= 0:
            return remembered
        named = self._named(metric, labels) if self._tenant_moves else None
        tenant = self.tenant_of(labels if named is None else named.labels)
        number = self.tenants.number(tenant)
        lack = self._lack(number)
        strange = lack is not None and not self._forms.was_known(metric, raw)
        if lack is not None and strange and not self.tenants.look(number):
            raise DecodeError(lack, *self._whose(tenant, number))
        named = named or self._named(metric, labels)
        canonical, home = place(self.identity, self.labelling, tenant, named)
        print_ = fingerprint_bytes(canonical)
        known = self._index.get(print_)
        if known < 0:
            # what is dropped takes one place a tenant, whatever the tenant has
            if lack is not None and (home != NOWHERE or number < 0):
                raise DecodeError(lack, *self._whose(tenant, number))
            known = self._add(print_, tenant)
        if not self.label_bytes.has(known):
            self.label_bytes.write(known, canonical)
            self._columns.partitions[known] = home
            self.drops = self.drops or home == NOWHERE
        self._remember(metric, raw, known)
        return known

    def _named(self, metric: str, labels: Mapping[str, str]) -> Named:
        """Metric and labels as they are here, but for what is personal; limits hold before and after."""
        self._check(metric, labels)
        found = self.labelling.rename(metric, labels)
        if found is None:
            return Named(metric, labels, dropped=True)
        named = Named(*found)
        if named.labels is not labels:
            self._check(named.metric, named.labels)
        return named

    def _check(self, metric: str, labels: Mapping[str, str]) -> None:
        breach = find_breach(metric, labels, self._limits)
        if breach is not None:
            number = self.tenants.number(self.tenant_of(labels))
            raise DecodeError(*breach, self._name(number))

    def _name(self, number: int) -> str:
        """Name of a tenant that has series, empty for any other: those there may be without end."""
        known = number >= 0 and self.tenants.series[number]
        return self.tenants.names[number] if known else ""

    def _whose(self, tenant: str, number: int) -> tuple[str, str]:
        return f"no room for series of tenant {tenant[:100]!r}", self._name(number)

    def no_room(self, tenant: str) -> tuple[DeadLetterReason, str] | None:
        """Why what is not remembered of a tenant, empty for the default, is refused unread; None when it is not.

        The reason, and the tenant where it is known. Nothing is refused unread where rules may make another tenant of
        the one that was written.
        """
        if self._tenant_moves and self.tenant is None:
            return None
        number = self.tenants.number(self.tenant or tenant or self.identity.default_tenant)
        lack = self._lack(number)
        if lack is None or self.tenants.may_look(number):
            return None
        return lack, self._name(number)

    @property
    def waits(self) -> bool:
        """Whether forms from before a restart have not been seen again yet."""
        return self._forms.waits

    def was_known(self, metric: str, raw: bytes) -> bool:
        """Whether a form that is not known was remembered before the restart."""
        return self._forms.was_known(metric, raw)

    def _lack(self, number: int) -> DeadLetterReason | None:
        """Why a tenant may have no other series; None when it may."""
        limits, tenants = self._limits, self.tenants
        count = tenants.series[number] if number >= 0 else 0
        if not count and tenants.live >= limits.tenants:
            return DeadLetterReason.TOO_MANY_TENANTS
        if count >= limits.series_per_tenant or tenants.total >= limits.series:
            return DeadLetterReason.TOO_MANY_SERIES
        return None

    def _add(self, print_: int, tenant: str) -> int:
        added = self.label_bytes.add()
        if added == len(self._columns.tenants):
            self._columns = self._columns.resized(added + added // SPARE)
        self._columns.tenants[added] = self.tenants.add(tenant)
        self._index.add_one(print_, added)
        return added

    def _remember(self, metric: str, raw: bytes, known: int) -> None:
        # whoever writes its labels in ever new ways has them parsed each time, and fills no memory
        if self._has_room(known) or self._forms.was_known(metric, raw):
            tenant = self._columns.tenants.item(known)
            self.tenants.forms[tenant] += self._forms.add(metric, raw, known)

    def _has_room(self, known: int) -> bool:
        """Whether one more form of an id may be remembered."""
        tenant = self._columns.tenants.item(known)
        room = FORMS_PER_SERIES * self.tenants.series[tenant] + SPARE_FORMS
        if self._columns.partitions.item(known) == NOWHERE:  # one label set for all that is dropped
            room = max(room, self._limits.series_per_tenant)
        return bool(self.tenants.forms[tenant] < room)

    def turn(self, minute: int) -> None:
        """Say which minute of the log it is."""
        if minute != self._minute:
            self._minute = minute
            self.tenants.forget_looks()

    def hear(self, ids: NDArray[np.intp], minute: int) -> None:
        """Note that these series were heard in this minute of the log."""
        self._columns.heard[ids] = minute

    def retire(self, before_minute: int) -> None:
        """Let series go that were last heard before this minute; their ids keep their label sets until `compact`."""
        count = len(self)
        heard = self._columns.heard[:count]
        heard[self._crowded()] = before_minute - 1
        gone = np.flatnonzero((heard < before_minute) & (heard != GONE))
        if not len(gone):
            return
        heard[gone] = GONE
        # whoever remembers ids goes by this
        self.resets += 1
        self._index.remove(self._index.fingerprints(gone))
        self._rename(np.where(heard == GONE, -1, np.arange(count)))
        self._any_gone = True

    def _crowded(self) -> list[int]:
        """Ids for all that is dropped of a tenant, where no more forms fit: they are to be learnt anew."""
        if not self.drops:
            return []
        dropped = self._columns.partitions[: len(self)] == NOWHERE
        dropped &= self._columns.heard[: len(self)] != GONE
        return [known for known in np.flatnonzero(dropped).tolist() if not self._has_room(known)]

    def compact(self) -> NDArray[np.intp] | None:
        """Give back the memory of what has gone; only for who keeps no ids, for the others are numbered anew.

        None when nothing has gone; else old numbers of the tenants that stay, in the order of their new ones.
        """
        if not self._any_gone:
            return None
        self._any_gone = False
        self.resets += 1
        stay = self._columns.heard[: len(self)] != GONE
        kept = np.flatnonzero(stay)
        self.label_bytes = self.label_bytes.take(kept)
        self._columns = self._columns.take(kept).resized(max(LEAST, len(kept)))
        self._index.replace(self._index.fingerprints(kept), np.arange(len(kept)))
        self._rename(np.where(stay, np.cumsum(stay) - 1, -1))
        numbers = self.tenants.keep()
        tenants = self._columns.tenants[: len(kept)]
        tenants[:] = np.searchsorted(numbers, tenants)
        return numbers

    def _rename(self, new_ids: NDArray[np.intp]) -> None:
        """Let raw forms stand for other ids, forget those that now stand for -1, and count all anew."""
        self._forms.rename(new_ids)
        tenants = self._columns.tenants
        alive = self._columns.heard[: len(self)] != GONE
        self.tenants.count(tenants[: len(self)][alive], tenants[self._forms.ids])

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Which series there are, 16 bytes each, as columns; and the tenants' names."""
        names = msgspec.json.encode(self.tenants.names)
        alive = self._columns.heard[: len(self)] != GONE
        kept = np.flatnonzero(alive)
        columns = self._columns.take(kept)
        forms = self._forms.snapshot()
        return {
            **forms,
            "form_ids": (np.cumsum(alive) - 1)[forms["form_ids"]],
            "fingerprints": self._index.fingerprints(kept),
            "tenants": columns.tenants,
            "heard": columns.heard,
            "looks": np.array(self.tenants.looks, np.int32),
            "names": np.frombuffer(names, np.uint8),
        }

    def restore(self, columns: Mapping[str, NDArray[np.generic]], minute: int) -> None:
        """Know the series of a snapshot again, taken in this minute; label sets come back when they are heard.

        Raises:
            CheckpointError: a column is missing, or they do not fit together.

        """
        try:
            prints = columns["fingerprints"].astype(np.uint64)
            tenants = columns["tenants"].astype(np.int32)
            heard = columns["heard"].astype(np.int32)
            looks = columns["looks"].tolist()
            names = msgspec.json.decode(columns["names"].tobytes(), type=list[str])
        except (KeyError, ValueError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"series of an ingest checkpoint: {error!r}") from error
        count = len(prints)
        if (
            {len(tenants), len(heard)} != {count}
            or len(looks) != len(names) + 1
            or (count and not 0 <= int(tenants.min()) <= int(tenants.max()) < len(names))
        ):
            raise CheckpointError("series of an ingest checkpoint: columns do not fit together")
        self.resets += 1
        self._any_gone = False
        self.label_bytes = TextArena(count)
        self._forms.restore(columns, count)
        self.tenants.restore(names, looks)
        self.tenants.count(tenants, tenants[self._forms.ids])
        self._minute = minute
        found = SeriesColumns(np.zeros(count, np.int32), tenants, heard)
        self._columns = found.resized(max(LEAST, count))
        self._index.replace(prints, np.arange(count))
