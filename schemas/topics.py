"""Every topic in one table: name, key, what it holds, partitions, retention."""

from dataclasses import dataclass, field

SAMPLES = "tocsin.samples"
PARTIALS = "tocsin.partials"
ALERTS = "tocsin.alerts"
INCIDENTS = "tocsin.incidents"
NOTICES = "tocsin.notices"
NOTIFICATIONS = "tocsin.notifications"
REMEDIATIONS = "tocsin.remediations"
COMMANDS = "tocsin.commands"
DEAD_LETTERS = "tocsin.dead-letters"
STATE = "tocsin.state"
TELEMETRY = "telemetry"

DAY_MS = 86_400_000
PARTITIONS = 4


@dataclass(frozen=True)
class Topic:
    """A topic as it is to be created; `settings` are Kafka's topic configuration."""

    name: str
    key: str
    holds: str
    partitions: int = PARTITIONS
    settings: dict[str, str] = field(default_factory=dict)


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


_COMPACTED = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1"}

OWN_TOPICS: tuple[Topic, ...] = (
    Topic(SAMPLES, "locality", "samples as columns", settings=_kept(1)),
    Topic(PARTIALS, "tenant", "parts of rules wider than the locality", settings=_kept(1)),
    Topic(ALERTS, "tenant", "alert transitions and ticks", settings=_kept(7)),
    Topic(
        INCIDENTS, "incident id", "incidents, the last record of a key counts", settings=_COMPACTED
    ),
    Topic(NOTICES, "group and receiver", "what a route tree tells whom", settings=_kept(7)),
    Topic(NOTIFICATIONS, "incident id", "attempts to tell somebody", settings=_kept(30)),
    Topic(REMEDIATIONS, "incident id", "intents and results of playbooks", settings=_kept(30)),
    Topic(COMMANDS, "tenant", "what people say", settings=_kept(30)),
    Topic(DEAD_LETTERS, "none", "what could not be read", settings=_kept(7)),
    Topic(
        STATE,
        "stage, topic, partition",
        "checkpoints",
        # what is being written is not compacted: little of it at a time, or the topic swings by gigabytes
        settings=_COMPACTED | {"segment.ms": "600000", "segment.bytes": "67108864"},
    ),
)


OWN_NAMES = frozenset(t.name for t in OWN_TOPICS)


def outer_name(name: str, prefix: str) -> str:
    """Name on the broker of a topic: our own ones carry the prefix of the installation."""
    return prefix + name if name in OWN_NAMES else name


def inner_name(name: str, prefix: str) -> str:
    """Inverse of `outer_name`."""
    bare = name.removeprefix(prefix)
    return bare if bare in OWN_NAMES else name


def all_topics(
    sources: tuple[str, ...] = (TELEMETRY,),
    partitions: int = PARTITIONS,
    prefix: str = "",
    *,
    max_ahead_ms: int | None = None,
) -> list[Topic]:
    """Sources first, then our own, as they are named on the broker, each with this number of partitions.

    The broker refuses what producers send to a source dated more than `max_ahead_ms` after its own clock, an hour where
    that is None.
    """
    ahead = {} if max_ahead_ms is None else {"message.timestamp.after.max.ms": str(max_ahead_ms)}
    given = [Topic(name, "any", "telemetry", settings=_kept(7) | ahead) for name in sources]
    return [
        Topic(outer_name(t.name, prefix), t.key, t.holds, partitions, t.settings)
        for t in (*given, *OWN_TOPICS)
    ]
