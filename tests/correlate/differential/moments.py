"""Time intervals and moments, and texts of matchers, to be judged."""

import random
from datetime import UTC, datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

INTERVALS: list[dict[str, Any]] = [
    {"times": [{"start_time": "09:00", "end_time": "17:00"}]},
    {
        "times": [
            {"start_time": "00:00", "end_time": "00:01"},
            {"start_time": "23:59", "end_time": "24:00"},
        ]
    },
    {"weekdays": ["monday:friday"]},
    {"weekdays": ["Saturday", "sunday"]},
    {"weekdays": ["sunday:tuesday", "friday"]},
    {"days_of_month": ["1:7"]},
    {"days_of_month": ["-3:-1"]},
    {"days_of_month": ["29:31"]},
    {"days_of_month": ["30"]},
    {"days_of_month": ["15:-10", "-1"]},
    {"months": ["january:march", "12"]},
    {"months": ["6:8"]},
    {"years": ["2024:2025", "2028"]},
    {"weekdays": ["monday"], "days_of_month": ["1:7"], "months": ["may:september"]},
    {"location": "Europe/Berlin", "times": [{"start_time": "08:00", "end_time": "18:30"}]},
    {
        "location": "America/New_York",
        "weekdays": ["monday:friday"],
        "times": [{"start_time": "00:00", "end_time": "06:00"}],
    },
    {"location": "Asia/Kolkata", "days_of_month": ["1", "-1"]},
    {"location": "Australia/Lord_Howe", "times": [{"start_time": "01:30", "end_time": "02:15"}]},
    {"location": "Pacific/Kiritimati", "years": ["2026"]},
    {"location": "UTC"},
    {},
]

MATCHERS = [
    'a="b"',
    "a=b",
    " a = b ",
    'a=~"b|c"',
    "a!~b.*",
    'a!="b"',
    'a=""',
    "a=",
    '{a="b",c="d"}',
    '{a="b", c!="d", }',
    "a=b,c=d",
    'a="b,c"',
    r'a="say \"hi\""',
    r'a=~"\d+"',
    r'a="c:\\temp"',
    r'a="new\nline"',
    r"a=b\\",
    'a="\\"',
    'a="b',
    'a=b"',
    'a="b"c"',
    "a",
    "",
    "{}",
    "=b",
    "1a=b",
    'a=~"("',
    "a:b=c",
    'a="ü"',
    "a==b",
    'a=~"(?i)B"',
    "a=b c",
    ",a=b",
    "a=b,,c=d",
    "foo=bar,",
]


def config() -> str:
    """All intervals, each under a name, as Alertmanager's configuration."""
    tree = {
        "route": {"receiver": "r"},
        "receivers": [{"name": "r"}],
        "time_intervals": [
            {"name": f"t{n}", "time_intervals": [interval]} for n, interval in enumerate(INTERVALS)
        ],
    }
    out = StringIO()
    YAML(typ="safe", pure=True).dump(tree, out)
    return str(out.getvalue())


def times() -> list[int]:
    """Moments over eleven years, many of them beside a boundary, ms."""
    dice = random.Random(9)
    found = []
    for _ in range(400):
        first = datetime(dice.randint(2020, 2030), dice.randint(1, 12), 1, tzinfo=UTC)
        minute = int(first.timestamp()) // 60 + dice.choice((-1, 0, 1, dice.randint(0, 44_000)))
        found.append((minute * 60 + dice.choice((0, 0, 59))) * 1000 + dice.choice((0, 999)))
    return found


def moments() -> dict[str, Any]:
    """The question as the judge reads it."""
    return {"config": config(), "times": times()}
