"""`tocsin hold`: pages are held for a while."""

from typing import Unpack

import click

from schemas.commands import Verb
from schemas.config.section import parse_duration
from schemas.records import rfc3339
from streams.cli.options import open_document
from streams.cli.saying import Speaker, make_command, send, tenant_of, time_of, with_speaker

with_team = click.option(
    "--team", default="", help="Only the pages of this team; default is all of the tenant."
)
with_tenant = click.option(
    "--tenant", default=None, help="Whose pages; default is the tenant of the first source."
)


@click.command("hold")
@click.argument("span")
@with_team
@with_tenant
@with_speaker
def command(span: str, team: str, tenant: str | None, **speaker: Unpack[Speaker]) -> None:
    """Hold pages for a SPAN such as 10m.

    One summary is told meanwhile, and at the end what still fires. `tocsin release` ends it sooner.
    """
    try:
        span_ms = parse_duration(span)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="SPAN") from error
    config = open_document(speaker["config_path"]).config
    begin = time_of(speaker["at"])
    said = make_command(
        Verb.HOLD,
        tenant=tenant_of(config, tenant),
        actor=speaker["actor"],
        at=begin,
        subject=team,
        until=begin + span_ms,
    )
    what = f"{pages(team)} are held until {rfc3339(said.until)}"
    send(config, speaker["broker"], said, speaker["output"], what)


def pages(team: str) -> str:
    """Whose pages, in words."""
    return f"pages of team {team}" if team else "all pages"
