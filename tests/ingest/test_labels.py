"""From a producer's labels to ours in ingest: mapping, rules, tenants, personal data."""

import json
from typing import Any

import pytest

from schemas.config import Config, SourceConfig
from schemas.dead_letters import DeadLetter
from schemas.labels import METRIC, TENANT, decode_labels
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.records import Headers
from schemas.samples import SampleBatch, decode_batch
from schemas.wire import tenants
from schemas.wire.asking import Nothing, Schema
from streams.ingest.reader import Reader
from streams.ingest.stage import IngestStage, make_reader
from streams.transport.chunk import Chunk

NOW = 1_700_000_000_000
MAIL = "bob@example.com"
DROP_DEBUG = {"action": "drop", "source_labels": ["level"], "regex": "debug"}


def make(source: dict[str, Any], topic: str = "telemetry", **config: Any) -> Reader:
    """A reader of a source with these settings."""
    made = Config.model_validate({"sources": [{"topic": topic, **source}], **config})
    return make_reader(made, made.sources[0], partitions=4)


def chunk(
    *labels: dict[str, str], start: int = 0, headers: list[Headers] | None = None, metric: str = "m"
) -> Chunk:
    """One sample a record with these labels."""
    values: list[bytes | None] = [
        json.dumps({"ts": NOW + n, "metric": metric, "value": n, "labels": each}).encode()
        for n, each in enumerate(labels)
    ]
    return Chunk(
        "telemetry",
        0,
        fetch_offset=start,
        next_offset=start + len(values),
        values=values,
        timestamps=[NOW] * len(values),
        headers=headers,
    )


def read(reader: Reader, found: Chunk) -> list[dict[str, str]]:
    """Label sets of the samples that stay, in their order."""
    samples, _ = reader.read(found)
    codes = reader.interner.label_bytes
    return [dict(decode_labels(codes[at])) for at in samples.ids.tolist()]


def test_names_are_mapped_by_the_shipped_table_and_the_sources_own() -> None:
    """OTel's names become ours by default; a source adds its own and may switch one off."""
    reader = make({"labels": {"job": "service", "host.name": "host.name"}})
    found = read(reader, chunk({"job": "cart", "k8s.pod.name": "p", "host.name": "h"}))

    assert [
        {METRIC: "m", TENANT: "default", "service": "cart", "pod": "p", "host.name": "h"}
    ] == found


def test_a_dropped_series_is_counted_and_is_no_dead_letter() -> None:
    """What a rule drops is left out on purpose: no refusal, no letter, and what stands beside it stays."""
    reader = make({"relabel": [DROP_DEBUG]})
    samples, letters = reader.read(chunk({"level": "debug"}, {"level": "warn"}, {"level": "debug"}))

    assert [1.0] == samples.values.tolist()
    assert [] == letters
    assert {IgnoreReason.DROPPED_BY_RULE: 2} == reader.limits.ignored
    assert not reader.limits.refused


def test_rules_run_once_for_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many samples a series has, kept or dropped, its labels meet the rules once."""
    reader = make({"relabel": [DROP_DEBUG]})
    asked: list[str] = []
    rename = reader.interner.labelling.rename
    monkeypatch.setattr(
        reader.interner.labelling, "rename", lambda m, x: asked.append(x["level"]) or rename(m, x)
    )
    for turn in range(3):
        read(reader, chunk(*[{"level": "debug"}, {"level": "warn"}] * 5, start=10 * turn))

    assert ["debug", "warn"] == asked


def test_what_is_dropped_takes_one_series_and_many_forms() -> None:
    """Thousands of dropped series are one to the limits, and every form is known the second time."""
    reader = make({"relabel": [DROP_DEBUG]}, limits={"series_per_tenant": 3_000})
    found = chunk(*({"level": "debug", "n": str(n)} for n in range(2_500)))
    read(reader, found)

    assert 1 == reader.interner.tenants.total
    assert 2_500 == reader.interner.forms


def test_ever_new_dropped_series_are_forgotten_in_time() -> None:
    """Whoever sends new dropped series without end fills no memory, and the newest are remembered again."""
    reader = make({"relabel": [DROP_DEBUG]}, limits={"series_per_tenant": 100, "series_idle": "1h"})
    interner = reader.interner
    for minute in range(0, 60, 5):
        found = chunk(
            *({"level": "debug", "n": f"{minute}-{n}"} for n in range(70)), start=minute * 99
        )
        found.timestamps = [NOW + 60_000 * minute] * len(found)
        reader.read(found)

    assert 1 == interner.tenants.total
    assert 70 <= interner.forms <= 200
    assert {IgnoreReason.DROPPED_BY_RULE: 12 * 70} == reader.limits.ignored


def test_a_full_tenant_may_drop() -> None:
    """At its limit of series a tenant still has its dropped series dropped, not refused."""
    reader = make({"relabel": [DROP_DEBUG]}, limits={"series_per_tenant": 1})
    samples, letters = reader.read(chunk({"n": "1"}, {"level": "debug"}, {"n": "2"}))

    assert [0.0] == samples.values.tolist()
    assert [DeadLetterReason.TOO_MANY_SERIES] == [letter.reason for letter in letters]
    assert {IgnoreReason.DROPPED_BY_RULE: 1} == reader.limits.ignored


def test_rules_may_rename_metric_and_tenant() -> None:
    """A rule that writes `__name__` or the tenant's label changes both."""
    reader = make(
        {
            "relabel": [
                {
                    "source_labels": ["__name__"],
                    "target_label": "__name__",
                    "replacement": "app_$1",
                },
                {"source_labels": ["org"], "target_label": "tenant"},
            ]
        }
    )
    (found,) = read(reader, chunk({"org": "acme"}))

    assert ("app_m", "acme") == (found[METRIC], found[TENANT])


