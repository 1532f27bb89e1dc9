"""Inhibition: which alerts are not told because another one fires.

For each rule the firing source alerts are kept by the values of the `equal` labels, so a question costs one look into
a dict however many alerts fire; of which rules an alert is a source or a target hangs on the labels that they ask for,
and is remembered for `ROLES_MAX` combinations of their values.

An alert that fulfils both sides of a rule is not inhibited by one that does too,
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
ROLES_MAX = 10_000


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
        return (tenant, *[labels.get(name, "") for name in self.equal])


class _Roles(NamedTuple):
    """The rules that such an alert is a source of, and those that it is a target of; each with whether it is both."""

    source: tuple[tuple[_Rule, bool], ...]
    target: tuple[tuple[_Rule, bool], ...]


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
        matchers = [m for rule in self._rules for m in (*rule.source, *rule.target)]
        self._asked = sorted({m.name for m in matchers})
        self._roles: dict[tuple[str | None, ...], _Roles] = {}
        self.version = 0

    def __bool__(self) -> bool:
        return bool(self._rules)

    def learn(self, alert: Alert) -> bool:
        """An alert fires or has resolved; whether it is the source of a rule."""
        roles = self._roles_of(alert.labels).source
        if not roles:
            return False
        for rule, is_target in roles:
            key = rule.key(alert.tenant, alert.labels)
            if alert.state is AlertState.FIRING:
                sources = rule.firing.setdefault(key, _Sources({}, {}))
                kind = sources.both if is_target else sources.single
                kind.pop(alert.fingerprint, None)  # the one that fires last stands last
                kind[alert.fingerprint] = None
            elif key in rule.firing:
                sources = rule.firing[key]
                for kind in sources:
                    kind.pop(alert.fingerprint, None)
                if not any(sources):
                    del rule.firing[key]
        self.version += 1
        return True

    def inhibited_by(self, tenant: str, labels: _Labels) -> tuple[str, str] | None:
        """The first rule that inhibits such an alert, by name, and the fingerprint of a source; None without any."""
        for rule, is_source in self._roles_of(labels).target:
            sources = rule.firing.get(rule.key(tenant, labels)) if rule.firing else None
            if sources is None:
                continue
            if sources.single:
                return rule.name, next(iter(sources.single))
            if not is_source:
                return rule.name, next(iter(sources.both))
        return None

    def _roles_of(self, labels: _Labels) -> _Roles:
        asked = tuple(map(labels.get, self._asked))
        roles = self._roles.get(asked)
        if roles is None:
            if len(self._roles) >= ROLES_MAX:
                self._roles.clear()
            each = [(r, fulfils(labels, r.source), fulfils(labels, r.target)) for r in self._rules]
            roles = self._roles[asked] = _Roles(
                tuple((rule, target) for rule, source, target in each if source),
                tuple((rule, source) for rule, source, target in each if target),
            )
        return roles
