"""`tocsin detector fine|bad|freeze|unlearn`: what is said to the detectors of rules.

Series are named by the labels of their alerts, as in a silence. What is said goes through tocsin.commands into the log
that the detectors' stages read, so it is remembered, and replays.
"""

from typing import Unpack

import click

from schemas.commands import About, Verb
from schemas.config.section import parse_duration
from schemas.matchers import parse_all
from schemas.records import rfc3339
from streams.cli.options import open_document
from streams.cli.saying import Speaker, make_command, send, tenant_of, time_of, with_speaker

_matchers = click.argument("matchers", metavar="MATCHER...", nargs=-1, required=True)
_tenant = click.option(
    "--tenant", default=None, help="Whose alerts; default is the tenant of the first source."
)
_comment = click.option("--comment", default="", help="Why.")


@click.group("detector")
def command() -> None:
    """Tell detectors what was fine or bad, and what they are not to learn.

    A MATCHER is a condition on the labels of alerts, such as alertname=LatencyOdd or service=~"cart|payment".
    """


@command.command("fine")
@_matchers
@_tenant
@_comment
@with_speaker
def fine(
    matchers: tuple[str, ...], tenant: str | None, comment: str, **speaker: Unpack[Speaker]
) -> None:
    """What you last told of these series was fine: be quieter there.

    Their share of the budget of false alarms falls to a quarter, and no deviation up to 1.1 times the largest one of
    that alert is an alert any more.
    """
    _say(Verb.FINE, matchers, tenant, comment, speaker)


@command.command("bad")
@_matchers
@_tenant
@_comment
@with_speaker
def bad(
    matchers: tuple[str, ...], tenant: str | None, comment: str, **speaker: Unpack[Speaker]
) -> None:
    """What you told, or did not tell, of these series was bad indeed: be keener there.

    It undoes one `fine`; without one, their share of the budget of false alarms grows fourfold, three times at most.
    """
    _say(Verb.BAD, matchers, tenant, comment, speaker)


@command.command("freeze")
@_matchers
@click.option("--for", "span", metavar="SPAN", default="1h", show_default=True, help="Such as 2h.")
@_tenant
@_comment
@with_speaker
def freeze(
    matchers: tuple[str, ...],
    span: str,
    tenant: str | None,
    comment: str,
    **speaker: Unpack[Speaker],
) -> None:
    """Learn nothing of these series for a while, as in maintenance.

    They are judged as ever: a silence keeps their alerts from being told.
    """
    try:
        span_ms = parse_duration(span)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    _say(Verb.FREEZE, matchers, tenant, comment, speaker, span_ms)


@command.command("unlearn")
@_matchers
@_tenant
@_comment
@with_speaker
def unlearn(
    matchers: tuple[str, ...], tenant: str | None, comment: str, **speaker: Unpack[Speaker]
) -> None:
    """Forget what was learnt of these series, and learn them anew; what people said of them stays."""
    _say(Verb.UNLEARN, matchers, tenant, comment, speaker)


def _say(
    verb: Verb,
    matchers: tuple[str, ...],
    tenant: str | None,
    comment: str,
    speaker: Speaker,
    span_ms: int = 0,
) -> None:
    try:
        parse_all(matchers)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="MATCHER") from error
    config = open_document(speaker["config_path"]).config
    at = time_of(speaker["at"])
    said = make_command(
        verb,
        tenant=tenant_of(config, tenant),
        actor=speaker["actor"],
        at=at,
        text=comment,
        about=About(matchers=(matchers,), until=at + span_ms if span_ms else 0),
    )
    what = f"{verb.value} {', '.join(matchers)}"
    if span_ms:
        what += f" until {rfc3339(at + span_ms)}"
    send(config, speaker["broker"], said, speaker["output"], what)
