"""Budget: which refusals become dead letters, and which are only counted.

Of each tenant and reason the first so many of a minute do, so a flood of refusals makes no flood of records.
What is refused before its tenant is known counts for the nameless one.

It refuses to know the time: whoever uses it says when a minute begins.
"""

from schemas.reasons import DeadLetterReason


class Budget:
    """Counts the dead letters of the current minute by tenant and reason; bounded by those of one minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._minute = -1
        self._spent: dict[tuple[str, DeadLetterReason], int] = {}

    def turn(self, minute: int) -> None:
        """Say which minute it is."""
        if minute != self._minute:
            self._minute = minute
            self._spent.clear()

    def grant(self, tenant: str, reason: DeadLetterReason, count: int) -> int:
        """How many of this many may be written."""
        spent = self._spent.get((tenant, reason), 0)
        granted = min(count, self.per_minute - spent)
        self._spent[tenant, reason] = spent + granted
        return granted

    def snapshot(self) -> list[tuple[str, str, int]]:
        """What `restore` takes, for the minute that `turn` was told last."""
        return [(tenant, reason.value, n) for (tenant, reason), n in self._spent.items()]

    def restore(self, minute: int, spent: list[tuple[str, str, int]]) -> None:
        """Continue from a snapshot."""
        self._minute = minute
        self._spent = {
            (tenant, DeadLetterReason(reason)): min(n, self.per_minute)
            for tenant, reason, n in spent
        }
