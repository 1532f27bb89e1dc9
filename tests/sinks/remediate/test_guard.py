"""The guard of the playbooks."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.config.remediate import KafkaAction, PlaybookConfig, RateLimit
from schemas.reasons import RemediationReason
from sinks.remediate.guard import Guard

PER = 1_000


def _playbook(*, count: int = 2, dry_run: bool = False) -> PlaybookConfig:
    return PlaybookConfig(
        name="p",
        matchers=(),
        action=KafkaAction(type="kafka", topic="t"),
        dry_run=dry_run,
        limit=RateLimit(count=count, per=PER),
    )


def test_a_dry_run_never_acts() -> None:
    """A dry run is told so each time, and does not count."""
    guard = Guard([_playbook(dry_run=True)])

    assert {RemediationReason.DRY_RUN} == {guard.admit("p", t) for t in range(5)}
    assert {"p": []} == guard.times()


def test_the_limit_ends_with_its_span() -> None:
    """After `count` actions the next is refused until the first is `per` old."""
    guard = Guard([_playbook()])
    admitted = [
        guard.admit("p", t) is RemediationReason.MATCHED for t in (0, 10, 999, 1_000, 1_009, 1_010)
    ]

    assert [True, True, False, True, False, True] == admitted


@given(
    times=st.lists(st.integers(0, 5_000), max_size=60),
    count=st.integers(0, 4),
    cut=st.integers(0, 60),
)
def test_no_span_holds_more_than_the_limit(times: list[int], count: int, cut: int) -> None:
    """In whatever order incidents come, and over a restart, no span holds more actions than the limit."""
    guard = Guard([_playbook(count=count)])
    newest, acted = 0, []
    for number, time in enumerate(times):
        if number == cut:
            restored = Guard([_playbook(count=count)])
            restored.restore(guard.times())
            guard = restored
        newest = max(newest, time)
        if guard.admit("p", time) is RemediationReason.MATCHED:
            acted.append(newest)

    assert [] == [t for t in acted if sum(t - PER < other <= t for other in acted) > count]


def test_a_playbook_that_is_gone_is_forgotten() -> None:
    """Times of a playbook that is not configured any more are dropped."""
    guard = Guard([_playbook()])
    guard.restore({"gone": [1, 2], "p": [5]})

    assert {"p": [5]} == guard.times()
