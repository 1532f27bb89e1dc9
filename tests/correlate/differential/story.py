"""How a named scenario is written: its tree, its rules, and that it is one of them."""

from collections.abc import Callable
from typing import Any

from tests.correlate.differential.scenarios import Scenario

FAST = {"receiver": "r0", "group_wait": "10s", "group_interval": "30s", "repeat_interval": "10m"}
MADE: list[Callable[[], Scenario]] = []


def story(make: Callable[[], Scenario]) -> Callable[[], Scenario]:
    """It is one of the named scenarios, under its own name."""
    MADE.append(make)
    return make


def tree(*routes: dict[str, Any], **root: Any) -> Scenario:
    """A scenario with a quick root and these children."""
    return Scenario("", FAST | root | ({"routes": list(routes)} if routes else {}))


def rule(source: str, target: str, *equal: str) -> dict[str, Any]:
    """An inhibition rule of one matcher on each side."""
    return {"source_matchers": [source], "target_matchers": [target], "equal": list(equal)}
