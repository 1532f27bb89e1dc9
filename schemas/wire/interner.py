"""Interner: label sets to small integers, so that a label set is canonicalised once and not once a sample.

A decoder looks a series up by whatever raw form is cheapest for it (its bytes on the wire); only an unknown raw form
is parsed, checked and hashed. Ids are dense and never reused while the interner lives; `reset` empties it when it
is full.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.labels import (
    METRIC,
    TENANT,
    encode_labels,
    fingerprint_bytes,
    home,
    make_labels,
)
from schemas.reasons import DeadLetterReason


@dataclass(frozen=True, slots=True)
class Identity:
    """How tenant and locality of a series are found.

    Attributes:
        tenant_label: label whose value is the tenant.
        default_tenant: tenant of a series without that label.
        locality: labels, besides the tenant, whose series meet in one partition.
        partitions: number of detect partitions.

    """

    tenant_label: str = "tenant"
    default_tenant: str = "default"
    locality: tuple[str, ...] = ("service",)
    partitions: int = 1


class Interner:
    """Dense ids of label sets, with fingerprint and detect partition of each as columns."""

    def __init__(self, identity: Identity, limits: LimitsConfig) -> None:
        self._identity = identity
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.raw: dict[Hashable, int] = {}
        self.label_bytes: list[bytes] = []
        self._ids: dict[bytes, int] = {}
        self._per_tenant: dict[str, int] = {}
        self._fingerprints = np.zeros(1024, np.uint64)
        self._partitions = np.zeros(1024, np.int32)

    def __len__(self) -> int:
        return len(self.label_bytes)

    @property
    def full(self) -> bool:
        """Whether more raw forms are held than is sensible: time to `reset` between two chunks."""
        return len(self.raw) > 4 * self._limits.series_per_tenant

    def fingerprints(self, ids: NDArray[np.intp]) -> NDArray[np.uint64]:
        """Fingerprint of each id."""
        return self._fingerprints[ids]

    def partitions(self, ids: NDArray[np.intp]) -> NDArray[np.int32]:
        """Detect partition of each id."""
        return self._partitions[ids]

    def intern(self, raw: Hashable, metric: str, labels: Mapping[str, str]) -> int:
        """Id of a series; `raw` is remembered as another name of it.

        Raises:
            DecodeError: the metric or a label breaks a limit, or its tenant has too many series.

        """
        tenant, canonical, partition = self._canonical(metric, labels)
        known = self._ids.get(canonical)
        if known is None:
            count = self._per_tenant.get(tenant, 0)
            if count >= self._limits.series_per_tenant:
                raise DecodeError(
                    DeadLetterReason.TOO_MANY_SERIES,
                    f"tenant {tenant!r} has {count} series, the limit",
                )
            self._per_tenant[tenant] = count + 1
            known = self._ids[canonical] = len(self.label_bytes)
            self.label_bytes.append(canonical)
            if known >= len(self._fingerprints):
                self._fingerprints = np.concatenate(
                    [self._fingerprints, np.zeros_like(self._fingerprints)]
                )
                self._partitions = np.concatenate(
                    [self._partitions, np.zeros_like(self._partitions)]
                )
            self._fingerprints[known] = fingerprint_bytes(canonical)
            self._partitions[known] = partition
        self.raw[raw] = known
        return known

    def _canonical(self, metric: str, labels: Mapping[str, str]) -> tuple[str, bytes, int]:
        limits, identity = self._limits, self._identity
        if not metric:
            raise DecodeError(DeadLetterReason.MISSING_METRIC, "the metric has no name")
        if len(metric) > limits.label_name_bytes:
            raise DecodeError(
                DeadLetterReason.BAD_METRIC,
                f"metric name of {len(metric)} characters, the limit is {limits.label_name_bytes}",
            )
        if len(labels) > limits.labels_per_series:
            raise DecodeError(
                DeadLetterReason.TOO_MANY_LABELS,
                f"{len(labels)} labels, the limit is {limits.labels_per_series}",
            )
        for name, value in labels.items():
            if not name or name.startswith("__"):
                raise DecodeError(
                    DeadLetterReason.BAD_LABEL,
                    f"label name {name[:50]!r}: empty, or reserved because it begins with two underscores",
                )
            if len(name.encode()) > limits.label_name_bytes:
                raise DecodeError(
                    DeadLetterReason.LABEL_TOO_LONG,
                    f"label name of {len(name)} characters, the limit is {limits.label_name_bytes} bytes",
                )
            if len(value.encode()) > limits.label_value_bytes:
                raise DecodeError(
                    DeadLetterReason.LABEL_TOO_LONG,
                    f"value of label {name!r} has {len(value)} characters, "
                    f"the limit is {limits.label_value_bytes} bytes",
                )
        tenant = labels.get(identity.tenant_label) or identity.default_tenant
        whole = make_labels({**labels, METRIC: metric, TENANT: tenant})
        place = home(tenant, labels, identity.locality, identity.partitions)
        return tenant, encode_labels(whole), place
