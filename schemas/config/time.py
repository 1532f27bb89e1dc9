"""Section `time`: lateness, silence and skew, all in event time or the record times of the logs."""

from schemas.config.section import Duration, Section, Span


class TimeConfig(Section):
    """How long to wait for what, and which times to believe.

    Attributes:
        allowed_lateness: a source partition's watermark trails its largest event time by this much.
        amend_within: a sample behind the watermark by no more than this amends what was told; 0: none does.
        idle_after: a source partition silent for this long, while the broker answers, holds nobody back.
        max_ahead: a sample further ahead of its record time than this is refused, and a record further ahead of the
            broker's clock, in topics that `tocsin topics create` makes.
        max_age: a sample further behind its record time than this is refused.
        tick: ticks go out each time the watermark passes a multiple of this.
        page_horizon: an alert that ended longer ago than this when it became known is historical.

    """

    allowed_lateness: Duration = 5_000
    amend_within: Duration = 30_000
    idle_after: Duration = 60_000
    max_ahead: Duration = 300_000
    max_age: Duration = 604_800_000
    tick: Span = 250
    page_horizon: Duration = 3_600_000
