"""What verbs that answer "why" share: rules and lines of the configuration as it is now, and what the broker has."""

from collections.abc import Sequence
from pathlib import Path

import click

from schemas.config import Config, Document
from schemas.config.section import format_duration
from schemas.errors import ConfigError
from schemas.labels import Matcher
from schemas.matchers import parse_matchers
from schemas.topics import SAMPLES
from sinks.record.why import Locate, RuleText
from streams.cli.broker import read_last, running_broker
from streams.cli.options import check_rules, open_document
from streams.replay.history import History, gather_records
from streams.rules.rule import RuleGroup


class Knowledge:
    """The configuration of today; rules that cannot be read are unknown, and the history is explained without them."""

    def __init__(self, config_path: Path | None) -> None:
        self.document: Document = open_document(config_path)
        try:
            self.groups: list[RuleGroup] = check_rules(self.document)[0]
        except ConfigError:
            self.groups = []

    @property
    def rules(self) -> dict[str, RuleText]:
        """Rules by `group/name`."""
        return {
            rule.id: RuleText(
                f"{rule.file}:{rule.line}",
                rule.expr,
                format_duration(rule.for_ms) if rule.for_ms else "",
            )
            for group in self.groups
            for rule in group.rules
        }

    @property
    def locate(self) -> Locate:
        """`FILE:LINE` of a key such as `correlate.storm.pages`; the name, where it is no key that is set."""

        def find(by: str) -> str:
            path = [int(step) if step.isdecimal() else step for step in _steps(by)]
            if not path or path[0] not in type(self.document.config).model_fields:
                return by
            line = self.document.line(*path)
            here = f"{self.document.name}:{line}: {by}"
            return here if path[0] in (self.document.tree or {}) else f"{by} (default)"

        return find


def samples_of(config: Config, broker: str | None, after_ms: int) -> History:
    """What rules looked at, as far as the broker has it: samples as ingest wrote them, and keyed sources themselves."""
    kafka = running_broker(config, broker)
    topics = {source.topic if source.keyed else SAMPLES for source in config.sources}
    records = [each for topic in sorted(topics) for each in read_last(kafka, topic, after_ms)]
    return gather_records(records, config)


def _steps(by: str) -> list[str]:
    return [step for step in by.replace("[", ".").replace("]", "").split(".") if step]


def read_labels(text: str) -> Sequence[Matcher]:
    """The matchers of `alertname=High,service=cart`."""
    try:
        return parse_matchers(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="LABELS") from error
