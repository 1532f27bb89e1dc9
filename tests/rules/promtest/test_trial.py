"""Trials beyond promtool's format: our own keys, and what rules may not do under test."""

from streams.rules.load import parse_rules
from streams.rules.promtest.suite import read_suite
from streams.rules.promtest.trial import run_group


def run(rules: str, tests: str) -> list[str]:
    """What differs in the first group of tests."""
    groups, problems = parse_rules(rules, "r.yml")
    assert [] == problems
    suite = read_suite(tests)
    return run_group(suite, suite.tests[0], groups)


def test_a_rule_may_be_due_at_no_interval_of_its_own() -> None:
    """All groups are evaluated at each step, from a start that no interval divides."""
    rules = "groups: [{name: g, interval: 1h, rules: [{alert: A, expr: x > 1}]}]"
    tests = """
tests:
  - start_timestamp: 1700000001.234
    interval: 7s
    input_series: [{series: x, values: 1 2}]
    alert_rule_test: [{eval_time: 1m, alertname: A, exp_alerts: [{}]}]
"""
    assert [] == run(rules, tests)


def test_alerts_are_series_for_expressions_under_test() -> None:
    """`ALERTS` and `ALERTS_FOR_STATE`, which end with the alert."""
    rules = "groups: [{name: g, rules: [{alert: A, expr: x > 1, for: 1m}]}]"
    tests = """
tests:
  - input_series: [{series: x, values: 2 2 2 0}]
    promql_expr_test:
      - {expr: ALERTS, eval_time: 0, exp_samples: [{labels: 'ALERTS{alertname="A", alertstate="pending"}', value: 1}]}
      - {expr: ALERTS, eval_time: 2m, exp_samples: [{labels: 'ALERTS{alertname="A", alertstate="firing"}', value: 1}]}
      - {expr: ALERTS_FOR_STATE, eval_time: 2m, exp_samples: [{labels: 'ALERTS_FOR_STATE{alertname="A"}', value: 0}]}
      - {expr: ALERTS or ALERTS_FOR_STATE, eval_time: 3m}
"""
    assert [] == run(rules, tests)


def test_a_detector_can_be_tested() -> None:
    """The block `detect` works as in production, at the file's evaluation interval."""
    rules = """
groups:
  - name: g
    rules:
      - {alert: Odd, expr: x, detect: {detector: gaussian, false_alarms: 1 per 10m}}
"""
    tests = """
tests:
  - input_series: [{series: x, values: '1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1
      1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 1x1 3x1 99'}]
    alert_rule_test:
      - {eval_time: 60m, alertname: Odd}
      - {eval_time: 68m, alertname: Odd, exp_alerts: [{}]}
"""
    assert [] == run(rules, tests)


def test_rules_may_select_alerts() -> None:
    """As in promtool: a rule behind the alert's sees it at the same evaluation."""
    rules = """
groups:
  - name: g
    rules:
      - {alert: A, expr: x > 1}
      - {alert: Many, expr: 'count(ALERTS{alertname="A", alertstate="firing"}) >= 2'}
"""
    tests = """
tests:
  - input_series: [{series: 'x{a="1"}', values: 2 2}, {series: 'x{a="2"}', values: 0 2}]
    alert_rule_test:
      - {eval_time: 0m, alertname: Many}
      - {eval_time: 1m, alertname: Many, exp_alerts: [{}]}
"""
    assert [] == run(rules, tests)


def test_a_subquery_without_a_step_has_that_of_the_evaluation() -> None:
    """In rules and in expressions under test; steps are multiples of it."""
    rules = "groups: [{name: g, rules: [{record: n, expr: 'count_over_time(x[2m:])'}]}]"
    tests = """
evaluation_interval: 20s
tests:
  - interval: 20s
    input_series: [{series: x, values: 1x20}]
    promql_expr_test:
      - {expr: n, eval_time: 4m, exp_samples: [{labels: n, value: 6}]}
      - {expr: 'count_over_time(x[2m:])', eval_time: 4m, exp_samples: [{labels: '{}', value: 6}]}
"""
    assert [] == run(rules, tests)
