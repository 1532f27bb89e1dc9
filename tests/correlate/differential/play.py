"""A scenario played by us: the same alerts at the same times, and who is told what."""

from typing import Any

from schemas.alerts import Alert, transition_id
from schemas.commands import Command, Verb
from schemas.config import Config
from schemas.labels import content_id
from schemas.notices import Notice
from schemas.reasons import AlertReason, AlertState
from schemas.silences import Silence
from streams.correlate.dispatcher import Dispatcher
from streams.correlate.order import Release
from tests.correlate.differential.scenarios import Scenario

TENANT = "default"


def config_of(scenario: Scenario) -> Config:
    """The scenario's configuration as ours; ends are told as Alertmanager tells them."""
    return Config.model_validate(
        {
            "route": scenario.route,
            "inhibit_rules": scenario.inhibit_rules,
            "time_intervals": scenario.time_intervals,
            "silences": {"tell_resolved": False},
            # a release of a scenario may be days long, and is no outage
            "time": {"page_horizon": "30d"},
            "notify": {
                "receivers": [
                    {"type": "stdout", "name": n, "send_resolved": n not in scenario.quiet}
                    for n in scenario.receivers
                ]
            },
        },
        context={"file": True},
    )


def alert_of(scenario: Scenario, event: dict[str, Any]) -> Alert:
    """A transition."""
    state = AlertState.FIRING if event["firing"] else AlertState.RESOLVED
    time = scenario.base + event["at"]
    fingerprint = content_id(event["labels"]["id"])
    return Alert(
        id=transition_id(fingerprint, state, time),
        tenant=TENANT,
        rule="g/A",
        fingerprint=fingerprint,
        state=state,
        reason=AlertReason.CONDITION_TRUE,
        time=time,
        active_at=time,
        labels=event["labels"],
    )


def command_of(scenario: Scenario, event: dict[str, Any]) -> Command:
    """A silence that begins, or ends by hand."""
    time = scenario.base + event["at"]
    name = event["name"]
    if event["kind"] == "expire":
        return Command(
            id=f"x{name}",
            tenant=TENANT,
            verb=Verb.SILENCE_EXPIRE,
            actor="",
            time=time,
            subject=name,
        )
    silence = Silence(
        id=name,
        tenant=TENANT,
        matchers=(tuple(event["matchers"]),),
        starts_at=time,
        ends_at=scenario.base + event["until"],
    )
    return Command(
        id=name, tenant=TENANT, verb=Verb.SILENCE_ADD, actor="", time=time, silence=silence
    )


def releases(scenario: Scenario) -> list[Release]:
    """The input, one release for each event and one for the time until the end."""
    found = []
    for event in scenario.events:
        at = scenario.base + event["at"]
        if event["kind"] == "alert":
            found.append(Release(at, [alert_of(scenario, event)], [(at, at)], []))
        else:
            found.append(Release(at, [], [(at, at)], [command_of(scenario, event)]))
    end = scenario.base + scenario.until
    return [*found, Release(end, [], [(end, end)], [])]


def shown(scenario: Scenario, notices: list[Notice]) -> list[list[Any]]:
    """Those that are told, as rows in the order of time, receiver and group.

    What a receiver does not want to hear of, ends, is taken out by the notifier.
    """
    rows = []
    for notice in notices:
        firing = sorted(a.alert.labels["id"] for a in notice.alerts if a.firing)
        ended = sorted(a.alert.labels["id"] for a in notice.alerts if not a.firing)
        quiet = notice.receiver in scenario.quiet
        if notice.announce is not None and (firing or not quiet):
            at = notice.updated_at - scenario.base
            told = [] if quiet else ended
            reason = str(notice.announce)
            rows.append([at, notice.receiver, notice.group_key, reason, firing, told])
    return sorted(rows)


def play(scenario: Scenario) -> list[list[Any]]:
    """What we tell."""
    config = config_of(scenario)
    assert config.route is not None, "every scenario has a tree"
    dispatcher = Dispatcher(config, config.route)
    told = [n for release in releases(scenario) for n in dispatcher.advance(release, [])]
    return shown(scenario, told)
