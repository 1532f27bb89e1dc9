"""`tocsin backtest FILE...`: what these rules would have made of this history."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from schemas.config import Document
from schemas.errors import ConfigError
from schemas.reasons import AlertState
from streams.cli.heeding import heed
from streams.cli.options import (
    IN_FILE,
    check_rules,
    open_document,
    with_columns,
    with_config,
    with_output,
)
from streams.cli.progress import show_count
from streams.cli.tables import count, print_incidents, print_json
from streams.produce.columns import Columns
from streams.replay.backtest import Backtest, Outcome
from streams.replay.learning import in_one
from streams.replay.sources import is_recording, open_files
from streams.rules.load import load_rules
from streams.rules.rule import RuleGroup


@click.command("backtest")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=IN_FILE)
@with_config
@click.option(
    "--rules",
    "rule_paths",
    metavar="FILE",
    type=IN_FILE,
    multiple=True,
    help="Prometheus rule file, instead of the configuration's; may be given several times.",
)
@with_columns
@click.option(
    "--no-flush", is_flag=True, help="Leave the end as live workers would: still waiting for more."
)
@with_output
def command(
    files: tuple[Path, ...],
    config_path: Path | None,
    rule_paths: tuple[Path, ...],
    time_column: str | None,
    value_column: str | None,
    no_flush: bool,
    output: str,
) -> None:
    """Run history through the rules, without Kafka, and print the incidents.

    FILE is CSV, JSON lines, or a recorded topic (`tocsin demo --record`).
    """
    document = open_document(config_path)
    config = document.config if is_recording(files[0]) else in_one(document.config)
    groups = _rules(Document(document.name, config, document.tree), rule_paths)
    columns = Columns(time_column, value_column)
    records = open_files(files, config.sources[0].topic, columns)
    with show_count() as shown:
        task = shown.add_task("reading", total=None)
        outcome = Backtest(config, groups).run(
            records,
            flush=not no_flush,
            progress=lambda n: shown.update(task, description=f"{n} records"),
        )
    if not outcome.read:
        raise ConfigError([f"{', '.join(map(str, files))}: there is nothing in it"])
    if output == "json":
        print_json([msgspec.to_builtins(i) for i in outcome.incidents])
    else:
        _print(outcome)


def _rules(document: Document, paths: Sequence[Path]) -> list[RuleGroup]:
    if paths:
        groups, faults = load_rules(paths)
        groups, more = heed(groups, document)
        faults += more
    else:
        groups, faults = check_rules(document)
    if faults:
        raise ConfigError(faults)
    if not groups:
        raise ConfigError(["no rules: name a file with --rules, or in the configuration"])
    return groups


def _print(outcome: Outcome) -> None:
    click.echo(
        f"{count(outcome.read, 'record')}, {sum(outcome.refused.values())} refused, "
        f"{count(outcome.alerts[AlertState.FIRING], 'alert')} fired, "
        f"{count(len(outcome.incidents), 'incident')}"
    )
    for reason, number in outcome.refused.most_common():
        click.echo(f"  refused {number}: {reason.value}")
    if outcome.incidents:
        print_incidents(outcome.incidents)
