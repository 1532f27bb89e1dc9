"""`tocsin silence add|expire|query|preview`: what nobody wants to hear of for a while."""

import getpass
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Unpack

import click
import msgspec

from schemas.commands import Command, Verb
from schemas.config import Config
from schemas.config.section import parse_duration
from schemas.matchers import parse_matchers, show_matcher
from schemas.records import rfc3339
from schemas.silences import AtEnd, Silence, SilenceState, silence_id
from schemas.topics import COMMANDS
from sinks.record import History
from streams.cli.broker import read_last, running_broker, with_broker
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import open_document, with_config, with_output
from streams.cli.saying import Speaker, make_command, send, tenant_of, time_of, with_speaker
from streams.cli.tables import count, print_json, print_table
from streams.correlate.preview import Foreseen, preview
from streams.correlate.silence import Silences
from streams.replay.pipeline import Recorded
from streams.time.intervals import Intervals

_matchers = click.argument("matchers", metavar="MATCHER...", nargs=-1, required=True)
_tenant = click.option(
    "--tenant", default=None, help="Whose alerts; default is the tenant of the first source."
)
_interval = click.option(
    "--interval",
    metavar="NAME",
    default="",
    help="Only in this time interval of the configuration, each time anew.",
)


@click.group("silence")
def command() -> None:
    """Silence alerts, list silences, end one, or see what one would have silenced."""


@command.command("add")
@_matchers
@click.option("--for", "span", metavar="SPAN", default="1h", show_default=True, help="Such as 2h.")
@click.option("--until", metavar="TIME", default=None, help="Its end, instead of --for.")
@click.option("--start", metavar="TIME", default=None, help="Its begin. Default: now.")
@click.option("--comment", default="", help="Why; shown to whoever asks.")
@click.option(
    "--at-end",
    type=click.Choice([e.value for e in AtEnd]),
    default=AtEnd.NEXT_FLUSH.value,
    show_default=True,
    help="What happens at its end to that which still fires.",
)
@_interval
@_tenant
@with_speaker
def add(
    matchers: tuple[str, ...],
    span: str,
    until: str | None,
    start: str | None,
    comment: str,
    at_end: str,
    interval: str,
    tenant: str | None,
    **speaker: Unpack[Speaker],
) -> None:
    """Silence alerts that fulfil all MATCHERs, such as service=cart or severity=~"info|warning"."""
    config = open_document(speaker["config_path"]).config
    now = time_of(speaker["at"])
    begin = now if start is None else time_of(start, "--start")
    silence = make_silence(
        matchers,
        tenant=tenant_of(config, tenant),
        begin=begin,
        end=begin + _span(span, "--for") if until is None else time_of(until, "--until"),
        actor=speaker["actor"] or getpass.getuser(),
        comment=comment,
        interval=interval,
        at_end=AtEnd(at_end),
    )
    refusal = Silences(config.silences, Intervals(config.time_intervals)).add(silence, now)
    if refusal is not None:
        raise click.UsageError(f"it would be refused: {refusal.value.replace('_', ' ')}")
    said = make_command(
        Verb.SILENCE_ADD, tenant=silence.tenant, actor=silence.created_by, at=now, silence=silence
    )
    what = f"silence {silence.id} until {rfc3339(silence.ends_at)}"
    send(config, speaker["broker"], said, speaker["output"], what)


@command.command("expire")
@click.argument("silence")
@_tenant
@with_speaker
def expire(silence: str, tenant: str | None, **speaker: Unpack[Speaker]) -> None:
    """End a SILENCE, named by its id or the beginning of it."""
    config = open_document(speaker["config_path"]).config
    whose, at = tenant_of(config, tenant), time_of(speaker["at"])
    kafka = running_broker(config, speaker["broker"])
    known = listed(_commands(read_last(kafka, COMMANDS)), config, whose, at)
    found = [each.id for each, _ in known if each.id.startswith(silence)]
    if len(found) != 1:
        which = ", ".join(found) if found else "`tocsin silence query` lists them"
        fail(f"{'several silences' if found else 'no silence'} {silence!r}: {which}", EXIT_NO)
    said = make_command(
        Verb.SILENCE_EXPIRE, tenant=whose, actor=speaker["actor"], at=at, subject=found[0]
    )
    send(config, speaker["broker"], said, speaker["output"], f"silence {found[0]} ends")


@command.command("query")
@_tenant
@click.option("--expired", is_flag=True, help="Those too that have ended.")
@with_config
@with_broker
@with_output
def query(
    tenant: str | None, config_path: Path | None, broker: str | None, output: str, *, expired: bool
) -> None:
    """List silences, as tocsin.commands tells of them."""
    config = open_document(config_path).config
    kafka = running_broker(config, broker)
    found = listed(
        _commands(read_last(kafka, COMMANDS)), config, tenant_of(config, tenant), time_of(None)
    )
    wanted = [(s, state) for s, state in found if expired or state is not SilenceState.EXPIRED]
    if output == "json":
        print_json([{**msgspec.to_builtins(s), "state": state} for s, state in wanted])
        return
    if not wanted:
        click.echo("no silences")
        return
    heads = ("silence", "state", "until", "at end", "by", "matchers", "comment")
    print_table(heads, [_row(silence, state) for silence, state in wanted])


