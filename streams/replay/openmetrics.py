"""OpenMetrics texts, and Prometheus's own text form, as samples.

Which of the two it is, the closing `# EOF` tells. A sample without a time has the one that the caller gives.
Refuses what the parsers of the Prometheus client refuse, and native histograms.
"""

import re
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_fd_to_metric_families as read_openmetrics
from prometheus_client.parser import text_fd_to_metric_families as read_prometheus
from prometheus_client.samples import Sample

from schemas.errors import ConfigError
from schemas.labels import METRIC, TENANT, encode_labels, fingerprint_bytes, make_labels
from schemas.wire.identity import Identity

_FIRST = re.compile(r"#( |$)|[A-Za-z_:][A-Za-z0-9_:]*(\{.*\})?[ \t]+[-+]?(\d|\.\d|NaN|Inf)[^,;]*$")


class Exposed(NamedTuple):
    """Samples of a text: fingerprints and canonical bytes of its label sets, then one row a sample, times in ms."""

    prints: NDArray[np.uint64]
    codes: list[bytes]
    series: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


def is_exposition(path: Path) -> bool:
    """Whether the first line with something in it is one of an exposition: a comment, or a name and a number."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = next((line.strip() for line in file if line.strip()), "")
    return _FIRST.match(first) is not None


def read_exposition(path: Path, identity: Identity, at_ms: int | None) -> Exposed:
    """Samples of a text; the tenant is found as `identity` says.

    Raises:
        ConfigError: it cannot be read, or a sample has no time and there is no `at_ms`; names the file.

    """
    try:
        lines = _Lines(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 at byte {error.start}"]) from error
    try:
        found = list(_samples(lines))
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise ConfigError([f"{path}:{lines.read}: no OpenMetrics text: {error}"]) from error
    codes: dict[bytes, int] = {}
    series: list[int] = []
    times: list[int] = []
    for sample in found:
        if sample.native_histogram is not None:
            raise ConfigError([f"{path}: {sample.name}: native histograms are not supported"])
        if sample.timestamp is None and at_ms is None:
            raise ConfigError([f"{path}: {sample.name} has no time; say one with --at"])
        stamp = at_ms or 0
        if sample.timestamp is not None:
            stamp = round(float(sample.timestamp) * 1000)
        labels = dict(sample.labels)
        tenant = labels.get(identity.tenant_label) or identity.default_tenant
        code = encode_labels(make_labels({**labels, METRIC: sample.name, TENANT: tenant}))
        series.append(codes.setdefault(code, len(codes)))
        times.append(stamp)
    return Exposed(
        np.array([fingerprint_bytes(code) for code in codes], np.uint64),
        list(codes),
        np.array(series, np.int64),
        np.array(times, np.int64),
        np.array([sample.value for sample in found], np.float64),
    )


class _Lines:
    """The lines of a text, and how many of them have been read."""

    def __init__(self, text: str) -> None:
        self._lines = list(StringIO(text.rstrip()))
        self.closed = self._lines[-1:] == ["# EOF"]
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.read += 1
            yield line


def _samples(lines: _Lines) -> Iterator[Sample]:
    families: Iterable[Metric] = (
        read_openmetrics(lines)  # type: ignore[no-untyped-call]  # the package has no type for this one
        if lines.closed
        else read_prometheus(lines)  # type: ignore[arg-type]  # a file, of which it reads the lines alone
    )
    for family in families:
        yield from family.samples
