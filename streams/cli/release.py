"""`tocsin release`: pages that are held are let go."""

from typing import Unpack

import click

from schemas.commands import Verb
from streams.cli.hold import pages, with_team, with_tenant
from streams.cli.options import open_document
from streams.cli.saying import Speaker, make_command, send, tenant_of, time_of, with_speaker


@click.command("release")
@with_team
@with_tenant
@with_speaker
def command(team: str, tenant: str | None, **speaker: Unpack[Speaker]) -> None:
    """Let held pages go at once, those of a storm too."""
    config = open_document(speaker["config_path"]).config
    said = make_command(
        Verb.RELEASE,
        tenant=tenant_of(config, tenant),
        actor=speaker["actor"],
        at=time_of(speaker["at"]),
        subject=team,
    )
    send(config, speaker["broker"], said, speaker["output"], f"{pages(team)} are let go")
