import pytest

from schemas.config import find_problems

RECEIVERS = "notify:\n  receivers:\n    - {type: stdout, name: log}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("route: {}\n", "4: route: the root must name a receiver"),
        ("route:\n  receiver: lug\n", "5: route to unknown receiver 'lug': did you mean 'log'?"),
        ("route:\n  receiver: log\n  matchers: [a=b]\n", "the root takes every alert"),
        (
            "route:\n  receiver: log\n  routes:\n    - matchers: [a]\n",
            "7: route.routes.0.matchers: not a matcher",
        ),
        (
            "route:\n  receiver: log\n  routes:\n    - receiver: [log, x]\n",
            "7: route to unknown receiver 'x'",
        ),
        (
            "route:\n  receiver: log\n  group_by: [a, a]\n",
            "6: route.group_by: a label is named twice",
        ),
        (
            "route:\n  receiver: log\n  group_by: ['...', a]\n",
            "6: route.group_by: '...' stands alone",
        ),
        ("route:\n  receiver: log\n  repeat_interval: 0s\n", "6: route.repeat_interval"),
        (
            "route:\n  receiver: log\n  routes:\n    - mute_time_intervals: [night]\n",
            "7: route to unknown time interval 'night': there is none",
        ),
        (
            "time_intervals:\n  - {name: a}\n  - {name: a}\n",
            "6: two entries for time interval 'a'",
        ),
        (
            "time_intervals:\n  - name: a\n    time_intervals:\n      - weekdays: [monay]\n",
            "not a weekday: 'monay'",
        ),
        (
            "time_intervals:\n  - name: a\n    time_intervals:\n      - {location: Berlin}\n",
            "not a time zone: 'Berlin'",
        ),
        (
            "time_intervals:\n  - name: a\n    time_intervals: [{times: [{start_time: 8:00, end_time: '09:00'}]}]\n",
            "not a time of day",
        ),
        (
            "time_intervals:\n  - name: a\n    time_intervals:\n      - days_of_month: ['-1:5']\n",
            "must end from there too",
        ),
        (
            "inhibit_rules:\n  - source_matchers: ['a=~\"(\"']\n",
            "5: inhibit_rules.0.source_matchers",
        ),
        ("silences:\n  longest: 0s\n", "5: silences.longest"),
    ],
)
def test_fault_with_its_line(text: str, problem: str) -> None:
    """Each fault of a tree, a rule, an interval is told with the line that it stands on."""
    (found,) = find_problems(RECEIVERS + text, "tocsin.yaml")
    assert problem in found


def test_routes_of_both_forms() -> None:
    """The flat routes would never be asked beside a tree, so that is a fault."""
    text = RECEIVERS + "  routes: [{receiver: log}]\nroute: {receiver: log}\n"
    assert ["tocsin.yaml:4: notify.routes is not asked where 'route' says who is told"] == (
        find_problems(text, "tocsin.yaml")
    )


def test_sound_tree() -> None:
    """A tree with all that it may have is no fault."""
    text = """\
route:
  receiver: [log]
  group_by: [service]
  routes:
    - matchers: ['a="b"', 'c=~"d|e"']
      receiver: []
      continue: true
      active_time_intervals: [work]
time_intervals:
  - name: work
    time_intervals:
      - {weekdays: ['monday:friday'], times: [{start_time: '08:00', end_time: '24:00'}], months: [1, 'june:july']}
inhibit_rules:
  - {name: x, source_matchers: [a=b], target_matchers: [a=c], equal: [service]}
silences: {longest: 30d, tell_resolved: false}
"""
    assert [] == find_problems(RECEIVERS + text, "tocsin.yaml")
