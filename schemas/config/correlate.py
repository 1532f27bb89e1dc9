"""Sections `correlate` and `topology`: how alerts become incidents."""

from pydantic import Field

from schemas.config.section import Count, Duration, Section, Span


class CorrelateConfig(Section):
    """Grouping and timing; the names mean what they mean in Alertmanager.

    Attributes:
        group_by: labels whose values make a group.
        entity_label: label that names the service in the call graph.
        join_within: alerts of connected services whose onsets lie no further apart than this join one incident.
        group_wait: first announcement after this, so that the cause has time to show.
        group_interval: next announcement of a changed incident not before this.
        repeat_interval: reminder while it fires.
        resolve_delay: an incident is resolved when nothing has fired for this long.
        reopen_within: a group that fires again within this of its resolution reopens the incident.
        max_alerts: an incident holds no more alerts than this; the rest is counted.
        max_span: an incident takes no new alert after this; a new one opens.

    """

    group_by: tuple[str, ...] = ("service",)
    entity_label: str = "service"
    join_within: Duration = 300_000
    group_wait: Duration = 30_000
    group_interval: Duration = 300_000
    repeat_interval: Duration = 14_400_000
    resolve_delay: Duration = 60_000
    reopen_within: Duration = 600_000
    max_alerts: Count = 200
    max_span: Span = 86_400_000


class TopologyConfig(Section):
    """The declared call graph: caller -> the services that it calls."""

    calls: dict[str, tuple[str, ...]] = Field(default_factory=dict)
