"""Usual mistakes: each is found where it stands, and what only looks like one is not."""

import pytest

from streams.rules.lint import CODES, Level, lint_text

QUIET = "for: 1m, labels: {severity: warning}, annotations: {summary: s, runbook_url: u}"  # nothing to say of it


def lint(rules: str, interval: str = "15s") -> list[str]:
    """Findings of a group's rules, as `line:column code`."""
    text = f"groups:\n  - name: g\n    interval: {interval}\n    rules:\n{rules}"
    findings, problems = lint_text(text, "r.yml")
    assert [] == problems
    return [f"{each.line}:{each.column} {each.code}" for each in findings]


def alert(expression: str, interval: str = "15s") -> list[str]:
    """Codes found in the expression of an alert that has all it should have."""
    rule = f"      - {{alert: A, expr: {expression!r}, {QUIET}}}\n"
    return [each.split()[1] for each in lint(rule, interval)]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("up > 1", "never-true"),
        ("up == 2", "never-true"),
        ("1 < up", "never-true"),
        ("x > 5 and x < 3", "never-true"),
        ("x > 5 < 3", "never-true"),
        ("x >= 5 and x < 5", "never-true"),
        ("rate(x_total[5m]) < 0", "never-true"),
        ("abs(x) < 0", "never-true"),
        ("sum(rate(a_total[5m])) / sum(rate(b_total[5m])) < 0", "never-true"),
        ("avg by (job) (up) > 1", "never-true"),
        ("(up == 0) * 100 > 100", "never-true"),
        ("absent(up) != 1 and absent(up) == 0", "never-true"),
        ("hour() > 23", "never-true"),
        ("-up > 0", "never-true"),
        ("count(up == 0) == 0", "count-of-nothing"),
        ("count(up) < 1", "count-of-nothing"),
        ("rate(sum(x_total)[5m:1m]) > 1", "sum-before-rate"),
        ("histogram_quantile(0.9, sum by (job) (rate(x_bucket[5m]))) > 1", "quantile-without-le"),
        ("up == bool 0", "always-fires"),
        ("rate(x_total[5m])", "always-fires"),
        ("rate(process_resident_memory_bytes[5m]) > 1", "rate-of-gauge"),
        ("delta(x_total[5m]) > 1", "delta-of-counter"),
        ("rate(x_total[20s]) > 1", "short-window"),
        ('absent(up{job=~"a|b"})', "absent-regex"),
    ],
)
def test_a_mistake_is_found(expression: str, code: str) -> None:
    """By its code."""
    assert code in alert(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "up == 0",
        "up < 1",
        "up >= 1",
        "x > 5 and x < 7",
        "x > 5 and y < 3",
        "x > 5 and x offset 1h < 3",
        "x > 5 or x < 3",
        "0 < (x - time()) / 86400 < 20",
        "x != 3",
        "count(up == 0) >= 1",
        "count(up == 0) or vector(0) == 0",
        "absent(up)",
        "absent(up) == 1",
        "vector(1)",
        "hour() > 22",
        "sum by (job) (rate(x_total[5m])) > 0",
        "rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m]) > 1",
        "histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m]))) > 1",
        "histogram_quantile(0.9, sum without (pod) (rate(x_bucket[5m]))) > 1",
        "max_over_time(sum(rate(x_total[5m]))[30m:1m]) > 1",
        "rate(x_total[30s]) > 1",
        'absent(up{job="a"})',
        "x == NaN",
        "x - y > -1",
        "2 * (up - 1) < 0",
    ],
)
def test_what_is_sound_is_let_be(expression: str) -> None:
    """Nothing is said where the rule may well be meant so."""
    assert [] == alert(expression)


def test_findings_have_their_place_in_the_file() -> None:
    """Line and column of the word, however the expression is written."""
    rules = """      - alert: A
        expr: >-
          x > 0
          and rate(node_memory_free[5m])
          > 1
        for: 5m
        labels: {severity: info}
        annotations: {summary: "{{ $labels.a }}"}
      - record: plain
        expr: "sum(rate(x[5m])\\
          )"
      - alert: B
        expr: sum by (b) (y) > 1
        annotations: {runbook: "{{ $labels.a }} {{ .Labels.b }} {{ $labels.c }}"}
"""
    assert [
        "5:16 missing-runbook",
        "8:15 rate-of-gauge",
        "13:17 record-name",
        "16:16 missing-for",
        "16:16 missing-severity",
        "16:16 missing-summary",
        "18:33 lost-label",
        "18:33 lost-label",
    ] == lint(rules)


def test_recorded_sums_are_known_in_the_file() -> None:
    """The rate of a series that a rule makes by a sum, and a series that is recorded later."""
    rules = f"""      - {{alert: A, expr: "rate(a:x:sum[5m]) > 1", {QUIET}}}
      - {{record: "a:x:sum", expr: sum(x)}}
"""
    assert ["5:27 sum-before-rate", "5:32 read-before-record"] == lint(rules)


def test_comments_switch_findings_off() -> None:
    """For a rule, from within it or from above; for the file; one code, several, or all."""
    bare = "alert: {name}\n        expr: up == 0"
    rules = (
        "      # lint: ignore missing-for, missing-runbook\n"
        f"      - {bare.format(name='A')}\n"
        f"      - {bare.format(name='B')} # lint: ignore\n"
        f"      - {bare.format(name='C')}\n"
        "      # lint: ignore-file missing-summary\n"
    )
    assert [
        "6:16 missing-severity",
        "10:16 missing-for",
        "10:16 missing-runbook",
        "10:16 missing-severity",
    ] == lint(rules)


def test_rules_on_arrival_and_with_a_detector_need_no_for() -> None:
    """The one is meant to be at once, the other waits by itself."""
    rules = (
        "      - {alert: A, expr: up == 0, evaluate: on_arrival, labels: {severity: info},"
        " annotations: {summary: s, runbook_url: u}}\n"
        "      - {alert: B, expr: up, detect: {detector: robust}, labels: {severity: info},"
        " annotations: {summary: s, runbook_url: u}}\n"
    )
    assert [] == lint(rules)


def test_every_code_says_why_and_what_to_do() -> None:
    """So that a finding can be acted upon without a book."""
    for name, code in CODES.items():
        assert code.why, name
        assert code.fix, name
    assert [Level.ERROR, Level.WARNING, Level.INFO] == sorted(Level, key=lambda level: level.rank)


def test_rules_that_do_not_load_are_problems() -> None:
    """They are told as `tocsin check` tells them, and the others are looked at."""
    text = "groups: [{name: g, rules: [{alert: A, expr: up ==}, {record: x, expr: up}]}]"
    findings, problems = lint_text(text, "r.yml")

    assert 1 == len(problems)
    assert ["record-name"] == [each.code for each in findings]
