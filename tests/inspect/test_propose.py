"""Proposals: the usual rule for what is there, and every one of them passes the checks of rules."""

import pytest

from schemas.config import SourceConfig, load_document
from schemas.relabel import relabel
from streams.inspect.propose import look, propose, rule_file, sections
from streams.inspect.report import Label, Lateness, Metric
from streams.rules.load import parse_rules
from streams.rules.partial.wide import needs_second_stage

LOCALITY = ("tenant", "service")


def metric(name: str, kind: str = "gauge", least: float = 0.0, most: float = 10.0) -> Metric:
    return Metric(name, kind, "", 3, 100, 10.0, least, most)


def label(name: str, warning: str = "") -> Label:
    return Label(name, 3, 3, [("a", 3)], warning)


CASES = {
    "down": ([metric("host_up"), metric("x_ratio", most=1)], ["service"], "host_up == 0"),
    "failing": (
        [metric("http_requests_total", "counter")],
        ["service", "status"],
        (
            'sum by (service) (rate(http_requests_total{status=~"5.."}[1m]))'
            " / sum by (service) (rate(http_requests_total[1m])) > 0.05"
        ),
    ),
    "errors": (
        [metric("jobs_failed_total", "counter")],
        ["service"],
        "sum by (service) (rate(jobs_failed_total[1m]))",
    ),
    "slow": (
        [metric("rpc_seconds_bucket", "counter")],
        ["service", "le"],
        "histogram_quantile(0.99, sum by (service, le) (rate(rpc_seconds_bucket[1m])))",
    ),
    "full": ([metric("disk_usage_ratio", most=1)], ["service"], "disk_usage_ratio > 0.9"),
    "share of failures": ([metric("error_ratio", most=1)], [], "error_ratio > 0.05"),
    "any gauge": ([metric("queue_length"), metric("a_total", "counter")], [], "queue_length"),
    "any counter": ([metric("a_total", "counter")], [], "rate(a_total[1m])"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_usual_rule_is_proposed_and_is_sound(case: tuple[list[Metric], list[str], str]) -> None:
    """The expression is the usual one; the rule file is read without a fault and needs no second stage."""
    metrics, labels, expected = case
    seen = look(metrics, map(label, labels), LOCALITY)
    rule = propose(seen)

    assert rule is not None
    assert expected == rule.expr
    groups, problems = parse_rules(rule_file(rule, seen.interval), "first.yml")
    assert [] == problems
    assert not needs_second_stage(groups, LOCALITY)
    assert 1 == len(groups[0].rules)


def test_windows_follow_the_samples() -> None:
    """A metric that comes once a minute gets a window of four minutes and an interval of one."""
    slow = Metric("a_total", "counter", "", 1, 10, 60.0, 0.0, 9.0)
    seen = look([slow], [], LOCALITY)

    assert ("4m", "1m") == (seen.window, seen.interval)


def test_where_nothing_moves_nothing_is_proposed() -> None:
    """A constant gauge, and a name that PromQL cannot write, give no rule."""
    still = [metric("x", least=1, most=1), metric("disk usage_ratio", most=1)]

    assert propose(look(still, [], LOCALITY)) is None


def test_sections_are_a_configuration() -> None:
    """What is proposed for `tocsin.yaml` is read, drops the doubtful label and allows the lateness."""
    late = Lateness(0, 0, 20, 20, 3, 5, 30)
    labels = [label("service"), label('odd "na.me"', "its values look like identities")]
    text = sections(SourceConfig(topic="t", format="influx"), [metric("m")], labels, late)
    config = load_document(text, "tocsin.yaml").config

    assert ("t", "influx", ("m",)) == (
        config.sources[0].topic,
        config.sources[0].format,
        config.sources[0].metrics,
    )
    (dropping,) = config.sources[0].relabel
    assert {"service": "a"} == relabel([dropping.rule], {'odd "na.me"': "1", "service": "a"})
    assert 30_000 == config.time.allowed_lateness
