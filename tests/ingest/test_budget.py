"""The budget of dead letters: so many a tenant, reason and minute."""

from schemas.reasons import DeadLetterReason as Why
from streams.ingest.budget import Budget


def test_first_of_a_minute_are_granted() -> None:
    """Tenants and reasons have a budget each, and a new minute a new one."""
    budget = Budget(3)
    budget.turn(7)

    assert [3, 2, 3] == [
        budget.grant("a", Why.LATE, 5),
        budget.grant("b", Why.LATE, 2),
        budget.grant("a", Why.TOO_OLD, 9),
    ]
    budget.turn(7)
    assert 0 == budget.grant("a", Why.LATE, 1)
    budget.turn(8)
    assert 3 == budget.grant("a", Why.LATE, 5)


def test_restored_budget_goes_on() -> None:
    """What was spent of a minute stays spent after a restart."""
    first, second = Budget(3), Budget(3)
    first.turn(7)
    first.grant("a", Why.LATE, 2)
    second.restore(7, first.snapshot())
    second.turn(7)

    assert 1 == second.grant("a", Why.LATE, 5)
