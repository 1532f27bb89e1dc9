"""Report: what `tocsin inspect` found, as it is printed in JSON."""

import msgspec


class Format(msgspec.Struct, frozen=True):
    """A format of records, and how it was told."""

    name: str
    records: int
    why: str


class Metric(msgspec.Struct, frozen=True):
    """A metric.

    Attributes:
        kind: `counter`, `gauge`, `histogram`, or `unknown`; a guess.
        why: what the guess goes by.
        every_seconds: median time between the samples of a series; None where no series has two.
        least, most: of all its values; None where they are no numbers.

    """

    name: str
    kind: str
    why: str
    series: int
    samples: int
    every_seconds: float | None
    least: float | None
    most: float | None


class Label(msgspec.Struct, frozen=True):
    """A label over all series.

    Attributes:
        series: how many series have it.
        values: how many different values it has.
        top: the values that most series have, with how many.
        warning: why it should not be a label; empty where nothing speaks against it.

    """

    name: str
    series: int
    values: int
    top: list[tuple[str, int]]
    warning: str


class Lateness(msgspec.Struct, frozen=True):
    """How far behind the newest sample of their partition samples came.

    Attributes:
        p50, p99, p999, most: seconds; within 6 %, but for the last.
        late: samples that the configuration would refuse as late.
        allowed_seconds: what the configuration allows.
        recommended_seconds: what 999 of 1000 samples need.

    """

    p50: float
    p99: float
    p999: float
    most: float
    late: int
    allowed_seconds: float
    recommended_seconds: float


class Refused(msgspec.Struct, frozen=True):
    """Records and samples that would become dead letters; the first of them as an example."""

    reason: str
    count: int
    partition: int
    offset: int
    detail: str
    head: str


class Scrubbed(msgspec.Struct, frozen=True):
    """Series in which personal data of a label is replaced."""

    kind: str
    label: str
    series: int


class Proposal(msgspec.Struct, frozen=True):
    """A first rule.

    Attributes:
        why: what it goes by.
        text: a rule file.
        fired: alerts that it would have fired over what was read; None where it was not tried.

    """

    why: str
    text: str
    fired: int | None


class Report(msgspec.Struct, frozen=True):
    """What a topic or files hold.

    Attributes:
        read_as: format in which the records were read.
        configured: whether the configuration says so; else it is what the records told.
        size_bytes: of all record values.
        first_ms, last_ms: event times of the samples; None where there are none.
        ignored: what is left out on purpose, by reason.
        rule: None where no metric lends itself to one.
        config: sections for `tocsin.yaml`.

    """

    name: str
    records: int
    size_bytes: int
    partitions: int
    formats: list[Format]
    read_as: str
    configured: bool
    samples: int
    series: int
    tenants: list[str]
    first_ms: int | None
    last_ms: int | None
    samples_per_second: float | None
    records_per_second: float | None
    metrics: list[Metric]
    labels: list[Label]
    lateness: Lateness | None
    refused: list[Refused]
    ignored: dict[str, int]
    scrubbed: list[Scrubbed]
    rule: Proposal | None
    config: str
