"""Test files: what they may hold, and promtool's words for what they may not."""

import pytest

from schemas.errors import RuleError
from streams.rules.promtest.suite import DEFAULT_INTERVAL_MS, Suite, read_suite


def test_a_file_is_read_whole() -> None:
    """Durations become milliseconds, scalars stay as written, defaults are promtool's."""
    suite = read_suite(
        """
rule_files: [a.yml, "b*.yml"]
group_eval_order: [x]
tests:
  - name: n
    interval: 1m30s
    start_timestamp: 2024-01-01T00:00:00.5Z
    external_labels: {dc: 1.50}
    input_series: [{series: up, values: 1}]
    alert_rule_test: [{eval_time: 1h, alertname: A, exp_alerts: [{exp_labels: {code: 500}}]}]
    promql_expr_test: [{expr: up, eval_time: 1d, exp_samples: [{labels: up, value: 1_000}]}]
"""
    )
    (group,) = suite.tests
    assert (["a.yml", "b*.yml"], DEFAULT_INTERVAL_MS) == (
        suite.rule_files,
        suite.evaluation_interval,
    )
    assert (90_000, 1_704_067_200_500, {"dc": "1.50"}) == (
        group.interval,
        group.start_timestamp,
        group.external_labels,
    )
    assert "1" == group.input_series[0].values
    assert {"code": "500"} == group.alert_rule_test[0].exp_alerts[0].exp_labels
    assert (86_400_000, 1000.0) == (group.span_ms, group.promql_expr_test[0].exp_samples[0].value)
    assert 5 == group.line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "foo: 1",
            "yaml: unmarshal errors:\n  line 1: field foo not found in type main.unitTestFile",
        ),
        ("tests: [{nam: x}]", "line 1: field nam not found in type main.testGroup"),
        ("fuzzy_compare: true\nfuzzy_compare: true", "line 2: field fuzzy_compare already set"),
        ("tests: 5", "line 1: cannot unmarshal !!int `5` into []main.testGroup"),
        ("tests: [a long word]", "cannot unmarshal !!str `a long ...` into main.testGroup"),
        ("rule_files: {a: b}", "cannot unmarshal !!map into []string"),
        ("fuzzy_compare: maybe", "cannot unmarshal !!str `maybe` into bool"),
        ("evaluation_interval: 5", 'not a valid duration string: "5"'),
        ("evaluation_interval: 1m1h", 'not a valid duration string: "1m1h"'),
        ("evaluation_interval: 1q", 'unknown unit "q" in duration "1q"'),
        ("group_eval_order: [a, a]", "group name repeated in evaluation order: a"),
        ("tests: [{start_timestamp: soon}]", 'cannot parse "soon" to a valid timestamp'),
        ("a: [", "yaml: line 1: "),
    ],
)
def test_what_a_file_may_not_hold(text: str, message: str) -> None:
    """Unknown and repeated keys, wrong types, and values that make no sense."""
    with pytest.raises(RuleError) as caught:
        read_suite(text)
    assert message in str(caught.value)


def test_an_empty_file_has_no_tests() -> None:
    """It passes, as with promtool."""
    assert Suite() == read_suite("")
