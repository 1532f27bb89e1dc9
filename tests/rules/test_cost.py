"""What rules take: guessed from a number of series, or measured."""

import pytest

from streams.rules.cost import guess_costs
from streams.rules.load import parse_rules

RULES = """
groups:
- name: g
  interval: 10s
  rules:
  - {alert: Running, expr: 'rate(x[10m]) > 1'}
  - {alert: Samples, expr: 'avg_over_time(x[10m]) > 1'}
  - {alert: Steps, expr: 'max_over_time(avg_over_time(x[10m])[10m:1m]) > 1'}
  - {alert: Arriving, expr: 'x > 1', evaluate: on_arrival}
"""


def test_a_guess_grows_with_series_samples_and_steps() -> None:
    """Twice the series cost twice; a running value costs less than its samples, and a subquery as often as it looks."""
    groups, _ = parse_rules(RULES, "r")

    costs = guess_costs(groups, ("tenant", "service"), series=1000, every_ms=10_000)
    twice = guess_costs(groups, ("tenant", "service"), series=2000, every_ms=10_000)

    assert ["Running", "Samples", "Steps"] == [cost.rule.name for cost in costs]
    running, samples, steps = costs
    assert running.seconds < samples.seconds
    assert steps.seconds == pytest.approx(10 * samples.seconds)
    assert [2 * cost.bytes for cost in costs] == [cost.bytes for cost in twice]
    assert steps.reads[0].samples == 2 * samples.reads[0].samples
    assert samples.share == pytest.approx(samples.seconds / 10)
