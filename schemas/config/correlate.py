"""Sections `correlate` and `topology`: how alerts become incidents."""

from pydantic import Field

from schemas.config.lifecycle import (
    PRIORITIES,
    FlappingConfig,
    PriorityConfig,
    StormConfig,
)
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
        split_on_severity: an alert that is worse than all of an incident that people know of opens a new one.
        stale_after: an incident of which nothing has changed for this long is closed; 0: never.
        retention: the last record of an incident stays on its topic for so long after it can be reopened; 0: for ever.
        priorities: rows of matchers, the first that holds decides.
        flapping: when alerts that come and go are told of once.
        storm: how many pages a team gets before they are held.
        join_labels: alerts that share one of these labels, e.g. deployment, node or region, join within `join_within`.
        learn_together: alerts that began together time after time join too.
        change_within: a change may be the cause of what begins no later than this after it.

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
    split_on_severity: bool = False
    stale_after: Duration = 0
    retention: Duration = 2_592_000_000
    priorities: tuple[PriorityConfig, ...] = PRIORITIES
    flapping: FlappingConfig = FlappingConfig()
    storm: StormConfig = StormConfig()
    join_labels: tuple[str, ...] = ()
    learn_together: bool = True
    change_within: Duration = 3_600_000


class TopologyConfig(Section):
    """The call graph: what is declared, and whether calls are learnt from telemetry as well.

    Attributes:
        calls: caller -> the services that it calls.
        learn: calls that `traces_service_graph_request_total` tells of are in a tenant's graph for a day.

    """

    calls: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    learn: bool = True


class ChangesConfig(Section):
    """Where deployments, changes of configuration and feature flags are told of.

    Attributes:
        topic: read for change events; empty: none is.
        tenant: whose a change is that does not say so.

    """

    topic: str = ""
    tenant: str = "default"
