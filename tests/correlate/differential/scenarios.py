"""Scenarios for Alertmanager and for us: a configuration, and alerts and silences at exact times.

Every event of a scenario falls on another thousandth of a second, and all spans are whole seconds, so nothing ever
happens at the same instant as a flush: there Alertmanager's order would be chance.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

BASE_MS = 1_767_600_000_000
"""Monday, 2026-01-05, 08:00 UTC."""
S = 1000
MINUTE = 60 * S
HOUR = 60 * MINUTE


@dataclass
class Scenario:
    """What happens, from `base` on for `until` ms; times of events count from `base`."""

    name: str
    route: dict[str, Any]
    inhibit_rules: list[dict[str, Any]] = field(default_factory=list)
    time_intervals: list[dict[str, Any]] = field(default_factory=list)
    quiet: tuple[str, ...] = ()
    base: int = BASE_MS
    until: int = HOUR
    events: list[dict[str, Any]] = field(default_factory=list)

    def _at(self, seconds: float) -> int:
        return int(seconds * S) + len(self.events) % 997 + 1

    def fire(self, at: float, identity: str, **labels: str) -> "Scenario":
        """An alert begins to fire, `at` seconds after the start; the same identity is the same alert."""
        found = {"id": identity, "alertname": "A", **labels}
        self.events.append({"at": self._at(at), "kind": "alert", "labels": found, "firing": True})
        return self

    def end(self, at: float, identity: str) -> "Scenario":
        """An alert resolves."""
        found = next(
            e["labels"] for e in reversed(self.events) if e.get("labels", {}).get("id") == identity
        )
        self.events.append({"at": self._at(at), "kind": "alert", "labels": found, "firing": False})
        return self

    def silence(self, at: float, name: str, until: float, *matchers: str) -> "Scenario":
        """A silence begins now and ends `until` seconds after the start."""
        begins = self._at(at)
        # its end falls on the thousandth of its begin, as all that is its own
        ends = int(until * S) + begins % S
        self.events.append(
            {
                "at": begins,
                "kind": "silence",
                "name": name,
                "matchers": list(matchers),
                "until": ends,
            }
        )
        return self

    def expire(self, at: float, name: str) -> "Scenario":
        """A silence is ended by hand."""
        self.events.append({"at": self._at(at), "kind": "expire", "name": name})
        return self

    @property
    def receivers(self) -> list[str]:
        """Names of all receivers that the route tree names."""
        return sorted(set(_receivers(self.route)))

    def alertmanager(self) -> str:
        """The configuration as Alertmanager's YAML."""
        tree = {
            "route": self.route,
            "receivers": [
                {
                    "name": name,
                    "webhook_configs": [
                        {"url": "http://127.0.0.1:9/", "send_resolved": name not in self.quiet}
                    ],
                }
                for name in self.receivers
            ],
            "inhibit_rules": self.inhibit_rules,
            "time_intervals": self.time_intervals,
        }
        out = StringIO()
        YAML(typ="safe", pure=True).dump(tree, out)
        return str(out.getvalue())

    def question(self) -> dict[str, Any]:
        """The scenario as the judge reads it."""
        return {
            "name": self.name,
            "config": self.alertmanager(),
            "base": self.base,
            "until": self.until,
            "events": self.events,
        }


def _receivers(route: dict[str, Any]) -> Iterable[str]:
    if "receiver" in route:
        yield route["receiver"]
    for child in route.get("routes", ()):
        yield from _receivers(child)


SERVICES = ("cart", "orders", "search", "bank")
SEVERITIES = ("critical", "warning", "info")
TEAMS = ("blue", "red")
RECEIVERS = ("r0", "r1", "r2", "r3")
_LABELS = {"service": SERVICES, "severity": SEVERITIES, "team": TEAMS, "alertname": ("A", "B")}
_BUSINESS_HOURS = {
    "name": "t0",
    "time_intervals": [
        {"times": [{"start_time": "08:10", "end_time": "08:25"}]},
        {"weekdays": ["monday"], "times": [{"start_time": "08:40", "end_time": "09:00"}]},
    ],
}
_ELSEWHERE = {
    "name": "t1",
    "time_intervals": [
        {"location": "Europe/Berlin", "times": [{"start_time": "09:15", "end_time": "09:45"}]}
    ],
}


