"""`tocsin check --cost` and `--explain`: what each rule takes, and how each of its selectors is read."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from streams.cli.options import IN_FILE, open_document, open_rules
from streams.cli.tables import print_table
from streams.produce.columns import Columns
from streams.replay.history import gather
from streams.rules.cost import Cost, guess_costs, measure_costs
from streams.rules.rule_file import DEFAULT_INTERVAL_MS

F = TypeVar("F", bound=Callable[..., Any])


class Asked(TypedDict):
    """Options about the cost of rules."""

    cost: bool
    explain: bool
    series: int
    recordings: tuple[Path, ...]


def with_cost(command: F) -> F:
    """These options."""
    for option in (
        click.option(
            "--recording",
            "recordings",
            metavar="FILE",
            type=IN_FILE,
            multiple=True,
            help="With --cost: measure over these samples, as `eval` reads them, instead of guessing.",
        ),
        click.option(
            "--series",
            metavar="N",
            default=10_000,
            show_default=True,
            type=click.IntRange(min=1),
            help="With --cost: guess for so many series a selector, each with a sample every 15 s.",
        ),
        click.option("--explain", is_flag=True, help="Say how each selector of each rule is read."),
        click.option("--cost", is_flag=True, help="Say what each rule takes, the dearest first."),
    ):
        command = option(command)
    return command


def find_costs(config_path: Path | None, asked: Asked) -> list[Cost]:
    """Costs of the rules of a sound configuration, if they are asked for.

    Raises:
        ConfigError: a recording cannot be read.

    """
    if not (asked["cost"] or asked["explain"]):
        return []
    document = open_document(config_path)
    groups, locality = open_rules(document), document.config.locality
    if asked["recordings"]:
        history = gather(asked["recordings"], document.config, Columns())
        return measure_costs(groups, locality, history.store)
    return guess_costs(groups, locality, series=asked["series"], every_ms=DEFAULT_INTERVAL_MS)


def show(costs: Sequence[Cost], asked: Asked) -> None:
    """Print what is asked for."""
    if asked["explain"]:
        explain(costs)
    if asked["cost"]:
        show_costs(costs)


HEADS = ("rule", "stages", "selector", "kept", "window", "series", "times")


def explain(costs: Iterable[Cost]) -> None:
    """Print how each selector of each rule is read, and why a rule takes two stages."""
    costs = list(costs)
    rows = [
        (
            f"{cost.rule.file}:{cost.rule.line} {cost.rule.name}",
            str(cost.stages),
            read.text,
            read.kept.value,
            f"{read.window_ms / 1000:g}s",
            f"{read.series:,}",
            str(read.times),
        )
        for cost in costs
        for read in cost.reads
    ]
    print_table(HEADS, rows)
    for cost in costs:
        for reason in cost.wide:
            click.echo(f"{cost.rule.file}:{cost.rule.line}: two stages: {reason}")


def show_costs(costs: Iterable[Cost]) -> None:
    """Print what each rule takes, the dearest first."""
    rows = [
        (
            f"{cost.rule.file}:{cost.rule.line} {cost.rule.name}",
            f"{max((read.series for read in cost.reads), default=0):,}",
            f"{max((read.window_ms for read in cost.reads), default=0) / 1000:g}s",
            f"{cost.bytes / 1e6:.1f} MB",
            f"{cost.seconds:.4f} s in {cost.rule.interval_ms / 1000:g} s",
            f"{cost.share:.2%}",
            "too dear" if cost.dear else "",
        )
        for cost in sorted(costs, key=lambda each: -each.share)
    ]
    print_table(("rule", "series", "window", "samples", "CPU", "of a core", ""), rows)


def as_objects(costs: Sequence[Cost]) -> list[dict[str, object]]:
    """The same for scripts."""
    return [
        {
            "rule": cost.rule.id,
            "file": cost.rule.file,
            "line": cost.rule.line,
            "stages": cost.stages,
            "two_stages_because": list(cost.wide),
            "bytes": cost.bytes,
            "seconds": cost.seconds,
            "interval_seconds": cost.rule.interval_ms / 1000,
            "share": cost.share,
            "dear": cost.dear,
            "selectors": [
                {
                    "matchers": read.text,
                    "kept": read.kept.value,
                    "series": read.series,
                    "samples": read.samples,
                    "window_seconds": read.window_ms / 1000,
                    "times": read.times,
                    "bytes": read.bytes,
                }
                for read in cost.reads
            ],
        }
        for cost in costs
    ]
