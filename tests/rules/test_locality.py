"""Which rules can be evaluated per partition, and what is said of those that cannot."""

import pytest

from streams.rules.locality import locality_names, reaches_beyond, speaks_of_nothing
from streams.rules.parse import parse_expression

LOCALITY = ("tenant", "service")


def problems_of(expr: str, locality: tuple[str, ...] = LOCALITY) -> list[str]:
    """What is said of this expression."""
    return reaches_beyond(parse_expression(expr), locality_names(locality))


@pytest.mark.parametrize(
    "expr",
    [
        "up == 0",
        "sum by (service) (rate(x[5m])) > 1",
        "sum by (service, host) (x)",
        "sum without (host) (x)",
        "sum by (service) (rate(x[5m])) / sum by (service) (rate(y[5m])) > 0.1",
        "histogram_quantile(0.99, sum by (service, le) (rate(x_bucket[1m])))",
        'sum(x{service="db"})',
        'sum(x{service="db"}) / on () sum(y{service="db"})',
        'absent(up{service="db"})',
        "x / ignoring (host) y",
        "x * on (service) group_left y",
        "x > time() - 60",
        "x > 2 * 3",
        "vector(1)",
        "topk by (service) (3, x)",
        'count_values by (service) ("value", x)',
        "max_over_time(rate(x[1m])[5m:30s])",
        "max_over_time(x[5m]) unless on (service) y",
    ],
)
def test_local_rules_pass(expr: str) -> None:
    """The locality labels are kept, or all series have them fixed."""
    assert problems_of(expr) == []


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("sum(rate(x[5m])) > 1", "'sum' aggregates across different service"),
        ("sum by (host) (x)", "add service to 'by'"),
        ("avg without (service) (x)", "keep service"),
        ('sum(x{service=~"db.*"})', "'sum' aggregates"),
        ("topk(3, x)", "'topk' aggregates across different service"),
        ('count_values by (service) ("service", x)', "'count_values' writes a locality label"),
        ('label_replace(x, "service", "a", "b", "c")', "'label_replace' writes a locality label"),
        ("max_over_time(sum(x)[5m:30s])", "'sum' aggregates"),
        ("absent(up)", 'name them in the selector: service="..."'),
        ('absent(up{service!="db"})', "'absent' looks for series"),
        ("x / on (host) y", "'/' matches series across different service"),
        ("x and ignoring (service) y", "match on service too"),
        ('x{service="a"} / on (host) y{service="b"}', "'/' matches series"),
        ('x{service="a"} / y{service="b"}', "'/' matches series"),
        ("x > scalar(sum by (service) (y))", "'scalar' takes its number"),
    ],
)
def test_wider_rules_are_told_with_what_to_do(expr: str, words: str) -> None:
    """One line with the reason and the remedy."""
    problems = problems_of(expr)
    assert len(problems) == 1
    assert words in problems[0]


def test_each_fault_of_a_rule_is_told() -> None:
    """Both sides of a ratio are looked at."""
    assert len(problems_of("sum(x) / sum(y)")) == 2


def test_the_tenant_alone_needs_no_mention() -> None:
    """With all series of a tenant in one partition, everything is local."""
    assert problems_of("sum(x) / sum(y)", ("tenant",)) == []


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("up == 0", False),
        ("sum by (service) (x) > 1", False),
        ("absent(up)", True),
        ("absent_over_time(up[5m])", True),
        ("x or vector(0)", True),
        ("1", True),
        ("x > 1 and on () hour() > 8", True),
        ("hour(x) > 8", False),
        ("time() > bool 5", True),
    ],
)
def test_what_every_partition_would_say_is_known(expr: str, expected: bool) -> None:
    """Results without series come from each partition alike."""
    assert speaks_of_nothing(expr) is expected
