"""A dispatcher, and what is put through it."""

from collections.abc import Iterable
from typing import Any

from schemas.alerts import Alert
from schemas.commands import Command, Verb
from schemas.config import Config
from schemas.notices import Notice
from schemas.silences import AtEnd, Silence
from streams.correlate.dispatcher import Dispatcher
from streams.correlate.order import Release
from tests.correlate.sample import T0

RECEIVERS = [{"type": "stdout", "name": "r0"}, {"type": "stdout", "name": "r1"}]


def make_config(route: dict[str, Any] | None = None, **sections: Any) -> Config:
    """A configuration with a route tree, as from a file."""
    root = {"receiver": "r0", "group_wait": "10s", "group_interval": "1m"} | (route or {})
    # a release of these tests may be days long, and is no outage
    given = {"route": root, "notify": {"receivers": RECEIVERS}, "time": {"page_horizon": "30d"}}
    given |= sections
    return Config.model_validate(given, context={"file": True})


def make_dispatcher(route: dict[str, Any] | None = None, **sections: Any) -> Dispatcher:
    """A dispatcher of this tree."""
    config = make_config(route, **sections)
    assert config.route is not None
    return Dispatcher(config, config.route)


def put(dispatcher: Dispatcher, *given: Alert | Command, until: int) -> list[Notice]:
    """What is told because of alerts and commands, in one release that reaches `until` ms after T0."""
    alerts = [g for g in given if isinstance(g, Alert)]
    commands = [g for g in given if isinstance(g, Command)]
    end = T0 + until
    return dispatcher.advance(Release(end, alerts, [(end, end)], commands), [])


def make_silence(
    *matchers: str, start: int = 0, end: int, at_end: AtEnd = AtEnd.NEXT_FLUSH, **more: Any
) -> Silence:
    """A silence of the tenant `acme`, from `start` to `end` ms after T0."""
    return Silence(
        **{
            "id": "s",
            "tenant": "acme",
            "matchers": (matchers,),
            "starts_at": T0 + start,
            "ends_at": T0 + end,
            "at_end": at_end,
        }
        | more
    )


def say(silence: Silence, at: int = 0) -> Command:
    """The command that adds a silence, `at` ms after T0."""
    return Command(
        id=f"c-{silence.id}-{at}",
        tenant=silence.tenant,
        verb=Verb.SILENCE_ADD,
        actor="kim",
        time=T0 + at,
        silence=silence,
    )


def told(notices: Iterable[Notice]) -> list[tuple[int, str, str, list[str]]]:
    """Time in ms after T0, receiver, reason and the services that fire of each that is told."""
    return [
        (
            n.updated_at - T0,
            n.receiver,
            str(n.announce),
            [a.alert.labels.get("service", "") for a in n.alerts if a.firing],
        )
        for n in notices
        if n.announce is not None
    ]
