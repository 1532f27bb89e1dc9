"""Budgets of false alarms: their words, how they are shared out, and the thresholds that follow."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.calibrate import threshold_for
from schemas.labels import encode_labels, make_labels
from streams.rules.budget import Budget
from streams.rules.detect import DetectRule
from streams.rules.rule import DetectBlock
from streams.rules.rule_file import DetectSection
from streams.rules.vector import LabelSpace

STEP_MS = 15_000
WEEK_MS = 604_800_000


def block(budget: str) -> DetectBlock:
    """A block with this budget."""
    given = {"detector": "robust", "false_alarms": budget}
    return DetectSection.model_validate(given).block({"warm_up_samples": 20})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 per week", (1.0, WEEK_MS, "series")),
        ("2 per 12h per service", (2.0, 43_200_000, "service")),
        ("1 a month for each tenant", (1.0, 2_592_000_000, "tenant")),
        ("0.5/day per availability_zone", (0.5, 86_400_000, "availability_zone")),
        ("1 per week per series", (1.0, WEEK_MS, "series")),
    ],
)
def test_a_budget_says_whose_it_is(text: str, expected: tuple[float, int, str]) -> None:
    """How many, in which time, of what; of each series where it does not say."""
    found = block(text)
    assert expected == (found.false_alarms, found.per_ms, found.per)


@pytest.mark.parametrize(
    "text", ["1 per week per", "1 per per service", "1 per week per a b", "week"]
)
def test_a_budget_that_makes_no_sense_is_refused(text: str) -> None:
    """It is not half read."""
    with pytest.raises(ValueError, match="not a budget"):
        block(text)


def test_each_series_has_the_threshold_of_the_whole_budget() -> None:
    """Without a scope the threshold is the one of the formula."""
    budget = Budget(block("1 per week"), STEP_MS)
    expected = threshold_for(1, WEEK_MS / 1000, STEP_MS / 1000)
    assert expected == pytest.approx(float(budget.enter(1.0)), abs=1e-15)


@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=6), dead=st.integers(0, 5))
def test_shares_of_one_budget_add_up_to_it(counts: list[int], dead: int) -> None:
    """Whatever number of series share it, they cost together what one would; those that are dead cost nothing."""
    budget = Budget(block("1 per week per service"), STEP_MS)
    sharers = np.repeat(np.arange(len(counts)), counts)
    alive = np.ones(len(sharers), np.bool_)
    alive[1 : counts[0]][:dead] = False
    shares = budget.shares(sharers, alive)
    for service in range(len(counts)):
        mine = (sharers == service) & alive
        assert shares[mine].sum() == pytest.approx(1.0)


def test_who_shares_is_told_by_tenant_and_label() -> None:
    """The same service of another tenant has a budget of its own; a tenant's has all its services."""
    marks = [
        encode_labels(make_labels({"__tenant__": tenant, "service": service, "pod": pod}))
        for tenant, service, pod in [
            ("a", "x", "1"),
            ("a", "x", "2"),
            ("b", "x", "1"),
            ("a", "y", "1"),
        ]
    ]
    by_service = [Budget(block("1 per day per service"), STEP_MS).sharer(m) for m in marks]
    by_tenant = [Budget(block("1 per day per tenant"), STEP_MS).sharer(m) for m in marks]
    assert (2, 3) == (len(set(by_tenant)), len(set(by_service)))
    assert by_service[0] == by_service[1]


def test_a_shared_budget_follows_how_many_series_are_alive() -> None:
    """A hundred series have a hundredth each; when they have gone for an hour, the one that stays has it all."""
    rule = DetectRule(block("1 per day per service"), interval_ms=STEP_MS, max_series=200)
    space = LabelSpace()
    rows = np.array([space.row(make_labels({"service": "x", "pod": str(n)})) for n in range(100)])
    rule.update(space, rows, np.full(100, 0), np.zeros(100))
    rule.count(0)
    shared = 1 - rule.thresholds.enter[0]
    assert 0.01 == pytest.approx(shared / (1 - rule.thresholds.lowest))

    late = 3_700_000
    rule.update(space, rows[:1], np.array([late]), np.zeros(1))
    rule.count(late)
    assert rule.thresholds.lowest == rule.thresholds.enter[0]


def test_a_budget_that_several_partitions_share_is_cut() -> None:
    """Each partition that may see some of a tenant takes an even part."""
    whole = block("1 per day per tenant")
    parted = Budget(replace(whole, spread=4), STEP_MS)
    assert parted.tail == pytest.approx(Budget(whole, STEP_MS).tail / 4)