def random_scenario(seed: int) -> Scenario:
    """A tree, rules, alerts and silences that follow from a number."""
    dice = random.Random(seed)
    scenario = Scenario(
        f"random-{seed}",
        _random_route(dice, 0),
        inhibit_rules=[_random_rule(dice) for _ in range(dice.choice((0, 0, 1, 2)))],
        time_intervals=[_BUSINESS_HOURS, _ELSEWHERE],
        quiet=tuple(r for r in RECEIVERS if dice.random() < 0.2),
        until=int(dice.choice((0.5, 1, 2)) * HOUR),
    )
    people = [
        {
            "service": dice.choice(SERVICES),
            "severity": dice.choice(SEVERITIES),
            "alertname": dice.choice("AB"),
            **({"team": dice.choice(TEAMS)} if dice.random() < 0.8 else {}),
        }
        for _ in range(dice.randint(1, 12))
    ]
    firing: set[int] = set()
    silences: list[str] = []
    span = scenario.until / S * 0.8
    for at in sorted(dice.randint(0, int(span)) for _ in range(dice.randint(1, 50))):
        roll = dice.random()
        if roll < 0.08:
            silences.append(f"s{len(scenario.events)}")
            until = at + dice.choice((60, 300, 900, 3600))
            scenario.silence(
                at, silences[-1], until, *_random_matchers(dice, at_least=1, positive=True)
            )
        elif roll < 0.1 and silences:
            name = silences.pop()
            made = next(e for e in scenario.events if e.get("name") == name)
            if made["until"] > at * S + S:
                scenario.expire(at, name)
        else:
            one = dice.randrange(len(people))
            if one in firing:
                firing.discard(one)
                scenario.end(at, f"a{one}")
            else:
                firing.add(one)
                scenario.fire(at, f"a{one}", **people[one])
    return scenario


def _random_matchers(dice: random.Random, *, at_least: int, positive: bool = False) -> list[str]:
    """Conditions on different labels; `positive` ones are not fulfilled by a missing label."""
    found = []
    for name in dice.sample(sorted(_LABELS), dice.choice((at_least, at_least, 1, 2))):
        values = _LABELS[name]
        one, other = dice.choice(values), dice.choice(values)
        texts = [f'{name}="{one}"', f'{name}=~"{one}|{other}"', f'{name}=~"{one[0]}.*"']
        if not positive:
            texts += [f'{name}!="{one}"', f'{name}!~"{one}|{other}"', f'{name}=""']
        found.append(dice.choice(texts))
    return found


def _random_route(dice: random.Random, depth: int) -> dict[str, Any]:
    route: dict[str, Any] = {}
    if depth == 0 or dice.random() < 0.5:
        route["receiver"] = dice.choice(RECEIVERS)
    if dice.random() < (0.9 if depth == 0 else 0.4):
        names = dice.sample(sorted(_LABELS), dice.randint(0, 3))
        route["group_by"] = dice.choice((names, names, ["..."]))
    for key, spans in (
        ("group_wait", ("0s", "5s", "30s", "2m")),
        ("group_interval", ("10s", "1m", "5m")),
        ("repeat_interval", ("7m", "20m", "4h")),
    ):
        if dice.random() < (0.8 if depth == 0 else 0.3):
            route[key] = dice.choice(spans)
    if depth:
        route["matchers"] = _random_matchers(dice, at_least=1)
        route["continue"] = dice.random() < 0.35
        if dice.random() < 0.15:
            route["mute_time_intervals"] = dice.sample(("t0", "t1"), dice.randint(1, 2))
        if dice.random() < 0.15:
            route["active_time_intervals"] = dice.sample(("t0", "t1"), dice.randint(1, 2))
    if depth < 3 and dice.random() < 0.85 - 0.3 * depth:
        route["routes"] = [_random_route(dice, depth + 1) for _ in range(dice.randint(1, 4))]
    return route


def _random_rule(dice: random.Random) -> dict[str, Any]:
    """Source and target differ in a label, or are the same: elsewhere Alertmanager overlooks sources."""
    name = dice.choice(("severity", "service", "alertname"))
    source, target = dice.sample(_LABELS[name], 2)
    if dice.random() < 0.15:
        target = source
    return {
        "source_matchers": [f'{name}="{source}"'],
        "target_matchers": [f'{name}=~"{target}"'],
        "equal": dice.sample([n for n in sorted(_LABELS) if n != name], dice.randint(0, 2)),
    }
