"""Heeding: what detectors heed beside samples, read from the files that the configuration names, put into the rules.

It is data of the rules from then on, so that a reload sees what has changed in it. Every fault is told with its line.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from schemas.config import Document
from schemas.config.detect import CalendarConfig
from schemas.config.intervals import IntervalConfig
from schemas.config.near import nearest
from schemas.errors import CheckpointError, ConfigError
from streams.rules.grouped import detect_rule, parts
from streams.rules.learnt import Learnt
from streams.rules.learnt_file import read_learnt
from streams.rules.occasion import Occasion
from streams.rules.partial.wide import Wide
from streams.rules.rule import EACH_SERIES, DetectBlock, Rule, RuleGroup
from streams.time.calendars import CalendarError, Span, read_dates, read_ics, read_list


def heed(groups: Sequence[RuleGroup], document: Document) -> tuple[list[RuleGroup], list[str]]:
    """The rules with what their detectors heed, and every fault of the files."""
    problems: list[str] = []
    reading = _Reading(document, problems)
    occasions, learnt = reading.occasions(), reading.learnt()
    maintenance = reading.maintenance()
    names = sorted({each.name for each in document.config.detect.calendar})
    wide = Wide(groups, document.config.locality)

    def heeded(rule: Rule) -> Rule:
        block = rule.detect
        if block is None:
            return rule
        for name in set(block.only or ()) - set(names):
            hint = nearest(name, names) if names else "there is none in detect.calendar"
            problems.append(f"{rule.file}:{rule.line}: unknown calendar '{name}': {hint}")
        chosen = names if block.only is None else block.only
        known = learnt.get(rule.learnt_key)
        more = replace(
            block,
            spread=_spread(block, document, whole=rule in wide),
            occasions=tuple(each for each in occasions if each.name in chosen),
            maintenance=maintenance,
            learnt=known,
        )
        if known is not None:
            try:
                for part in parts(detect_rule(more, interval_ms=rule.interval_ms, max_series=1)):
                    part.banks.try_on(part.block.learnt)
            except CheckpointError as error:
                what = f"{rule.name}: learn it anew: {error}"
                problems.append(f"{rule.file}:{rule.line}: {what}")
        return replace(rule, detect=more)

    done = [replace(group, rules=tuple(map(heeded, group.rules))) for group in groups]
    return done, problems


def heeded_files(document: Document) -> list[Path]:
    """Files besides the rules' that detectors hang on."""
    detect, base = document.config.detect, Path(document.name).parent
    calendars = (each.file for each in detect.calendar if each.file)
    return [base / name for name in (*detect.learnt, *calendars)]


def _spread(block: DetectBlock, document: Document, *, whole: bool) -> int:
    """Over how many partitions those who share a budget may be: each takes an even part of it."""
    config = document.config
    together = block.per == EACH_SERIES or block.per in config.locality[1:]
    return 1 if whole or together else config.kafka.partitions


class _Reading:
    """The files of one configuration."""

    def __init__(self, document: Document, problems: list[str]) -> None:
        self._document = document
        self._detect = document.config.detect
        self._base = Path(document.name).parent
        self._problems = problems

    def _fault(self, what: str, *place: str | int) -> None:
        line = self._document.line("detect", *place)
        self._problems.append(f"{self._document.name}:{line}: {what}")

    def maintenance(self) -> tuple[IntervalConfig, ...]:
        known = {each.name: each.time_intervals for each in self._document.config.time_intervals}
        for at, name in enumerate(self._detect.maintenance):
            if name not in known:
                hint = nearest(name, sorted(known)) if known else "there is none"
                self._fault(f"unknown time interval '{name}': {hint}", "maintenance", at)
        return tuple(
            interval for name in self._detect.maintenance for interval in known.get(name, ())
        )

    def occasions(self) -> list[Occasion]:
        found: list[Occasion] = []
        for at, calendar in enumerate(self._detect.calendar):
            try:
                spans = self._spans(calendar)
            except (CalendarError, OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                where = f"{calendar.file}: " if calendar.file else ""
                self._fault(f"calendar '{calendar.name}': {where}{why}", "calendar", at)
                continue
            apart = calendar.then == "apart"
            found += [Occasion(calendar.name, *span, apart) for span in spans]
        return found

    def _spans(self, calendar: CalendarConfig) -> list[Span]:
        spans = read_dates(calendar.dates, calendar.location)
        if not calendar.file:
            return spans
        text = (self._base / calendar.file).read_text(encoding="utf-8-sig")
        read = read_ics if "BEGIN:VCALENDAR" in text else read_list
        return [*spans, *read(text, calendar.location)]

    def learnt(self) -> dict[str, Learnt]:
        found: dict[str, Learnt] = {}
        for at, name in enumerate(self._detect.learnt):
            try:
                found |= read_learnt(self._base / name)
            except (OSError, CheckpointError, ConfigError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                self._fault(f"{name}: {why}", "learnt", at)
        return found
