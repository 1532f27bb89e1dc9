"""Inspection: records of one source to a report, with a rule that was tried on them.

It refuses to keep more than it is given: whoever reads the records sets the limit.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from pydantic import ValidationError

from schemas.config import Config, SourceConfig
from schemas.reasons import AlertState
from schemas.wire.asking import Answers, Asking
from schemas.wire.registry import AUTO
from streams.ingest.identity import make_source_decoder
from streams.inspect.guess import Guess
from streams.inspect.propose import look, propose, rule_file, sections
from streams.inspect.report import Proposal, Report
from streams.inspect.survey import FOREVER_MS, Survey
from streams.replay.backtest import Backtest
from streams.replay.pipeline import Recorded
from streams.rules.load import parse_rules
from streams.transport.chunk import Chunk

CHUNK = 2_000
GUESSED_FROM = 2_000
"""Records that are looked at for their format, from the first one on."""


def inspect(
    config: Config,
    topic: str,
    records: Sequence[Recorded],
    guess: Guess,
    *,
    dated: bool,
    configured: bool = True,
    read_as: str = "",
    answers: Answers | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """What these records of a topic hold; `dated` says that they have times of their own.

    Read as `read_as`, or as the configuration says where it has the topic and `configured` says that it means these
    records, or else as they tell themselves. `answers` are schemas that they need (`wanted_schemas`); a rule is not
    tried on such records. `progress` is told how many records have been read.
    """
    guess.note((record.value, record.headers) for record in records[:GUESSED_FROM])
    named = next((s for s in config.sources if s.topic == topic), None)
    known = configured and named is not None and not read_as
    source = named if named is not None else SourceConfig(topic=topic)
    if not known:
        source = _as(source, read_as or guess.choose())
    survey = Survey(config, source, dated=dated, answers=answers)
    done = 0
    for chunk in chunks(records):
        survey.add(chunk)
        done += len(chunk)
        progress(done)
    proposal = _proposal(config, source, survey, [] if answers else records, dated=dated)
    text = sections(source, survey.metrics(), survey.labels(), survey.lateness)
    return survey.report(topic, guess.formats(), configured=known, rule=proposal, config=text)


def _as(source: SourceConfig, name: str) -> SourceConfig:
    """The source in another format; one that cannot be read without more settings is read as `auto`."""
    fields = {
        n: getattr(source, n) for n in SourceConfig.model_fields if n not in ("format", "options")
    }
    try:
        return SourceConfig(format=name, **fields)
    except ValidationError:
        return SourceConfig(format=AUTO, **fields)


def wanted_schemas(config: Config, topic: str, records: Iterable[Recorded]) -> set[int]:
    """Ids of schemas that records of a configured topic need."""
    source = next((s for s in config.sources if s.topic == topic), None)
    decoder = None if source is None else make_source_decoder(config, source)
    if not isinstance(decoder, Asking):
        return set()
    return {
        number
        for chunk in chunks(records)
        for number in decoder.wanted(chunk.values, chunk.headers)
    }


def chunks(records: Iterable[Recorded]) -> Iterable[Chunk]:
    """Records in chunks of one partition each; those of a partition stay in their order."""
    remaining = iter(records)
    while found := list(islice(remaining, CHUNK)):
        by_partition: dict[int, list[Recorded]] = {}
        for record in found:
            by_partition.setdefault(record.partition, []).append(record)
        for partition, mine in by_partition.items():
            yield Chunk(
                mine[0].topic,
                partition,
                fetch_offset=mine[0].offset,
                next_offset=mine[-1].offset + 1,
                values=[r.value for r in mine],
                timestamps=[r.timestamp_ms for r in mine],
                headers=[r.headers for r in mine],
                offsets=[r.offset for r in mine],
            )


def _proposal(
    config: Config,
    source: SourceConfig,
    survey: Survey,
    records: Sequence[Recorded],
    *,
    dated: bool,
) -> Proposal | None:
    """A first rule, and how often it would have fired over these records, where there are any."""
    seen = look(survey.metrics(), survey.labels(), config.locality)
    rule = propose(seen)
    if rule is None:
        return None
    text = rule_file(rule, seen.interval)
    groups, problems = parse_rules(text, "proposal")
    if problems:
        return None
    if not records:
        return Proposal(rule.why, text, None)
    lateness = survey.lateness
    wide = {"allowed_lateness": int(1000 * lateness.recommended_seconds) if lateness else 0}
    if not dated:
        wide |= {"max_age": FOREVER_MS, "max_ahead": FOREVER_MS}
    partitions = max((record.partition for record in records), default=0) + 1
    tried = config.model_copy(
        update={
            "kafka": config.kafka.model_copy(update={"partitions": partitions}),
            "sources": (source,),
            "time": config.time.model_copy(update=wide),
        }
    )
    outcome = Backtest(tried, groups).run(records)
    return Proposal(rule.why, text, outcome.alerts[AlertState.FIRING])
