"""Which rules take two stages, and where their expressions are cut."""

import pytest

from streams.rules.load import parse_rules
from streams.rules.partial.forms import FORMS, GATHERED, SUMMED, Form
from streams.rules.partial.split import find_unsplittable, split_rule
from streams.rules.partial.wide import Wide, needs_second_stage
from streams.rules.rule import RuleGroup

LOCALITY = ("tenant", "service")


def groups_of(*rules: str) -> list[RuleGroup]:
    """One group of these rules."""
    text = "groups:\n- name: g\n  rules:\n" + "\n".join(f"  - {{{rule}}}" for rule in rules)
    groups, faults = parse_rules(text, "r.yml")
    assert faults == []
    return groups


def rule_of(expr: str) -> str:
    """An alert of an expression."""
    return f"alert: A, expr: {expr!r}"


@pytest.mark.parametrize(
    ("expr", "forms"),
    [
        ("sum(rate(x[5m]))", [FORMS["sum"]]),
        ("avg by (az) (x) > 1", [FORMS["avg"]]),
        ("sum(x) / sum(y)", [FORMS["sum"], FORMS["sum"]]),
        ("histogram_quantile(0.9, sum by (le) (rate(x[5m])))", [FORMS["sum"]]),
        ("quantile(0.9, x)", [FORMS["quantile"]]),
        ("topk(3, sum by (service) (x))", [GATHERED]),
        ("topk(scalar(sum(y)), x)", [GATHERED, FORMS["sum"]]),
        ('count_values("v", x)', [SUMMED]),
        ("x / on (host) y", [GATHERED, GATHERED]),
        ("sum(x / on (host) y)", [GATHERED, GATHERED]),
        ("sum by (service) (x) / on () group_left sum(x)", [GATHERED, FORMS["sum"]]),
        ("absent(up)", [FORMS["group"]]),
        ("absent_over_time(up[5m:1m])", [FORMS["group"]]),
        ("sum(max_over_time(rate(x[1m])[5m:30s]))", [FORMS["sum"]]),
        ("-(sum(x))", [FORMS["sum"]]),
    ],
)
def test_an_expression_is_cut_where_partitions_see_enough(expr: str, forms: list[Form]) -> None:
    """As high as possible: what is sent is as little as possible."""
    (group,) = groups_of(rule_of(expr))
    wide = Wide([group], LOCALITY)
    assert group.rules[0] in wide

    cuts = split_rule(group.rules[0], wide).cuts

    assert forms == [cut.form for cut in cuts]
    assert len(cuts) == len({cut.id for cut in cuts})


def test_both_stages_name_a_cut_alike_and_others_otherwise() -> None:
    """The name hangs on the rule's text, interval and offset, and on nothing that one stage knows alone."""
    one, same, other = (
        split_rule(group.rules[0], Wide([group], LOCALITY)).cuts[0].id
        for (group,) in map(groups_of, (rule_of("sum(x)"), rule_of("sum(x)"), rule_of("sum(y)")))
    )

    assert one == same
    assert one != other


@pytest.mark.parametrize(
    ("expr", "place"),
    [
        ("max_over_time(sum(x)[5m:1m])", "1:21: "),
        ("quantile_over_time(scalar(sum(x)), y[5m])", "1:37: "),
    ],
)
def test_the_past_of_what_several_see_is_refused(expr: str, place: str) -> None:
    """Nobody keeps it: file, line and column are told, and what to do."""
    (problem,) = find_unsplittable(groups_of(rule_of(expr)), LOCALITY)

    assert problem.startswith(f"r.yml:4: rule 'A' is wider than the locality: {place}")
    assert "record it" in problem


def test_what_reads_a_wide_rule_is_wide() -> None:
    """Recorded series and alerts of the second stage are read there, whatever the order of the rules."""
    groups = groups_of(
        rule_of("double > 1"),
        "record: double, expr: '2 * total'",
        "record: total, expr: 'sum(x)'",
        "alert: Big, expr: 'total > 9'",
        "alert: Loud, expr: 'ALERTS{alertname=\"Big\"} == 1'",
        "alert: Local, expr: 'x > 1'",
        "alert: Other, expr: 'ALERTS{alertname=\"Local\"} == 1'",
        "alert: Now, expr: 'x > 1', evaluate: on_arrival",
    )

    wide = Wide(groups, LOCALITY)

    named = [rule.name for rule in groups[0].rules if rule in wide]
    assert ["A", "double", "total", "Big", "Loud"] == named
    assert {"double", "total"} == wide.recorded
    assert not needs_second_stage(groups, ("tenant",))
    assert find_unsplittable(groups, LOCALITY) == []


def test_a_series_of_both_stages_is_refused() -> None:
    """Who reads it would see one half only."""
    groups = groups_of(
        "record: load, expr: 'sum(x)'",
        "record: load, expr: 'sum by (service) (x)'",
    )

    (problem,) = find_unsplittable(groups, LOCALITY)

    assert problem == "r.yml:5: rule 'load': another rule records 'load' in the second stage"
