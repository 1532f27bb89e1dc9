"""`tocsin eval`: the value of an expression over files of the past."""

import math
from pathlib import Path

import click
import numpy as np

from schemas.histograms import NativeHistogram, show_histogram
from schemas.labels import TENANT, get_label, without
from schemas.records import rfc3339
from streams.cli.options import IN_FILE, open_document, with_columns, with_config, with_output
from streams.cli.tables import count, print_json, print_table
from streams.produce.columns import Columns
from streams.produce.event_time import parse
from streams.replay.history import gather, newest_ms
from streams.rules.answer import Sample, answer
from streams.rules.vector import show_labels


@click.command("eval")
@click.argument("expression", metavar="EXPR")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=IN_FILE)
@click.option(
    "--at",
    metavar="TIME",
    default=None,
    help="Event time of the evaluation: seconds, milliseconds or RFC 3339. Default: that of the newest sample.",
)
@with_config
@with_columns
@with_output
def command(
    expression: str,
    files: tuple[Path, ...],
    at: str | None,
    config_path: Path | None,
    time_column: str | None,
    value_column: str | None,
    output: str,
) -> None:
    """Print the value of an expression over files, without Kafka.

    FILE is CSV, JSON lines, a recorded topic, or OpenMetrics text. All samples count, also those that ingest would
    refuse as late.
    """
    at_ms = None if at is None else _time(at)
    config = open_document(config_path).config
    history = gather(files, config, Columns(time_column, value_column), at_ms)
    if history.refused:
        click.echo(f"{count(history.refused, 'sample')} refused", err=True)
    t_ms = newest_ms(history) if at_ms is None else at_ms
    result = answer(history.store, expression, t_ms)
    if output == "json":
        print_json({"at": t_ms, "result": [_as_object(sample) for sample in result]})
        return
    title = f"{count(len(result), 'result')} at {rfc3339(t_ms)}"
    many = len({get_label(sample.labels, TENANT) for sample in result}) > 1
    rows = [
        (show_labels(each.labels if many else without(each.labels, TENANT)), _shown(each))
        for each in result
    ]
    print_table(("series", "value"), rows, title=title)


def _time(given: str) -> int:
    try:
        return parse(given)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from error


def _shown(sample: Sample) -> str:
    """The value with its shortest digits; not finite ones as Prometheus writes them."""
    value = sample.value
    if isinstance(value, NativeHistogram):
        return show_histogram(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")


def _as_object(sample: Sample) -> dict[str, object]:
    # values are texts, for JSON has neither NaN nor infinities
    return {
        "tenant": get_label(sample.labels, TENANT),
        "labels": dict(without(sample.labels, TENANT)),
        "value": _shown(sample),
    }
