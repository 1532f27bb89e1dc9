"""Inhibition: which alerts are not told because another one fires.

For each rule the firing source alerts are counted by the values of the `equal` labels, so a question costs one look
into a dict however many alerts fire. An alert that fulfils both sides of a rule is not inhibited by one that does too,
nor by itself. Source: Alertmanager's `inhibit`. It differs in one thing: Alertmanager (0.34) remembers one source for
equal labels, and if that one fulfils both sides it overlooks the others.

The state is that of the alerts it was told of; whoever holds these tells it of them again after a restart.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from schemas.alerts import Alert
from schemas.config.route import InhibitRuleConfig
from schemas.labels import Matcher
from schemas.matchers import fulfils, parse_all
from schemas.reasons import AlertState

_Key: TypeAlias = tuple[str, ...]
"""The tenant, then the values of the `equal` labels."""
_Labels: TypeAlias = Mapping[str, str]


class _Sources(NamedTuple):
    """Fingerprints of firing sources: of those that are sources only, and of those that are targets too."""

    single: dict[str, None]
    both: dict[str, None]


class _Rule(NamedTuple):
    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]
    firing: dict[_Key, _Sources]

    def key(self, tenant: str, labels: _Labels) -> _Key:
        return (tenant, *(labels.get(name, "") for name in self.equal))


class Inhibitor:
    """The rules, and the alerts that fire and are the source of one; `version` changes with these."""

    def __init__(self, configs: Sequence[InhibitRuleConfig]) -> None:
        self._rules = [
            _Rule(
                c.name or f"inhibit_rules.{at}",
                parse_all(c.source_matchers),
                parse_all(c.target_matchers),
                tuple(sorted(set(c.equal))),
                {},
            )
            for at, c in enumerate(configs)
        ]
        self.version = 0

    def __bool__(self) -> bool:
        return bool(self._rules)

    def learn(self, alert: Alert) -> bool:
        """An alert fires or has resolved; whether it is the source of a rule."""
        fires = alert.state is AlertState.FIRING
        found = False
        for rule in self._rules:
            if not fulfils(alert.labels, rule.source):
                continue
            found = True
            key = rule.key(alert.tenant, alert.labels)
            if fires:
                sources = rule.firing.setdefault(key, _Sources({}, {}))
                kind = sources.both if fulfils(alert.labels, rule.target) else sources.single
                kind.pop(alert.fingerprint, None)  # the one that fires last stands last
                kind[alert.fingerprint] = None
            elif key in rule.firing:
                sources = rule.firing[key]
                for kind in sources:
                    kind.pop(alert.fingerprint, None)
                if not any(sources):
                    del rule.firing[key]
        self.version += found
        return found

    def inhibited_by(self, tenant: str, labels: _Labels) -> tuple[str, str] | None:
        """The first rule that inhibits such an alert, by name, and the fingerprint of a source; None without any."""
        for rule in self._rules:
            if not rule.firing:
                continue
            sources = rule.firing.get(rule.key(tenant, labels))
            if sources is None or not fulfils(labels, rule.target):
                continue
            if sources.single:
                return rule.name, next(iter(sources.single))
            if not fulfils(labels, rule.source):
                return rule.name, next(iter(sources.both))
        return None
