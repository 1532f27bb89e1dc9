"""Playbooks: which incidents one takes, and what it would do about them.

A playbook takes an incident that has been announced for good (not provisionally), is not resolved and fires, when all
its matchers hold for one firing alert: its labels, with `severity` and `tenant` of the incident and `cause`, the
likeliest cause. Among several such alerts the first that names the cause is taken, so that `{{ labels.service }}` is
what broke and not who complained.

It refuses to act.
"""

from collections.abc import Iterable

import msgspec

from schemas.config.remediate import HttpAction, PlaybookConfig
from schemas.config.section import Secret
from schemas.incidents import Incident
from schemas.labels import make_labels, parse_matcher
from schemas.reasons import IncidentState
from schemas.topics import COMMANDS, OWN_TOPICS
from sinks.remediate.actions import Action, HttpCall, KafkaSend
from sinks.remediate.template import Filled, template_problems


class Playbook:
    """A playbook with its matchers parsed and its templates compiled; its configuration is sound (`find_problems`)."""

    def __init__(self, config: PlaybookConfig) -> None:
        self.config = config
        self._matchers = tuple(map(parse_matcher, config.matchers))
        action = config.action
        if isinstance(action, HttpAction):
            self._first, self._second = Filled(action.url, in_url=True), Filled(action.body)
        else:
            self._first, self._second = Filled(action.key), Filled(action.value)

    def match(self, incident: Incident) -> dict[str, str] | None:
        """Labels of the alert for which it takes the incident, None when it does not."""
        announced = incident.announcement > 0 and not incident.provisional
        if not announced or incident.historical or incident.state is IncidentState.RESOLVED:
            return None
        cause = likeliest(incident)
        seen = {"severity": incident.severity.value, "tenant": incident.tenant, "cause": cause}
        taken = [
            a.alert.labels
            for a in incident.firing
            if all(m.matches(make_labels(a.alert.labels | seen)) for m in self._matchers)
        ]
        naming = (labels for labels in taken if cause and cause in labels.values())
        return next(naming, taken[0] if taken else None)

    def plan(self, incident: Incident, labels: dict[str, str], key: str) -> Action:
        """The action with its templates filled in; the same arguments give the same action.

        Raises:
            jinja2.TemplateError: a name is missing, or a template does what it may not.

        """
        values: dict[str, object] = {
            "incident": msgspec.to_builtins(incident),
            "labels": labels,
            "tenant": incident.tenant,
        }
        if cause := likeliest(incident):
            values["cause"] = cause
        first, second = self._first.fill(values), self._second.fill(values).encode()
        action = self.config.action
        if isinstance(action, HttpAction):
            return HttpCall(
                key=key,
                method=action.method,
                url=Secret(first),
                headers=action.headers,
                body=second,
                timeout_ms=action.timeout,
            )
        return KafkaSend(key, action.topic, first.encode() or None, second)


def likeliest(incident: Incident) -> str:
    """Entity of the likeliest cause, the empty text where none is known."""
    return incident.causes[0].entity if incident.causes else ""


def find_problems(configs: Iterable[PlaybookConfig]) -> list[str]:
    """What is wrong with playbooks, one line each; none when they can be used."""
    found: list[str] = []
    for config in configs:
        found += [f"playbook {config.name!r}: {problem}" for problem in _problems(config)]
    return found


def _problems(config: PlaybookConfig) -> list[str]:
    action = config.action
    found: list[str] = []
    if isinstance(action, HttpAction):
        texts = {"url": str(action.url), "body": action.body}
        if not action.url.startswith(("http://", "https://", "${")):
            found.append("action.url must begin with http:// or https://")
    else:
        texts = {"key": action.key, "value": action.value}
        # a command is something to say, also for a playbook; all else on our topics is made by a stage
        if action.topic in {t.name for t in OWN_TOPICS} - {COMMANDS}:
            found.append(f"action.topic {action.topic!r} is written by Tocsin itself")
    return found + [
        f"action.{name}: {problem}"
        for name, text in texts.items()
        for problem in template_problems(text)
    ]
