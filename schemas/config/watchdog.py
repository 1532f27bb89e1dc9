"""Section `watchdog`: how long a worker may stand still before its process is ended."""

from schemas.config.section import Section, Span


class WatchdogConfig(Section):
    """After which standstill a process is ended, so that its supervisor starts it again.

    Attributes:
        rebalancing: a rebalance of the consumer group.
        progress: records before a stage, none of them applied and none of its outputs gone.
        saving: a state that has changed and is not saved; at least three checkpoint intervals.
        delivery: outputs that wait, none of them accepted by the broker.
        blocked: an event loop that does not answer.

    """

    rebalancing: Span = 120_000
    progress: Span = 120_000
    saving: Span = 120_000
    delivery: Span = 600_000
    blocked: Span = 60_000
