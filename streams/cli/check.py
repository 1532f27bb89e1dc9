"""`tocsin check`: every fault of the configuration and its rules at once, each with file and line."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec
import orjson

from schemas.config import Document
from schemas.config.near import nearest
from schemas.errors import ConfigError
from schemas.labels import METRIC, MatchOp
from sinks.remediate.playbook import find_problems as playbook_problems
from streams.cli.main import EXIT_NO
from streams.cli.options import open_document, rule_files, with_config, with_output
from streams.rules.load import load_rules
from streams.rules.locality import two_stage_rules
from streams.rules.plan import compile_expression
from streams.rules.rule import Kind, RuleGroup


@click.command("check")
@with_config
@with_output
@click.option(
    "--sample",
    "samples",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Native JSON telemetry, one record a line: the rules are held against the metrics in it.",
)
def command(config_path: Path | None, output: str, samples: tuple[Path, ...]) -> None:
    """Check the configuration and the rules; exit code 1 when there are faults."""
    problems, rules = _check(config_path, samples)
    if output == "json":
        click.echo(orjson.dumps({"problems": problems, "rules": rules}))
    else:
        for problem in problems:
            click.echo(problem)
        click.echo(
            f"{rules} rules, {len(problems)} problems" if problems else f"{rules} rules, all sound"
        )
    sys.exit(EXIT_NO if problems else 0)


def _check(config_path: Path | None, samples: Iterable[Path]) -> tuple[list[str], int]:
    try:
        document = open_document(config_path)
    except ConfigError as error:
        return error.problems, 0
    files, problems = rule_files(document)
    groups, faults = load_rules([f for f in files if f.exists()])
    problems += faults
    problems += two_stage_rules(groups, document.config.locality)
    problems += unknown_metrics(groups, known_metrics(document, samples))
    problems += [
        f"{document.name}:{document.line('playbooks')}: {p}"
        for p in playbook_problems(document.config.playbooks)
    ]
    return problems, sum(len(g.rules) for g in groups)


def known_metrics(document: Document, samples: Iterable[Path]) -> set[str]:
    """Metrics that the sources declare or that stand in sample files; empty when nothing is known."""
    known = {m for source in document.config.sources for m in source.metrics}
    for path in samples:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                found = msgspec.json.decode(line)
            except msgspec.MsgspecError as error:
                raise ConfigError([f"{path}:{number}: not JSON: {error}"]) from error
            records = found if isinstance(found, list) else [found]
            known |= {str(r["metric"]) for r in records if isinstance(r, dict) and "metric" in r}
    return known


def unknown_metrics(groups: Iterable[RuleGroup], known: set[str]) -> list[str]:
    """A problem for each metric that a rule names and that nobody produces or records."""
    if not known:
        return []
    groups = list(groups)
    known = known | {r.name for g in groups for r in g.rules if r.kind is Kind.RECORD}
    problems = []
    for group in groups:
        for rule in group.rules:
            for selector in compile_expression(rule.expr).selectors:
                for matcher in selector.matchers:
                    if (
                        matcher.name == METRIC
                        and matcher.op is MatchOp.EQUAL
                        and matcher.value not in known
                    ):
                        hint = nearest(matcher.value, sorted(known))
                        problems.append(
                            f"{rule.file}:{rule.line}: unknown metric '{matcher.value}': {hint}"
                        )
    return problems
