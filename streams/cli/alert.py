"""`tocsin alert why`: why an alert was told of, or was not, or did not even fire."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from schemas.config.section import parse_duration
from schemas.incidents import IncidentAlert
from schemas.labels import Matcher
from schemas.records import rfc3339
from sinks.record import History, IncidentHistory
from sinks.record.why import decisions_of, explain, fits
from streams.cli.broker import with_broker
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import IN_FILE, with_columns, with_config, with_output
from streams.cli.reasoning import Knowledge, read_labels, samples_of
from streams.cli.saying import time_of
from streams.cli.tables import print_json, print_table
from streams.produce.columns import Columns
from streams.replay.absence import Absence, explain_absence
from streams.replay.history import gather

INCIDENTS_MAX = 10_000
"""So many incidents of the history, the last changed first, are searched for an alert."""


@click.group("alert")
def command() -> None:
    """Ask about single alerts."""


@command.command("why")
@click.argument("labels")
@click.argument("files", metavar="[FILE...]", nargs=-1, type=IN_FILE)
@click.option(
    "--at",
    metavar="TIME",
    default=None,
    help="Event time asked about: seconds, milliseconds or RFC 3339. Default: now.",
)
@with_broker
@click.option(
    "--last",
    metavar="SPAN",
    default="1h",
    show_default=True,
    help="How much of the broker's samples before that time is read.",
)
@with_config
@click.option(
    "--database",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="SQLite file of the recorder; default record.path of the configuration.",
)
@with_columns
@with_output
def why(
    labels: str,
    files: tuple[Path, ...],
    at: str | None,
    broker: str | None,
    last: str,
    config_path: Path | None,
    database: Path | None,
    time_column: str | None,
    value_column: str | None,
    output: str,
) -> None:
    """Say why alerts with these LABELS were told of at a time, or were not.

    LABELS are matchers such as `alertname=High,service=cart`. Where the history knows no such alert at that time, its
    rule is evaluated over FILE: CSV, JSON lines, a recorded topic or OpenMetrics text; without any, over what the
    broker has.
    """
    wanted, at_ms, span_ms = read_labels(labels), time_of(at), _span(last)
    known = Knowledge(config_path)
    path = database or Path(known.document.config.record.path)
    found = _search(path, wanted, at_ms)
    if found:
        _print_found(found, known, wanted, output)
        return
    config = known.document.config
    if files:
        history = gather(files, config, Columns(time_column, value_column), at_ms)
    elif broker or config.kafka.bootstrap:
        history = samples_of(config, broker, at_ms - span_ms)
    else:
        fail(
            f"no alert {labels} fired at {rfc3339(at_ms)}, as far as {path} knows; name files with its samples, or "
            "--broker, to ask the rule",
            EXIT_NO,
        )
    absences = explain_absence(history.store, known.groups, wanted, at_ms)
    if output == "json":
        print_json({"at": at_ms, "absent": msgspec.to_builtins(absences)})
        return
    title = f"no alert {labels} in the history at {rfc3339(at_ms)}"
    rows = [(a.rule, a.where, _labels(a), a.reason.value, a.text) for a in absences]
    print_table(("rule", "where", "labels", "reason", "why"), rows, title=title)


def _span(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--last") from error


def _search(path: Path, wanted: Sequence[Matcher], at_ms: int) -> list[IncidentHistory]:
    """Incidents in which an alert with these labels fired at a time; none where there is no history."""
    if not path.exists():
        return []
    with History(path, read_only=True) as history:
        listed = history.list_incidents(limit=INCIDENTS_MAX)
        ids = [
            incident.id
            for incident in listed
            if any(_fired(a, at_ms) and fits(a.alert, wanted) for a in incident.alerts)
        ]
        found = [history.get_incident(identity) for identity in ids]
    return [each for each in found if each is not None]


def _fired(item: IncidentAlert, at_ms: int) -> bool:
    return item.first_at <= at_ms and (item.resolved_at is None or at_ms <= item.resolved_at)


def _print_found(
    found: Sequence[IncidentHistory], known: Knowledge, wanted: Sequence[Matcher], output: str
) -> None:
    if output == "json":
        print_json(
            [
                {
                    "incident": each.incident.id,
                    "alerts": [
                        msgspec.to_builtins(a)
                        for a in each.incident.alerts
                        if fits(a.alert, wanted)
                    ],
                    "decisions": msgspec.to_builtins(decisions_of(each)),
                    "notifications": msgspec.to_builtins(each.notifications),
                }
                for each in found
            ]
        )
        return
    for each in found:
        for block in explain(each, known.rules, known.locate, wanted):
            print_table(block.columns, block.rows, title=block.title)


def _labels(absence: Absence) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(absence.labels.items()))
