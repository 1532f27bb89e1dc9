"""`tocsin incident ack|unack|assign|note|resolve|reopen|merge|unmerge|fine|bad`: what is said to an incident.

The id may be the beginning of one that the history knows. With `--tenant` no history is asked, and it must be whole.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, Unpack

import click

from schemas.commands import About, Verb
from schemas.config import Config
from schemas.incidents import Incident
from schemas.labels import Matcher, MatchOp
from schemas.matchers import show_matcher
from sinks.record import History
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import open_document
from streams.cli.saying import Speaker, make_command, send, time_of, with_speaker
from streams.cli.tables import count

F = TypeVar("F", bound=Callable[..., Any])


class Said(Speaker):
    """What every verb here is given."""

    incident: str
    tenant: str | None
    database: Path | None


def _with_incident(command: F) -> F:
    for option in (
        with_speaker,
        click.option(
            "--database",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            default=None,
            help="SQLite file of the recorder; default record.path of the configuration.",
        ),
        click.option(
            "--tenant", default=None, help="Whose incident it is; then no history is asked."
        ),
        click.argument("incident"),
    ):
        command = option(command)
    return command


with_comment = click.option("--comment", default="", help="Why; it stands in the timeline.")


@click.command("ack")
@_with_incident
@with_comment
def acknowledge(comment: str, **said: Unpack[Said]) -> None:
    """Take an incident over: it is yours, and reminders stop."""
    _say(Verb.ACKNOWLEDGE, said, text=comment)


@click.command("unack")
@_with_incident
@with_comment
def unacknowledge(comment: str, **said: Unpack[Said]) -> None:
    """Give an incident back: nobody owns it, and reminders go on."""
    _say(Verb.UNACKNOWLEDGE, said, text=comment)


@click.command("assign")
@_with_incident
@click.argument("owner")
@with_comment
def assign(owner: str, comment: str, **said: Unpack[Said]) -> None:
    """Say whose an incident is."""
    _say(Verb.ASSIGN, said, subject=owner, text=comment)


@click.command("note")
@_with_incident
@click.argument("text")
def note(text: str, **said: Unpack[Said]) -> None:
    """Write into the time line of an incident."""
    _say(Verb.NOTE, said, text=text)


@click.command("resolve")
@_with_incident
@with_comment
def resolve(comment: str, **said: Unpack[Said]) -> None:
    """Close an incident, whatever still fires; an alert that fires anew opens it again."""
    _say(Verb.RESOLVE, said, text=comment)


@click.command("reopen")
@_with_incident
@with_comment
def reopen(comment: str, **said: Unpack[Said]) -> None:
    """Open a resolved incident again, within `correlate.reopen_within`."""
    _say(Verb.REOPEN, said, text=comment)


@click.command("merge")
@_with_incident
@click.argument("other")
@with_comment
def merge(other: str, comment: str, **said: Unpack[Said]) -> None:
    """Make OTHER part of an incident; both keep their ids."""
    _say(Verb.MERGE, said, subject=other, text=comment, subject_is_incident=True)


@click.command("unmerge")
@_with_incident
@with_comment
def unmerge(comment: str, **said: Unpack[Said]) -> None:
    """Take an incident out of the one that it was made part of."""
    _say(Verb.UNMERGE, said, text=comment)


@click.command("fine")
@_with_incident
@with_comment
def fine(comment: str, **said: Unpack[Said]) -> None:
    """Say that what detectors told of was fine: they become quieter on these series."""
    _opine(Verb.FINE, said, comment)


@click.command("bad")
@_with_incident
@with_comment
def bad(comment: str, **said: Unpack[Said]) -> None:
    """Say that what detectors told of was bad indeed: they become keener on these series."""
    _opine(Verb.BAD, said, comment)


COMMANDS = (
    acknowledge,
    unacknowledge,
    assign,
    note,
    resolve,
    reopen,
    merge,
    unmerge,
    fine,
    bad,
)


def _opine(verb: Verb, said: Said, comment: str) -> None:
    config = open_document(said["config_path"]).config
    found = _incident(config, said, said["incident"])
    sets = tuple(
        tuple(
            show_matcher(Matcher(name, MatchOp.EQUAL, value))
            for name, value in sorted(each.alert.labels.items())
        )
        for each in found.alerts
        if each.alert.score is not None
    )
    if not sets:
        fail(f"no alert of incident {found.id} is of a detector", EXIT_NO)
    command = make_command(
        verb,
        tenant=found.tenant,
        actor=said["actor"],
        at=time_of(said["at"]),
        incident=found.id,
        text=comment,
        about=About(matchers=sets),
    )
    what = f"{verb.value} {found.id}: {count(len(sets), 'alert')} of detectors"
    send(config, said["broker"], command, said["output"], what)


def _say(
    verb: Verb,
    said: Said,
    *,
    text: str = "",
    subject: str = "",
    subject_is_incident: bool = False,
) -> None:
    config = open_document(said["config_path"]).config
    identity, tenant = _find(config, said, said["incident"])
    if subject_is_incident:
        subject, _ = _find(config, said, subject)
    command = make_command(
        verb,
        tenant=tenant,
        actor=said["actor"],
        at=time_of(said["at"]),
        incident=identity,
        text=text,
        subject=subject,
    )
    what = f"{verb.value} {identity} {subject}".rstrip()
    send(config, said["broker"], command, said["output"], what)


def _find(config: Config, said: Said, prefix: str) -> tuple[str, str]:
    """The whole id of an incident, and its tenant."""
    if said["tenant"] is not None:
        return prefix, said["tenant"]
    found = _incident(config, said, prefix)
    return found.id, found.tenant


def _incident(config: Config, said: Said, prefix: str) -> Incident:
    """An incident that the history knows."""
    with History(said["database"] or config.record.path, read_only=True) as history:
        found = history.get_incident(prefix)
    if found is None:
        fail(f"no incident {prefix!r}; `tocsin incident list` lists them", EXIT_NO)
    return found.incident
