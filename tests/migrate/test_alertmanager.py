from typing import Any

import pytest

from schemas.config import Config, load_document
from schemas.errors import ConfigError
from streams.migrate import migrate
from tests.correlate.differential.named import named
from tests.correlate.differential.play import config_of
from tests.correlate.differential.scenarios import random_scenario

OLD = """\
global:
  resolve_timeout: 5m
  smtp_smarthost: localhost:25
templates: [/etc/alertmanager/*.tmpl]
route:
  receiver: default
  group_by: [alertname, cluster]
  routes:
    - match: {service: files, code: 500}
      match_re: {owner: "team-(x|y)"}
      matchers: [severity=~"critical|warning"]
      receiver: pager
      continue: true
      mute_time_intervals: [weekend]
    - receiver: nobody
      matchers: [severity=none]
      labels: {urgency: low}
inhibit_rules:
  - source_match: {severity: critical}
    target_match_re: {severity: warning|info}
    equal: [alertname]
mute_time_intervals:
  - name: weekend
    time_intervals: [{weekdays: [saturday, sunday]}]
receivers:
  - name: default
    webhook_configs:
      - url: http://127.0.0.1:5001/
        max_alerts: 10
        http_config:
          authorization: {credentials: s3cret}
          proxy_url: http://127.0.0.1:3128
  - name: pager
    pagerduty_configs:
      - service_key: k
    slack_configs:
      - channel: "#alerts"
    webhook_configs:
      - url_file: /run/secrets/hook
        send_resolved: false
        timeout: 3s
  - name: nobody
"""


def _config(text: str) -> Config:
    return load_document(migrate(text, "alertmanager.yml").text, "tocsin.yaml").config


def test_old_file() -> None:
    """Old matchers, several ways to tell in one receiver, and receivers that tell nobody come over."""
    config = _config(OLD)
    assert config.route is not None
    first, second = config.route.routes
    assert (
        'service="files"',
        'code="500"',
        'owner=~"team-(x|y)"',
        'severity=~"critical|warning"',
    ) == (first.matchers)
    assert ("pager", "pager-2", "pager-3") == first.receiver
    assert () == second.receiver
    assert (True, ("weekend",)) == (first.continue_, first.mute_time_intervals)
    rule = config.inhibit_rules[0]
    assert (('severity="critical"',), ('severity=~"warning|info"',)) == (
        rule.source_matchers,
        rule.target_matchers,
    )
    kinds = [(r.name, r.type, r.send_resolved) for r in config.notify.receivers]
    assert [
        ("default", "webhook", True),
        ("pager", "stdout", True),
        ("pager-2", "stdout", False),
        ("pager-3", "webhook", False),
    ] == kinds


def test_webhook_keeps_what_authorizes() -> None:
    """A token becomes a header, and an address in a file a reference to it."""
    default, *_, hook = _config(OLD).notify.receivers
    assert "webhook" == default.type
    assert "webhook" == hook.type
    assert {"Authorization": "Bearer s3cret"} == {k: str(v) for k, v in default.headers.items()}
    assert ("${file:/run/secrets/hook}", 3000) == (str(hook.url), hook.timeout)


def test_what_has_no_place_is_told_with_its_line() -> None:
    """Nothing is left out silently: every key and every receiver that does not come over has its line."""
    assert [
        "1: 'global' has no place here; what its receivers need of it stands in them",
        "4: 'templates' has no place here; texts of notifications are not templates",
        "17: 'labels' of a route has no place here; left out",
        "28: receiver 'default': 'http_config.proxy_url' of a webhook has no place here; left out",
        "28: receiver 'default': 'max_alerts' of a webhook has no place here; left out",
        "35: receiver 'pager': pagerduty_configs is not a kind that there is; it prints instead",
        "37: receiver 'pager': slack_configs is not a kind that there is; it prints instead",
        "42: receiver 'nobody' tells nobody; routes to it name no receiver",
    ] == [note.removeprefix("alertmanager.yml:") for note in migrate(OLD, "alertmanager.yml").notes]


def test_notes_stand_in_the_result() -> None:
    """Who reads only the result finds them at its head."""
    found = migrate(OLD, "alertmanager.yml")
    assert [f"# {note}" for note in found.notes] == found.text.splitlines()[
        1 : len(found.notes) + 1
    ]


_ROUTE = "route:\n  receiver: r\n"
_RECEIVER = "receivers:\n  - name: r\n    webhook_configs: [{url: 'http://h/'}]\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("receivers: []\n", "1: an alertmanager.yml has a 'route'"),
        ("route: {receiver: x}\n", "1: undefined receiver 'x'"),
        (_RECEIVER + "route:\n  group_by: [a]\n", "the root must name a receiver"),
        (
            _RECEIVER + _ROUTE + "  routes:\n    - matchers: ['a=~\"(\"']\n",
            "7: route.routes.0.matchers",
        ),
        (_RECEIVER + _ROUTE + "  group_by: ['...', a]\n", "6: route.group_by"),
        (
            _RECEIVER + _ROUTE + "  routes:\n    - mute_time_intervals: [x]\n",
            "7: route to unknown time interval 'x'",
        ),
        (_RECEIVER + _ROUTE + "  group_interval: 0s\n", "6: route.group_interval"),
    ],
)
def test_refused_with_its_line(text: str, fault: str) -> None:
    """What Alertmanager would refuse is refused, at its line in the original."""
    with pytest.raises(ConfigError) as refused:
        migrate(text, "a.yml")
    assert fault in str(refused.value)


def _meaning(config: Config) -> dict[str, Any]:
    return config.model_dump(include={"route", "inhibit_rules", "time_intervals"})


def test_all_scenarios_come_over() -> None:
    """The configuration of every scenario that is compared with Alertmanager means the same when it is imported."""
    for scenario in [*named(), *map(random_scenario, range(8))]:
        assert _meaning(config_of(scenario)) == _meaning(_config(scenario.alertmanager()))
