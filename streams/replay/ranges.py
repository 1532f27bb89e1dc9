"""Ranges: answers of Prometheus's `query_range`, as `curl` writes them to a file: a matrix of series.

Series with a name are samples as they were scraped; those without are results of an expression.
Refuses what is no such answer, and samples that are no numbers (`"NaN"` and infinities are left out).
"""

from math import isfinite
from pathlib import Path

import msgspec

from schemas.errors import ConfigError
from schemas.labels import METRIC
from streams.produce.telemetry import Sample


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct, rename="camel"):
    result_type: str
    result: list[_Series] = []


class _Answer(msgspec.Struct):
    status: str
    data: _Data


def is_range(path: Path) -> bool:
    """Whether a file begins as such an answer does."""
    with path.open("rb") as file:
        head = file.read(200).lstrip()
    return head.startswith(b"{") and b'"status"' in head and b'"resultType"' in head


def read_range(path: Path) -> list[Sample]:
    """The samples of such an answer; those without a name have an empty metric.

    Raises:
        ConfigError: it is none.

    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: no answer of query_range: {error}"]) from error
    if found.status != "success" or found.data.result_type != "matrix":
        what = f"{found.status}, {found.data.result_type}"
        raise ConfigError([f"{path}: wanted is a matrix of query_range, this is: {what}"])
    samples: list[Sample] = []
    for series in found.data.result:
        labels = {name: value for name, value in series.metric.items() if name != METRIC}
        metric = series.metric.get(METRIC, "")
        for seconds, text in series.values:
            try:
                value = float(text)
            except ValueError as error:
                raise ConfigError([f"{path}: no number: {text!r}"]) from error
            if isfinite(value):
                samples.append(Sample(metric, labels, round(seconds * 1000), value))
    return samples