def test_a_rules_result_keeps_the_limits() -> None:
    """A series whose name a rule has emptied is refused, as if it had been sent so."""
    reader = make({"relabel": [{"target_label": "__name__", "replacement": ""}]})
    samples, (letter,) = reader.read(chunk({"a": "1"}))

    assert (0, DeadLetterReason.MISSING_METRIC) == (len(samples.ids), letter.reason)


def test_a_tenant_that_rules_move_is_not_refused_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where rules write the tenant, the limit of the tenant that was written does not count."""
    monkeypatch.setattr(tenants, "MOST_LOOKS", 0)
    rule = {"source_labels": ["org"], "regex": "(.+)", "target_label": "tenant"}
    reader = make({"relabel": [rule]}, limits={"series_per_tenant": 1})
    read(reader, chunk({"tenant": "full", "n": "1"}))
    found = read(reader, chunk({"tenant": "full", "org": "b"}, {"tenant": "full", "n": "2"}))

    assert ["b"] == [each[TENANT] for each in found]


def test_what_was_dropped_before_a_restart_is_dropped_after_it() -> None:
    """A restored stage sends the same samples as one that went on."""

    def sent(stage: IngestStage) -> list[SampleBatch]:
        return [b for o in stage.apply(more) if len(b := decode_batch(o.value or b""))]

    config = Config.model_validate({"sources": [{"relabel": [DROP_DEBUG]}]})
    first = IngestStage(config, config.sources[0], "telemetry", 0)
    first.apply(chunk({"level": "debug"}, {"level": "warn"}))
    second = IngestStage(config, config.sources[0], "telemetry", 0)
    second.restore(first.snapshot())
    more = chunk({"level": "debug"}, {"level": "warn"}, start=2)

    (expected,), (found,) = sent(first), sent(second)
    assert list(expected.label_bytes) == list(found.label_bytes)
    assert [1.0] == found.values.tolist()


def test_the_tenant_may_be_fixed_or_stand_in_the_topic() -> None:
    """Then labels do not count: whoever writes another tenant's name stays at home."""
    pattern = {"tenant": {"topic": "telemetry-(.+)"}}
    labels = {"tenant": "other"}

    assert "acme" == read(make({"tenant": {"fixed": "acme"}}), chunk(labels))[0][TENANT]
    assert "acme" == read(make(pattern, "telemetry-acme"), chunk(labels))[0][TENANT]


def test_the_tenant_may_stand_in_a_header() -> None:
    """Equal bytes under two headers are two tenants' series; without the header it is the default's."""
    reader = make({"tenant": {"header": "X-Tenant", "default": "nobody"}})
    headers: list[Headers] = [[("x-tenant", b"a")], [("x-tenant", b"b")], [], [("x-tenant", b"a")]]
    labels = {"n": "1", "tenant": "other"}
    found = read(reader, chunk(labels, labels, labels, labels, headers=headers))

    assert ["a", "b", "nobody", "a"] == [each[TENANT] for each in found]
    assert 3 == len(reader.interner)
    assert ["a"] == [x[TENANT] for x in read(reader, chunk(labels, headers=headers[3:]))]


@pytest.mark.parametrize("series", [1_000_000, 7])
def test_cuts_and_mixture_change_nothing(series: int) -> None:
    """Tenants mixed record by record: one chunk or many, far from a limit or at it, the same samples and refusals."""
    names = [b"a", b"b", b"a", b"\xff", b"c", b"b", b"a"] * 6
    headers: list[Headers] = [[("tenant", name)] for name in names]
    labels = [{"n": str(n % 5)} for n in range(len(names))]
    source = {"tenant": {"header": "tenant"}}

    def outcome(cut: int) -> list[tuple[Any, ...]]:
        reader = make(source, limits={"series": series})
        found: list[tuple[Any, ...]] = []
        for at in range(0, len(names), cut):
            part = chunk(*labels[at : at + cut], start=at, headers=headers[at : at + cut])
            samples, letters = reader.read(part)
            codes = reader.interner.label_bytes
            ids = samples.ids.tolist()
            found += zip(samples.offsets.tolist(), [codes[i] for i in ids], strict=True)
            found += [(letter.offset, letter.reason) for letter in letters]
        return sorted(found, key=lambda each: each[0])

    assert outcome(len(names)) == outcome(1) == outcome(4)
    assert len(names) == len(outcome(3))


