"""`tocsin check`: every fault of the configuration and its rules at once, each with file and line."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack
from urllib.parse import urlsplit

import click
import msgspec

from schemas.config import Document, WebhookReceiver
from schemas.config.near import nearest
from schemas.errors import ConfigError
from schemas.labels import METRIC, MatchOp
from sinks.remediate.playbook import find_problems as playbook_problems
from streams.cli.caret import excerpt
from streams.cli.cost import Asked, as_objects, find_costs, show, with_cost
from streams.cli.main import EXIT_NO
from streams.cli.options import (
    DEFAULT_FILE,
    IN_FILE,
    check_rules,
    config_file,
    read_config,
    with_config,
    with_output,
)
from streams.cli.speaking import Speaking, find_speaking, tell
from streams.cli.tables import count, print_json
from streams.produce.refusal import ReplayError
from streams.produce.replay import read
from streams.rules.partial.wide import Wide
from streams.rules.plan import compile_expression
from streams.rules.rule import Kind, RuleGroup


@dataclass(frozen=True)
class Checked:
    """What was found: problems and warnings as `file:line: what`, and the number of sound rules."""

    problems: list[str]
    rules: int = 0
    warnings: tuple[str, ...] = ()
    two_stages: int = 0
    detectors: tuple[Speaking, ...] = ()


@click.command("check")
@with_config
@with_output
@click.option(
    "--sample",
    "samples",
    metavar="FILE",
    type=IN_FILE,
    multiple=True,
    help="Telemetry as `produce replay` reads it: the rules are held against the metrics in it.",
)
@with_cost
def command(
    config_path: Path | None, output: str, samples: tuple[Path, ...], **asked: Unpack[Asked]
) -> None:
    """Check the configuration and its rules.

    Prints every fault as FILE:LINE: WHAT, or with a column and a caret under it, and ends with 1 when there is one, or
    when `--cost` finds a rule too dear.
    Without a fault, warnings go to standard error and change nothing.
    """
    found = check(config_path, samples)
    name = config_file(config_path)
    costs = [] if found.problems else find_costs(config_path, asked)
    if output == "json":
        print_json(
            {
                "file": str(name or ""),
                "problems": found.problems,
                "warnings": found.warnings,
                "rules": found.rules,
                "two_stages": found.two_stages,
                "detectors": [each._asdict() for each in found.detectors],
                "costs": as_objects(costs),
            }
        )
    else:
        for problem in found.problems:
            click.echo("\n".join([problem, *excerpt(problem)]))
        for warning in () if found.problems else found.warnings:
            click.echo(warning, err=True)
        verdict = count(len(found.problems), "problem") if found.problems else "all sound"
        where = "" if name else f"no {DEFAULT_FILE} here, so the defaults: "
        apart = f", {found.two_stages} of them in two stages" if found.two_stages else ""
        click.echo(f"{where}{count(found.rules, 'rule')}{apart}, {verdict}")
        tell(() if found.problems else found.detectors)
        show(costs, asked)
    dear = asked["cost"] and any(each.dear for each in costs)
    sys.exit(EXIT_NO if found.problems or dear else 0)


def check(config_path: Path | None, samples: Iterable[Path] = ()) -> Checked:
    """Check a configuration, its rules, and these against the metrics that are known.

    Raises:
        ConfigError: a sample file cannot be read.

    """
    try:
        document, problems = read_config(config_path)
    except ConfigError as error:
        return Checked(error.problems)
    groups, faults = check_rules(document)
    problems += [*faults, *_playbooks(document), *_receivers(document)]
    if "sources" not in document.unsound:
        problems += unknown_metrics(groups, known_metrics(document, samples))
    rules = sum(len(group.rules) for group in groups)
    wide = 0 if faults else len(Wide(groups, document.config.locality))
    return Checked(
        list(dict.fromkeys(problems)),
        rules,
        tuple(find_warnings(document)),
        wide,
        tuple(find_speaking(groups)),
    )


def find_warnings(document: Document) -> Iterator[str]:
    """What is allowed, and perhaps not meant."""
    if not isinstance(document.tree, dict) or not document.tree:
        return
    scrub = document.config.scrub
    if scrub.enabled and not str.__str__(scrub.secret):
        yield (
            f"{document.name}:{document.line('scrub')}: warning: scrub.secret is not set: "
            "who knows the configuration can find out by trying what a hash stands for"
        )
    written = set(document.config.locality[1:])
    for at, source in enumerate(document.config.sources):
        for number, rule in enumerate(source.relabel):
            if source.keyed and rule.target_label in written:
                yield (
                    f"{document.name}:{document.line('sources', at, 'relabel', number)}: warning: producers key "
                    f"by '{rule.target_label}', which this rule writes: series that are to meet may not"
                )


def _playbooks(document: Document) -> list[str]:
    lines: dict[object, int] = {}
    for at, entry in enumerate(document.tree.get("playbooks") or ()):
        if isinstance(entry, dict):
            lines.setdefault(entry.get("name"), document.line("playbooks", at))
    return [
        f"{document.name}:{lines.get(playbook.name, 1)}: {problem}"
        for playbook in document.config.playbooks
        for problem in playbook_problems([playbook])
    ]


def _receivers(document: Document) -> list[str]:
    """URLs that cannot be one; those that name a secret are judged when a worker starts."""
    return [
        f"{document.name}:{document.line('notify', 'receivers', at, 'url')}: receiver '{each.name}': "
        "url must begin with http:// or https:// and name a host"
        for at, each in enumerate(document.config.notify.receivers)
        if isinstance(each, WebhookReceiver) and "${" not in each.url and not _is_url(each.url)
    ]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def known_metrics(document: Document, samples: Iterable[Path]) -> set[str]:
    """Metrics that the sources declare or that stand in sample files; empty when nothing is known.

    Raises:
        ConfigError: a sample file cannot be read; names file and line.

    """
    known = {metric for source in document.config.sources for metric in source.metrics}
    try:
        for record in read(list(samples)):
            known |= _metrics_in(record.value)
    except ReplayError as error:
        raise ConfigError([str(error)]) from error
    return known


def _metrics_in(value: bytes) -> set[str]:
    try:
        found = msgspec.json.decode(value)
    except msgspec.DecodeError:  # a recorded message may be anything
        return set()
    entries = found if isinstance(found, list) else [found]
    named = (entry.get("metric") for entry in entries if isinstance(entry, dict))
    return {metric for metric in named if isinstance(metric, str)}


def unknown_metrics(groups: Iterable[RuleGroup], known: set[str]) -> list[str]:
    """A problem for each metric that a rule names and that nobody produces or records."""
    if not known:
        return []
    rules = [rule for group in groups for rule in group.rules]
    known = known | {rule.name for rule in rules if rule.kind is Kind.RECORD}
    return [
        f"{rule.file}:{rule.line}: unknown metric '{matcher.value}': {nearest(matcher.value, sorted(known))}"
        for rule in rules
        for selector in compile_expression(rule.expr).selectors
        for matcher in selector.matchers
        if matcher.name == METRIC and matcher.op is MatchOp.EQUAL and matcher.value not in known
    ]
