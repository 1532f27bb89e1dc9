"""The kinds of receivers by type: those that are built in, and those of installed packages.

It refuses to let a package replace a built-in kind.
"""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points

from schemas.config.notify import NotifyConfig
from schemas.errors import ConfigError
from sinks.notify.receivers import stdout, webhook
from sinks.notify.receivers.base import Kind, Receiver

GROUP = "tocsin.receivers"
BUILT_IN: dict[str, Kind] = {"stdout": stdout.KIND, "webhook": webhook.KIND}


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by type; asked for once, since packages do not come and go while we run."""
    offered = {point.name: point.load() for point in entry_points(group=GROUP)}
    return offered | BUILT_IN


def find_kind(name: str) -> Kind:
    """The kind of this type.

    Raises:
        ConfigError: there is none.

    """
    known = kinds()
    if name not in known:
        raise ConfigError([f"no receiver of type {name!r}; known are {', '.join(sorted(known))}"])
    return known[name]


def open_receivers(config: NotifyConfig) -> dict[str, Receiver]:
    """Every configured receiver by its name.

    Raises:
        ConfigError: names every receiver that cannot work.

    """
    opened: dict[str, Receiver] = {}
    problems: list[str] = []
    for section in config.receivers:
        try:
            opened[section.name] = find_kind(section.type).open(section)
        except ConfigError as error:
            problems += [f"receiver {section.name!r}: {p}" for p in error.problems]
    if problems:
        raise ConfigError(problems)
    return opened


async def close_receivers(receivers: Iterable[Receiver]) -> None:
    """Close each."""
    for receiver in receivers:
        await receiver.close()
