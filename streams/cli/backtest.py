"""`tocsin backtest FILE...`: what these rules would have made of this history."""

from pathlib import Path

import click
import msgspec
import orjson
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from schemas.config import Config
from schemas.errors import ConfigError
from schemas.reasons import AlertState
from schemas.records import rfc3339
from streams.cli.options import open_document, open_rules, with_config, with_output
from streams.cli.tables import print_table
from streams.produce.columns import Columns
from streams.replay.backtest import Backtest, Outcome
from streams.replay.sources import is_recording, open_files
from streams.rules.load import load_rules


@click.command("backtest")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@with_config
@click.option(
    "--rules",
    "rule_paths",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Prometheus rule file, instead of the configuration's; may be given several times.",
)
@click.option(
    "--time", "time_column", default=None, help="Column with the time; guessed when not given."
)
@click.option(
    "--value", "value_column", default=None, help="Column with the value; guessed when not given."
)
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
    """Drive the stages from CSV, JSON lines or a recorded topic, without Kafka, and print the incidents."""
    document = open_document(config_path)
    if rule_paths:
        groups, faults = load_rules(list(rule_paths))
        if faults:
            raise ConfigError(faults)
    else:
        groups = open_rules(document)
    if not groups:
        raise ConfigError(["no rules: name a file with --rules, or in the configuration"])
    config = document.config if is_recording(files[0]) else _for_files(document.config)
    topic = config.sources[0].topic
    records = open_files(files, topic, Columns(time_column, value_column))
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with shown:
        task = shown.add_task("reading")
        outcome = Backtest(config, groups).run(
            records,
            flush=not no_flush,
            progress=lambda n: shown.update(task, description=f"{n} records"),
        )
    if output == "json":
        click.echo(orjson.dumps([msgspec.to_builtins(i) for i in outcome.incidents]))
    else:
        _print(outcome)


def _for_files(config: Config) -> Config:
    """One partition, and no judgement of age: files have no record time but their samples'."""
    kafka = config.kafka.model_copy(update={"partitions": 1})
    return config.model_copy(update={"kafka": kafka, "sources": config.sources[:1]})


def _print(outcome: Outcome) -> None:
    refused = sum(outcome.refused.values())
    click.echo(
        f"{outcome.read} records, {refused} refused, {outcome.alerts[AlertState.FIRING]} alerts fired, "
        f"{len(outcome.incidents)} incidents"
    )
    for reason, count in outcome.refused.most_common():
        click.echo(f"  refused {count}: {reason.value}")
    if outcome.incidents:
        print_table(
            ("incident", "opened", "state", "severity", "tenant", "likely cause", "title"),
            [
                (
                    i.id,
                    rfc3339(i.opened_at),
                    i.state.value,
                    i.severity.value,
                    i.tenant,
                    i.causes[0].entity if i.causes else "",
                    i.title,
                )
                for i in outcome.incidents
            ],
        )