@command.command("preview")
@_matchers
@click.option(
    "--last", metavar="SPAN", default="7d", show_default=True, help="How far to look back."
)
@click.option(
    "--database",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="SQLite file of the recorder; default record.path of the configuration.",
)
@click.option("--at", metavar="TIME", default=None, help="End of the span. Default: now.")
@_interval
@_tenant
@with_config
@with_output
def preview_(
    matchers: tuple[str, ...],
    last: str,
    database: Path | None,
    at: str | None,
    interval: str,
    tenant: str | None,
    config_path: Path | None,
    output: str,
) -> None:
    """Show what a silence of these MATCHERs would have kept from being told in the last days."""
    config = open_document(config_path).config
    end = time_of(at)
    silence = make_silence(
        matchers,
        tenant=tenant_of(config, tenant),
        begin=end - _span(last, "--last"),
        end=end,
        actor="",
        interval=interval,
    )
    with History(database or Path(config.record.path), read_only=True) as history:
        incidents, _ = history.list_since(silence.starts_at)
    intervals = Intervals(config.time_intervals)
    if interval and interval not in intervals:
        raise click.BadParameter(f"no time interval {interval!r}", param_hint="--interval")
    _print_preview(preview(silence, incidents, intervals), len(incidents), output)


def make_silence(
    matchers: tuple[str, ...],
    *,
    tenant: str,
    begin: int,
    end: int,
    actor: str,
    comment: str = "",
    interval: str = "",
    at_end: AtEnd = AtEnd.NEXT_FLUSH,
) -> Silence:
    """The silence that the words of the command line mean; all matchers must hold.

    Raises:
        click.BadParameter: a word is no matcher.

    """
    try:
        texts = tuple(show_matcher(m) for word in matchers for m in parse_matchers(word))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="MATCHER") from error
    return Silence(
        id=silence_id(tenant, (texts,), begin, actor),
        tenant=tenant,
        matchers=(texts,),
        starts_at=begin,
        ends_at=end,
        created_by=actor,
        comment=comment,
        interval=interval,
        at_end=at_end,
    )


def listed(
    commands: Iterable[Command], config: Config, tenant: str, at: int
) -> list[tuple[Silence, SilenceState]]:
    """The silences of a tenant that these commands leave behind, as the correlator understands them."""
    silences = Silences(config.silences, Intervals(config.time_intervals))
    for said in sorted(commands, key=lambda c: (c.time, c.id)):
        if said.verb in (Verb.SILENCE_ADD, Verb.SILENCE_EXPIRE):
            silences.obey(said)
    return silences.query(tenant, at)


def _span(text: str, option: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def _commands(records: Iterable[Recorded]) -> Iterator[Command]:
    for record in records:
        # of what is none the forwarder has made a dead letter
        with suppress(msgspec.DecodeError):
            yield msgspec.json.decode(record.value or b"", type=Command)


def _row(silence: Silence, state: SilenceState) -> tuple[str, ...]:
    sets = " or ".join(", ".join(texts) for texts in silence.matchers)
    when = f" in {silence.interval}" if silence.interval else ""
    return (
        silence.id,
        state.value,
        rfc3339(silence.ends_at),
        silence.at_end.value,
        silence.created_by,
        f"{sets}{when}",
        silence.comment,
    )


def _print_preview(found: list[Foreseen], seen: int, output: str) -> None:
    if output == "json":
        print_json([_as_object(each) for each in found])
        return
    alerts = sum(len(each.alerts) for each in found)
    whole = sum(each.whole for each in found)
    click.echo(
        f"{count(alerts, 'alert')} of {count(len(found), 'incident')} of {seen} would have been silent, "
        f"{count(whole, 'incident')} wholly"
    )
    if found:
        heads = ("incident", "opened", "alerts", "title")
        rows = [
            (
                each.incident.id,
                rfc3339(each.incident.opened_at),
                f"{len(each.alerts)} of {len(each.incident.alerts)}",
                each.incident.title,
            )
            for each in found
        ]
        print_table(heads, rows)


def _as_object(found: Foreseen) -> dict[str, Any]:
    return {
        "incident": found.incident.id,
        "title": found.incident.title,
        "opened_at": found.incident.opened_at,
        "whole": found.whole,
        "alerts": [
            {"labels": a.alert.labels, "first_at": a.first_at, "resolved_at": a.resolved_at}
            for a in found.alerts
        ],
    }
