"""The guard: what holds a playbook back.

The order is fixed: what was done is not done again, a dry run does nothing, and no more than `limit.count` actions of a
playbook fall into any span of `limit.per`, in event time. An action counts when it is intended, whatever becomes of it,
and a dry run does not count.

The limit holds for one partition of tocsin.incidents, because partitions share no state: all incidents of one id meet
in one, but with N partitions the limit over all of them is N times as high.

It refuses to let time run backwards: an action on an incident from before the newest action counts at the time of the
newest.
"""

from bisect import bisect_right
from collections.abc import Iterable

from schemas.config.remediate import PlaybookConfig
from schemas.reasons import RemediationReason


class Guard:
    """Counts the actions of each playbook."""

    def __init__(self, playbooks: Iterable[PlaybookConfig]) -> None:
        self._playbooks = {p.name: p for p in playbooks}
        self._times: dict[str, list[int]] = {name: [] for name in self._playbooks}

    def admit(self, playbook: str, time_ms: int) -> RemediationReason:
        """`MATCHED` when the playbook may act, which then counts; `DRY_RUN` or `RATE_LIMITED` when not."""
        config = self._playbooks[playbook]
        if config.dry_run:
            return RemediationReason.DRY_RUN
        times = self._times[playbook]
        newest = max(time_ms, times[-1]) if times else time_ms
        del times[: bisect_right(times, newest - config.limit.per)]
        if len(times) >= config.limit.count:
            return RemediationReason.RATE_LIMITED
        times.append(newest)
        return RemediationReason.MATCHED

    def times(self) -> dict[str, list[int]]:
        """Event times, ms, of the actions that count, by playbook."""
        return self._times

    def restore(self, times: dict[str, list[int]]) -> None:
        """Take the times of `times`; those of a playbook that is gone are dropped."""
        self._times = {name: sorted(times.get(name, [])) for name in self._playbooks}