def test_only_the_tenants_that_asked_for_a_schema_are_told() -> None:
    """Each tenant's decoder asks once for a chunk, is told once, and a schema that there is not ends the asking."""
    options = {"registry": {"url": "http://localhost"}}
    reader = make({"format": "confluent", "options": options, "tenant": {"header": "tenant"}})
    rows = [("a", 1), ("b", 2), ("a", 2), ("a", 3), ("b", 3)]
    headers: list[Headers] = [[("tenant", tenant.encode())] for tenant, _ in rows]

    def framed(start: int) -> Chunk:
        found = chunk(*({"n": "1"} for _ in rows), start=start, headers=headers)
        pairs = zip(found.values, rows, strict=True)
        found.values = [b"\0\0\0\0" + bytes([number]) + (v or b"") for v, (_, number) in pairs]
        return found

    first, second = framed(0), framed(10)
    answers: dict[int, Schema | Nothing] = {n: Schema("JSON", "{}") for n in (1, 2)}
    answers[3] = Nothing("none")

    assert {1, 2, 3} == reader.wanted(first)
    reader.learn(answers)
    assert set() == reader.wanted(first)
    samples, letters = reader.read(first)
    assert [0, 1, 2] == samples.offsets.tolist()
    assert {DeadLetterReason.UNKNOWN_SCHEMA} == {letter.reason for letter in letters}
    assert {3} == reader.wanted(second)


def test_a_header_that_is_no_text_is_refused() -> None:
    """The record becomes a dead letter, those beside it go through."""
    reader = make({"tenant": {"header": "tenant"}})
    headers: list[Headers] = [[("tenant", b"a")], [("tenant", b"\xff")]]
    samples, (letter,) = reader.read(chunk({"n": "1"}, {"n": "1"}, headers=headers))

    assert [0] == samples.offsets.tolist()
    assert (1, DeadLetterReason.BAD_LABEL) == (letter.offset, letter.reason)


def test_personal_data_is_replaced_by_default() -> None:
    """A mail address in a label is a hash in the series, and counted by kind and label."""
    reader = make({})
    (found,) = read(reader, chunk({"user": MAIL, "instance": "10.0.0.1:9100"}))
    figures = {f.reason: f.total for f in reader.limits.figures() if f.name == "scrubbed"}

    assert found["user"].startswith("<email:")
    assert "10.0.0.1:9100" == found["instance"]
    assert {"email/user": 1} == figures


def test_scrubbing_can_be_left_out() -> None:
    """`scrub.enabled: false` leaves labels and dead letters as they are."""
    reader = make({}, scrub={"enabled": False})
    samples, (letter,) = reader.read(garbage())

    assert MAIL == read(reader, chunk({"user": MAIL}))[0]["user"]
    assert (0, True) == (len(samples.ids), MAIL.encode() in letter.head)


def garbage() -> Chunk:
    """A record that is no sample, with a mail address in it."""
    return Chunk(
        "telemetry",
        0,
        fetch_offset=0,
        next_offset=1,
        values=[f'{{"user": "{MAIL}"}}'.encode()],
        timestamps=[NOW],
    )


def test_dead_letters_hold_nothing_personal() -> None:
    """The first bytes of what is refused are scrubbed with the same hash."""
    reader = make({})
    letters: list[DeadLetter] = reader.read(garbage())[1]
    (hashed,) = (x["user"] for x in read(reader, chunk({"user": MAIL}, start=1)))

    assert f'{{"user": "{hashed}"}}'.encode() == letters[0].head


def test_the_secret_decides_the_hashes() -> None:
    """Two installations with other secrets have other hashes; the tenant's label is never scrubbed."""
    found = [
        read(make({}, scrub={"secret": secret}), chunk({"user": MAIL, "tenant": MAIL}))[0]
        for secret in ("a", "b")
    ]

    assert found[0]["user"] != found[1]["user"]
    assert MAIL == found[0]["tenant"] == found[0][TENANT]


def test_a_source_asks_for_headers_when_it_needs_them() -> None:
    """Records are read with their headers where the tenant or the format is told by one."""
    assert SourceConfig(tenant={"header": "tenant"}).needs_headers
    assert SourceConfig(format="auto").needs_headers
    assert not SourceConfig().needs_headers
