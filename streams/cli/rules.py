"""`tocsin rules`: test, lint and draw rule files, and the JSON Schema that editors check them with."""

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

import click

from schemas.errors import ConfigError
from schemas.records import rfc3339
from streams.cli.caret import excerpt
from streams.cli.main import EXIT_NO
from streams.cli.options import IN_FILE, with_output
from streams.cli.tables import count, print_json
from streams.rules.graph import as_dot, as_mermaid, as_text, build_graph
from streams.rules.graph import as_object as graph_object
from streams.rules.lint import Finding, Level, lint_files
from streams.rules.load import load_rules
from streams.rules.promtest.report import FileOutcome, as_junit, as_object, run_file
from streams.rules.schema import rule_schema
from streams.time.clock import WallClock


@click.group("rules")
def command() -> None:
    """Test, lint and draw rule files."""


@command.command("test")
@click.argument("files", metavar="FILE...", type=IN_FILE, nargs=-1, required=True)
@click.option(
    "--run",
    "patterns",
    metavar="REGEX",
    multiple=True,
    help="Only test groups whose name matches; may be given several times.",
)
@click.option("--diff", "as_diff", is_flag=True, help="Show a coloured difference of alerts.")
@click.option(
    "--ignore-unknown-fields", "ignore_unknown", is_flag=True, help="Pass over them in rule files."
)
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the results there as JUnit's XML.",
)
@with_output
def test(
    files: tuple[Path, ...],
    patterns: tuple[str, ...],
    as_diff: bool,
    ignore_unknown: bool,
    junit: Path | None,
    output: str,
) -> None:
    """Run rule unit tests, files as `promtool test rules` reads them.

    Prints what promtool prints and ends with 1 when a test fails.
    """
    try:
        wanted = re.compile("|".join(patterns)) if patterns else None
    except re.error as error:
        raise click.BadParameter(f"not a regular expression: {error}") from error
    outcomes: list[FileOutcome] = []
    for file in files:
        outcome = run_file(str(file), wanted=wanted, as_diff=as_diff, ignore_unknown=ignore_unknown)
        outcomes.append(outcome)
        if output == "text":
            _print(outcome)
    if output == "json":
        print_json(as_object(outcomes))
    if junit is not None:
        junit.write_text(as_junit(outcomes, _stamp()), encoding="utf-8")
    sys.exit(0 if all(each.passed for each in outcomes) else EXIT_NO)


def _print(outcome: FileOutcome) -> None:
    for warning in outcome.warnings:
        click.echo(warning, err=True)
    if outcome.passed:
        click.echo("  SUCCESS")
    else:
        click.echo("  FAILED:", err=True)
        for error in outcome.errors:
            click.echo(error, err=True, color=True)
            click.echo()
    click.echo()


@command.command("lint")
@click.argument("files", metavar="FILE...", type=IN_FILE, nargs=-1, required=True)
@click.option(
    "--fail-on",
    type=click.Choice([level.value for level in Level]),
    default=Level.WARNING.value,
    show_default=True,
    help="End with 1 on findings of this level or worse.",
)
@with_output
def lint(files: tuple[Path, ...], fail_on: str, output: str) -> None:
    """Find usual mistakes: what loads, and nobody wants.

    A comment `# lint: ignore CODE` in a rule, or above it, switches a finding off.
    """
    findings, problems = lint_files(files)
    if problems:
        raise ConfigError(problems)
    if output == "json":
        print_json([_as_object(each) for each in findings])
    else:
        for each in findings:
            click.echo("\n".join([str(each), *excerpt(str(each)), f"    why: {each.why}"]))
            click.echo(f"    fix: {each.fix}")
        click.echo(count(len(findings), "finding"))
    bad = [each for each in findings if each.level.rank <= Level(fail_on).rank]
    sys.exit(EXIT_NO if bad else 0)


def _as_object(finding: Finding) -> dict[str, object]:
    extra = {"level": finding.level.value, "why": finding.why, "fix": finding.fix}
    return {**asdict(finding), **extra}


@command.command("graph")
@click.argument("files", metavar="FILE...", type=IN_FILE, nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "dot", "mermaid", "json"]),
    default="text",
    show_default=True,
    help="`dot` is for Graphviz, `mermaid` for Markdown.",
)
def graph(files: tuple[Path, ...], form: str) -> None:
    """Draw which series feed which rule."""
    groups, problems = load_rules(files)
    if problems:
        raise ConfigError(problems)
    drawn = build_graph(groups)
    if form == "json":
        print_json(graph_object(drawn))
    else:
        click.echo({"text": as_text, "dot": as_dot, "mermaid": as_mermaid}[form](drawn))


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of rule files, for editors."""
    click.echo(json.dumps(rule_schema(), indent=2))


def _stamp() -> str:
    return rfc3339(WallClock().now_ms())[:19]
